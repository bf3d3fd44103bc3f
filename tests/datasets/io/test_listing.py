"""mmsign.datasets.io.listing: the order of frames, and what is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmsign.datasets.io.listing import files_under, in_order, skipped
from mmsign.errors import FrameReadError

QUICK = settings(max_examples=100, derandomize=True)


@pytest.mark.parametrize(
    'names',
    [
        ['f2', 'f10', 'f100'],
        ['a1b2', 'a1b10', 'a2b1'],
        ['cam1.2', 'cam1.9', 'cam1.10', 'cam1.11'],
        ['cam1.1', 'cam1.2', 'cam1.10', 'cam1.20'],
        ['0', '0.04', '0.08', '0.1', '0.12', '1.0', '1.04', '10.0'],
        ['t0.0', 't0.25', 't0.5', 't0.75', 't1.0', 't1.25'],
        ['1700000000123456789', '1700000000123456790'],
        ['2024.01.09-1', '2024.01.09-2', '2024.01.10-1'],
        ['f0098', 'f0099', 'f0100', 'f0101'],
        ['f1-8', 'f2-1', 'f2-2', 'f3-1'],
        ['fn098-0', 'fn099-0', 'fn100-0'],
        [],
    ],
)
def test_order(names):
    files = [f'{name}.png' for name in names]
    assert in_order(reversed(files), 'clip') == files


@pytest.mark.slow
@QUICK
@given(st.integers(2, 300), st.sampled_from([10, 12.5, 25, 30, 50]), st.randoms())
def test_frames_named_by_seconds(count, fps, random):
    seconds = np.round(np.arange(count) / fps, 3)
    names = [f'frame_{second:g}.png' for second in seconds]
    shuffled = random.sample(names, count)
    assert in_order(shuffled, 'clip') == names


@QUICK
@given(st.integers(2, 300), st.sampled_from(['f', 'f0', 'cam1.', 'v1.2.', 'x-']))
def test_frames_that_are_counted(count, prefix):
    names = [f'{prefix}{number}.png' for number in range(1, count)]
    assert in_order(sorted(names), 'clip') == names


@pytest.mark.parametrize('names', [['1.png', '1.jpg'], ['1.png', '01.png']])
def test_two_names_of_one_frame(names):
    with pytest.raises(FrameReadError, match='clip: .*1.*1'):
        in_order([*names, '2.png'], 'clip')


def test_hidden_files_are_nobodys(tmp_path):
    for name in ('b/c.mp4', 'a.mp4', '.x.mp4', '__MACOSX/b/c.mp4', '.git/y.mp4'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(files_under(tmp_path)) == [tmp_path / 'a.mp4', tmp_path / 'b/c.mp4']


@pytest.mark.parametrize(
    ('numbers', 'told'),
    [
        (range(1, 54), ''),
        ([1], ''),
        ([1, 9], ''),
        ([*range(8, 11), *range(30, 54)], '19 frames are missing by their numbers'),
        ([1, 2, 4, 5], '1 frame is missing by their numbers, the first behind n2.png'),
        ([0, 2, 4, 6, 10], '1 frame is missing'),
        (range(0, 50, 2), 'the frames are numbered by twos'),
        (range(0, 4000, 40), ''),  # milliseconds
        ([0, 33, 67, 100, 133], ''),
        (range(10, 60, 10), ''),
        ([10, 20, 40, 50], '1 frame is missing'),
    ],
)
@pytest.mark.parametrize('name', ['n{}.png', 'n{:06d}.png', 'n{:04d}-0.png'])
def test_frames_missing_by_their_numbers(numbers, told, name):
    found = skipped([name.format(number) for number in numbers])
    told = told.replace('n2.png', name.format(2))
    assert found.startswith(told) and bool(found) == bool(told)


@pytest.mark.parametrize(
    'names',
    [
        ['a1b1', 'a2b5', 'a3b9'],  # which of them counts?
        ['a1', 'b3', 'c9'],
        ['a', '1', '5'],
        ['t0.04', 't0.08', 't0.12', 't0.24'],
        ['t0.1', 't0.2', 't0.3', 't0.7'],
    ],
)
def test_names_that_do_not_tell_what_is_missing(names):
    assert skipped([f'{name}.png' for name in names]) == ''
