"""mmsign.datasets.clip_names: one rule for the names of clips."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmsign.datasets.clip_names import ClipNames, clip_name
from mmsign.datasets.io.videos import VIDEO_SUFFIXES
from mmsign.errors import DataError

PART = st.text('ab.é1 ', min_size=1, max_size=4).filter(
    lambda part: part.strip('. ') == part
)
NAME = st.lists(PART, min_size=1, max_size=3).map('/'.join)
PATHS = st.sets(NAME, min_size=1, max_size=6)
QUICK = settings(max_examples=100, derandomize=True)


@QUICK
@given(PATHS, st.sampled_from(VIDEO_SUFFIXES), st.booleans(), st.booleans())
@example({'a', 'sub/a', 'rec.2024', 'rec.2024.de'}, '.mp4', False, False)
def test_each_clip_of_a_folder_is_found_by_its_path(names, suffix, upper, decomposed):
    paths = {
        f'/corpus-root/{name}{suffix.upper() if upper else suffix}': name
        for name in names
    }
    assert {clip_name(path, '/corpus-root') for path in paths} == names
    stored = [unicodedata.normalize('NFD', n) if decomposed else n for n in names]
    found = ClipNames(stored, 'file')
    for path, name in paths.items():
        assert unicodedata.normalize('NFC', found.find(path)) == name


@QUICK
@given(PATHS, NAME)
def test_only_the_longest_end_is_found(names, path):
    ends = [name for name in names if f'/x/{path}'.endswith(f'/{name}')]
    found = ClipNames(names, 'file').find(f'/x/{path}.mp4')
    assert found == max(ends, key=len, default=None)


@pytest.mark.parametrize(
    ('path', 'found'),
    [
        ('sub/a.mp4', 'sub/a'),
        ('sub/a.pose', 'sub/a'),
        ('other/a.mp4', 'a'),
        ('rec.2024.de', None),
        ('a.b.mp4', None),
        ('corpus.zip@sub/a', 'sub/a'),
        ('corpus.zip@a/', 'a'),
        ('corpus.zip', 'corpus'),
        ('/far/corpus.zip@x', 'corpus/x'),
    ],
)
def test_paths(path, found):
    names = ['a', 'sub/a', 'rec.2024', 'corpus', 'corpus/x', 'b']
    assert ClipNames(names, 'file').find(path) == found


@pytest.mark.parametrize('names', [['é', 'e\u0301'], ['a', 'a.mp4']])
def test_two_names_for_one_path_are_refused(names):
    with pytest.raises(DataError, match='file'):
        ClipNames(names, 'file').find(f'{names[0]}.mp4'.replace('.mp4.mp4', '.mp4'))


def test_a_folder_keeps_its_dots(tmp_path):
    (tmp_path / 'take.mp4').mkdir()
    (tmp_path / 'rec.2024.de').mkdir()
    for name in ('take.mp4', 'rec.2024.de'):
        assert clip_name(tmp_path / name) == name
        assert ClipNames([name, 'take', 'rec.2024'], 'x').find(tmp_path / name) == name
