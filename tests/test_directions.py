"""Imports run one way: docs/architecture.md."""

import ast
from pathlib import Path

import pytest

import mmsign

PACKAGE = Path(mmsign.__file__).resolve().parent
# Rooms and modules from the ground up; each may import those below it and itself.
FLOORS = [
    {'version', 'errors'},
    {'files', 'download', 'keypoints', 'tracking', 'timed_gloss', 'registry'},
    {'compat'},
    {'vocab', 'structures'},
    {'text', 'decoding', 'evaluation', 'interop'},
    {'datasets'},
    {'config', 'models', 'toy', 'visualization', 'pose'},
    {'engine'},
    {'apis'},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def imports_of(path: Path) -> set[str]:
    """Rooms of the package that a file imports, wherever in it."""
    here = path.relative_to(PACKAGE.parent).with_suffix('').parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split('.') for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level] if node.level else ()
            module = [*start, *(node.module or '').split('.')]
            module = [part for part in module if part]
            names = [[*module, alias.name] for alias in node.names]
        found |= {name[1] for name in names if name[0] == 'mmsign' and len(name) > 1}
    return found & LEVEL.keys()


FILES = [
    path
    for path in sorted(PACKAGE.rglob('*.py'))
    if path.relative_to(PACKAGE).as_posix() != '__init__.py'
]


@pytest.mark.parametrize(
    'path', FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).with_suffix('').parts[0]
    above = {other for other in imports_of(path) if LEVEL[other] > LEVEL[room]}
    assert not above, f'{room} imports {above}'


def test_models_and_decoding_know_no_files_of_others():
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0]
        if room in ('models', 'decoding'):
            assert not imports_of(path) & {'datasets', 'interop', 'visualization'}, path
        if room == 'apis':
            assert 'engine' not in imports_of(path), path
