"""Clips with odd times, names, frame rates and image files; see ``fuzzing``."""

from __future__ import annotations

import json
import math
import tempfile
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzzing import FUZZ, broken
from hypothesis import example, given
from hypothesis import strategies as st
from tiny_video import write_video, write_webm

from mmsign.apis.clips import open_clip
from mmsign.apis.live import FrameResampler
from mmsign.datasets import (
    KeypointFile,
    SignFolderDataset,
    open_frames,
    write_keypoints,
)
from mmsign.datasets.clip_names import ClipNames, clip_name
from mmsign.datasets.io.frame_times import (
    checked_fps,
    longest_still,
    repair_times,
    resample,
)
from mmsign.datasets.io.images import IMAGE_SUFFIXES
from mmsign.errors import DataError, FrameReadError, MMSignError

COUNT = 12
# Seconds that a container of milliseconds can hold.
SECONDS = st.one_of(st.integers(0, 40), st.integers(0, 2**40)).map(lambda ms: ms / 1000)
TIMES = st.lists(st.one_of(SECONDS, st.just(0.0)), min_size=COUNT, max_size=COUNT)
RATES = st.one_of(st.floats(), st.sampled_from([1e-9, 1000, 25, math.inf, -1]))
NAMES = st.text(
    st.characters(blacklist_characters='/\0\\', blacklist_categories=['Cs']),
    min_size=1,
    max_size=6,
).filter(lambda name: name.strip('. ') == name and '\n' not in name)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz')


@FUZZ
@given(TIMES, st.floats(0.5, 5000), st.floats(1, 100))
@example([0.0] * COUNT, 1000.0, 25.0)
@example([k / 25 + 3600 * (k > 5) for k in range(COUNT)], 1000.0, 25.0)
@example([0.001, *[0.0] * (COUNT - 2), 100000000.001], 1.0, 1.0)
def test_times_of_a_video(folder, times, nominal, rate):
    path = folder / 'v.webm'
    write_webm(path, times, nominal)
    clip = open_clip(path)
    assert len(clip.source) == len(clip.times) and clip.times[0] == 0
    assert np.isfinite(clip.times).all() and np.all(np.diff(clip.times) > 0)
    step = np.median(np.diff(clip.times))
    clip.resample(rate)
    assert np.all(np.diff(clip.times) > 0)
    # No frame stays longer than a pause.
    assert len(clip.times) <= COUNT * (longest_still(step) * rate + 2)


@FUZZ
@example([0.0] * 9 + [9090910.0] + [0.0] * 10, 0.0, 1.0)
@example([0.0] * 8 + [0.0001], 0.0, 1.0)
@given(st.lists(st.floats(), max_size=40), RATES, st.floats(1, 100))
def test_any_times(times, nominal, rate):
    times, _ = repair_times(np.array(times), nominal)
    assert np.isfinite(times).all() and np.all(np.diff(times) > 0)
    if not len(times) or abs(times).max() < 1e8:
        np.testing.assert_array_equal(repair_times(times, nominal)[0], times)
    if len(times) > 1:
        resampler, seen = FrameResampler(rate), 0
        for time in times:
            seen += len(list(resampler.step(float(time), None)))
        seen += len(list(resampler.end()))
        chosen = resample(times, rate)
        assert chosen is None or np.all(np.diff(chosen[1]) > 0)
        assert 1 <= seen <= len(times) * (31 * rate + 2)


def video(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f'v{suffix}')
        if suffix == '.webm':
            write_webm(path, [k / 25 for k in range(COUNT)])
        else:
            write_video(path, COUNT)
        return path.read_bytes()


@pytest.mark.parametrize('suffix', ['.webm', '.mp4'])
def test_broken_videos(folder, suffix):
    @FUZZ
    @given(broken(video(suffix)))
    def run(data):
        path = folder / f'broken{suffix}'
        path.write_bytes(data)
        try:
            source = open_frames(str(path))
            frames = source.read(range(len(source))) if len(source) else ()
        except FrameReadError as error:
            assert path.name in str(error)
        else:
            assert len(frames) == len(source.times) == len(source)
            assert np.all(np.diff(source.times) > 0)

    run()


@FUZZ
@given(RATES)
def test_any_rate(rate):
    frames = np.zeros((5, 4, 4, 3), np.uint8)
    try:
        clip = open_clip(frames, fps=rate)
    except MMSignError as error:
        assert 'fps' in str(error) and not 0.1 <= rate <= 1000
    else:
        assert checked_fps(rate) == rate and 0 < clip.duration <= 50
        clip.resample(25.0)
        assert 1 <= len(clip.times) <= 1251


@FUZZ
@given(
    st.sets(st.lists(NAMES, min_size=1, max_size=3).map('/'.join), max_size=5), NAMES
)
@example({'a', 'sub/a', 'rec.2024'}, 'rec.2024.de')
@example({'e\u0301', 'é'}, 'é')
def test_any_names(folder, names, other):
    path = folder / 'k.safetensors'
    write_keypoints(path, {name: np.ones((1, 133, 3)) for name in names})
    file = KeypointFile(path)
    assert file.clip_ids == sorted(names)
    for name in [*names, other]:
        place = f'/corpus-of-this-test/{name}.mp4'
        assert clip_name(place, '/corpus-of-this-test') == name
        ends = {
            n
            for n in names
            for form in (unicodedata.normalize('NFC', n),)
            for whole in (unicodedata.normalize('NFC', f'/{name}'),)
            if whole.endswith(f'/{form}') or f'{whole}.mp4'.endswith(f'/{form}')
        }
        try:
            found = file.find(place)
        except DataError as error:
            assert name in str(error) and len(ends) > 1
        else:
            assert found in ends if ends else found is None
    assert ClipNames(names, 'x').find('/corpus-of-this-test.mp4') is None


@FUZZ
@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, min_size=1, max_size=3))
def test_any_annotation(folder, ids, glosses):
    rows = [dict(id=i, video=i, glosses=glosses, split='train') for i in ids]
    text = '\n'.join(json.dumps(row) for row in rows)
    (folder / 'manifest.jsonl').write_text(text, encoding='utf-8')
    try:
        corpus = SignFolderDataset(str(folder), 'train')
    except MMSignError as error:
        assert 'manifest.jsonl' in str(error)
    else:
        for index, info in enumerate(map(corpus.get_data_info, range(len(corpus)))):
            assert info['clip_id'] == unicodedata.normalize('NFC', ids[index])
            assert info['glosses'] == [unicodedata.normalize('NFC', g) for g in glosses]


IMAGES = [
    cv2.imencode(suffix, np.full((4, 5, 3), 9, np.uint8))[1].tobytes()
    for suffix in ('.png', '.jpg', '.webp', '.bmp')
]


@FUZZ
@given(
    st.dictionaries(
        st.tuples(NAMES, st.sampled_from([*IMAGE_SUFFIXES, '.JPG', '.txt', ''])),
        st.sampled_from(IMAGES),
        min_size=1,
        max_size=5,
    )
)
def test_any_folder_of_frames(folder, files):
    place = folder / 'frames'
    for old in place.iterdir() if place.is_dir() else ():
        old.unlink()
    place.mkdir(exist_ok=True)
    images = 0
    for (stem, suffix), data in files.items():
        (place / f'{stem}{suffix}').write_bytes(data)
    images = [
        p.name
        for p in place.iterdir()
        if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith('.')
    ]
    try:
        source = open_frames(str(place))
    except MMSignError as error:
        assert str(place) in str(error)
        assert not images or len({n.rsplit('.', 1)[0] for n in images}) <= len(images)
    else:
        assert sorted(source.names) == sorted(images)
        assert source.read(range(len(source))).shape == (len(images), 4, 5, 3)
