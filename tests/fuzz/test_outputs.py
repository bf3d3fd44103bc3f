"""Outputs in any place and spelling, beside inputs that must stay; see ``fuzzing``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fuzzing import FUZZ
from hypothesis import example, given
from hypothesis import strategies as st

from mmsign.errors import ConfigError
from mmsign.files import check_outputs, replacing

# Links to a file and to a folder, a second name of a file, a link to a link.
FILES = 'a.mp4', 'notes.txt', 'c.zip', 'd/1.png', 'd/e/2.png'
SYMBOLIC = {'link.mp4': 'a.mp4', 'dlink': 'd', 'again': 'dlink', 'nowhere': 'gone.mp4'}
HARD = {'hard.mp4': 'a.mp4', 'd/hard.png': 'd/1.png'}
INPUTS = *FILES, *SYMBOLIC, *HARD, 'd', 'd/e', 'c.zip@clips/1', 'missing.mp4', '.'
FOLDERS = '', 'd', 'd/e', 'dlink', 'again', 'again/e', 'new', 'new/deeper'
NAMES = st.one_of(
    st.sampled_from([Path(name).name for name in (*FILES, *SYMBOLIC, *HARD)]),
    st.tuples(st.text('ab.ü ', min_size=1, max_size=3), st.sampled_from(['', '.MP4']))
    .map(''.join)
    .filter(lambda name: name.strip('. ')),
)
DETOURS = '', './', 'd/../', 'dlink/e/../../', './/', 'd/e/../../d/../'


def _tree(root: Path) -> None:
    for name in FILES:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    for name, target in SYMBOLIC.items():
        (root / name).symlink_to(target)
    for name, target in HARD.items():
        os.link(root / target, root / name)


def _seen(place: Path) -> object:
    """What a reader gets of an input: bytes of a file, pictures and videos below."""
    if place.is_file():
        return place.read_bytes()
    clips = [p for p in place.rglob('*') if p.suffix.lower() in ('.png', '.mp4')]
    return {p: p.read_bytes() for p in sorted(clips) if p.is_file()}


@FUZZ
@given(
    st.lists(st.sampled_from(INPUTS), max_size=3),
    st.sampled_from(DETOURS),
    st.sampled_from(FOLDERS),
    NAMES,
    st.booleans(),
    st.booleans(),
)
@example(['a.mp4'], 'd/../', '', 'link.mp4', False, False)
@example(['d'], '', 'again/e', 'b.MP4', True, True)
def test_inputs_stay(inputs, detour, folder, name, absolute, upper):
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(os.path.realpath(temporary))
        _tree(root)
        os.chdir(root)
        try:
            output = os.path.join(detour + folder, name.upper() if upper else name)
            output = str(root / output) if absolute else output
            places = [root / given.partition('@')[0] for given in inputs]
            # What is not there cannot be lost.
            places = list(filter(Path.exists, places))
            seen = [_seen(place) for place in places]
            try:
                check_outputs([output], inputs)
            except ConfigError as error:
                assert output in str(error)
            else:
                with replacing(output) as file:
                    file.write(b'written')
            assert [_seen(place) for place in places] == seen
        finally:
            os.chdir(before)
