from __future__ import annotations

import cv2
import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_video import SIZE, damage, rotate_by_90, set_durations, write_webm

from mmsign.apis.clips import open_clip
from mmsign.datasets import open_frames
from mmsign.errors import ClipError, ConfigError, FrameReadError

REAL = np.arange(50) / 25
FRAMES = np.random.default_rng(0).integers(0, 256, (10, 6, 8, 3), np.uint8)


def test_an_array_is_named_by_its_number_and_kept_as_it_is():
    clip = open_clip(FRAMES, number=3)
    assert (clip.name, clip.notices) == ('clip-3', [])
    assert clip.source.frame_size == (8, 6)
    assert clip.chosen.tolist() == list(range(10))
    np.testing.assert_array_equal(clip.source.read([9, 0]), FRAMES[[9, 0]])
    for frame in clip.source.stream([2, 2]):
        np.testing.assert_array_equal(frame, FRAMES[2])


@pytest.mark.parametrize(
    ('options', 'rate'),
    [({}, 25), (dict(default_fps=50.0), 50), (dict(fps=10.0, default_fps=50.0), 10)],
)
def test_times_of_what_has_none(options, rate, tmp_path):
    folder = tmp_path / 'a.b'
    write_frames(folder, 10)
    for given in (FRAMES, folder):
        clip = open_clip(given, **options)
        np.testing.assert_allclose(clip.times, np.arange(10) / rate)
        assert clip.frame_seconds == 1 / rate
        assert clip.duration == pytest.approx(10 / rate)
    assert clip.name == str(folder)


def test_a_video_has_its_own_times_unless_the_user_knows_better(make_video):
    path = make_video(8, fps=12.5)
    clip = open_clip(path, default_fps=50.0)
    np.testing.assert_allclose(clip.times, np.arange(8) / 12.5, atol=1e-4)
    assert clip.duration == pytest.approx(8 / 12.5, abs=1e-3)
    assert open_clip(str(path), fps=25.0).duration == pytest.approx(8 / 25)
    assert clip.name == str(path)


def test_a_video_is_found_by_another_form_of_its_name(make_video):
    path = make_video(8)
    path.rename(path.with_name('fu\u0308r.mp4'))
    clip = open_clip(path.with_name('f\u00fcr.mp4'))
    assert len(clip.source) == 8 and clip.source._kept is None


def test_uneven_times_are_resampled(make_video):
    path = make_video(20)
    set_durations(path, [1] * 10 + [3] * 5 + [1] * 5)
    clip = open_clip(path)
    shown = [*range(11), 13, 16, 19, 22, *range(25, 30)]
    np.testing.assert_allclose(clip.times * 25, shown, atol=0.03)
    clip.resample(25.0)
    # At each tick the nearest frame.
    nearest = [np.abs(np.subtract(shown, tick)).argmin() for tick in range(30)]
    assert clip.chosen.tolist() == nearest
    assert clip.notices == [
        'frames at uneven times (about 25 frames/s), the network was trained on 25: '
        'resampled from 20 to 30 frames'
    ]
    assert clip.duration == pytest.approx(1.2)


@pytest.mark.parametrize(
    ('rate', 'indices'),
    # Of two frames equally near, the earlier.
    [(16.0, [0, 2, 4, 6, 8]), (64.0, [k // 2 for k in range(20)])],
)
def test_steady_frames_are_dropped_or_repeated(rate, indices):
    clip = open_clip(FRAMES, fps=32.0)
    clip.resample(rate)
    assert clip.chosen.tolist() == indices
    np.testing.assert_array_equal(clip.times, np.arange(len(indices)) / rate)
    assert clip.frame_seconds == 1 / rate and clip.duration == 10 / 32
    assert clip.notices == [
        f'32 frames/s, the network was trained on {rate:g}: resampled from 10 to '
        f'{len(indices)} frames'
    ]


@pytest.mark.parametrize('rate', [32.0, 32.2, None])
def test_at_the_rate_of_training_nothing_is_done(rate):
    clip = open_clip(FRAMES, fps=32.0)
    clip.resample(rate)
    assert clip.chosen.tolist() == list(range(10))
    assert clip.notices == [] and len(clip.times) == 10


def test_a_rotated_video_is_turned_upright(make_video):
    path = make_video(8)
    upright = open_frames(str(path)).read([0])[0]
    turned = path.with_name('turned.mp4')
    turned.write_bytes(path.read_bytes())
    rotate_by_90(turned)
    clip = open_clip(turned)
    assert clip.source.frame_size == SIZE[::-1]
    seen = clip.source.read([0])[0]
    np.testing.assert_array_equal(seen, cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE))


def test_a_video_damaged_in_the_middle(make_video):
    path = make_video(40)
    damage(path)
    clip = open_clip(path)
    count = len(clip.source)
    assert 4 < count < 38 and len(clip.times) == count
    assert clip.notices == [
        f'40 frames announced, {count} can be decoded: the file is damaged or '
        f'truncated after {count / 25:.2f} s; what follows is not read'
    ]


def times_with(change) -> np.ndarray:
    times = REAL.copy()
    change(times)
    return times


@pytest.mark.parametrize('nominal', [25.0, 30.0, 1000.0])
@pytest.mark.parametrize(
    'change',
    [
        lambda t: t.__setitem__(20, t[19]),
        lambda t: t.__setitem__(20, 0),
        lambda t: t.__setitem__(slice(48, 50), 0),
        lambda t: t.__setitem__(20, t[17]),
    ],
    ids=['equal', 'zero', 'zero at the end', 'falling'],
)
def test_a_bad_time_in_a_browsers_recording_is_repaired(tmp_path, nominal, change):
    path = tmp_path / 'browser.webm'
    write_webm(path, list(times_with(change)), nominal)
    clip = open_clip(path)
    np.testing.assert_allclose(clip.times, REAL, atol=2e-3)
    clip.resample(25.0)
    assert clip.chosen.tolist() == list(range(50))
    assert len(clip.notices) == 1 and 'usable time' in clip.notices[0]


@pytest.mark.parametrize('gap', [10, 3600])
def test_a_paused_recorder_makes_no_frames(tmp_path, gap):
    path = tmp_path / 'browser.webm'
    times = np.where(np.arange(50) >= 24, REAL + gap, REAL)
    write_webm(path, list(times), 1000.0)
    clip = open_clip(path)
    clip.resample(25.0)
    assert clip.chosen.tolist() == list(range(50)) and len(clip.times) == 50
    np.testing.assert_allclose(clip.times, times, atol=2e-3)
    assert len(clip.notices) == 1 and f'{gap}' in clip.notices[0]
    clip.resample(12.5)
    assert clip.chosen.tolist() == list(range(0, 50, 2))


@pytest.mark.parametrize('nominal', [25.0, 30.0, 1000.0])
def test_a_sound_recording_of_variable_rate_is_not_called_damaged(tmp_path, nominal):
    path = tmp_path / 'browser.webm'
    steps = np.random.default_rng(0).uniform(0.03, 0.3, 40)
    write_webm(path, list(np.cumsum(steps)), nominal)
    assert open_clip(path).notices == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert any('damaged' in notice for notice in open_clip(path).notices)


@pytest.mark.parametrize(
    ('count', 'notice'),
    [(1, 'only 1 frame: the last'), (3, 'only 3 frames: the last'), (4, None)],
)
def test_few_frames_are_a_notice(count, notice):
    clip = open_clip(FRAMES[:count])
    assert clip.duration == pytest.approx(count / 25)
    assert len(clip.notices) == (notice is not None)
    assert notice is None or clip.notices[0].startswith(notice)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (FRAMES[..., 0], r'an array of shape \(10, 6, 8\) and dtype uint8; expected'),
        (FRAMES[..., :2], r'shape \(10, 6, 8, 2\)'),
        (FRAMES / 255, 'dtype float64; expected'),
        (FRAMES[:0], 'no frame can be decoded'),
    ],
)
def test_arrays_that_are_no_clips(given, message):
    with pytest.raises(ClipError, match=f'^clip-7: .*{message}'):
        open_clip(given, 7)


def test_what_is_neither_a_path_nor_an_array():
    with pytest.raises(ClipError, match='clip 2: .* got list'):
        open_clip([FRAMES], 2)
    for fps in (0, -1.0, float('nan'), float('inf'), 1e-9):
        with pytest.raises(ConfigError, match='clip-0: fps'):
            open_clip(FRAMES, fps=fps)


def test_a_truncated_video_and_one_that_is_none(make_video, tmp_path):
    path = make_video(8)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FrameReadError, match=r'made\.mp4: OpenCV cannot open'):
        open_clip(path)
    with pytest.raises(FrameReadError, match=r'no video file .*gone\.mp4'):
        open_clip(tmp_path / 'gone.mp4')


def test_every_so_many_th_frame_keeps_its_time():
    clip = open_clip(FRAMES[:9], fps=50.0)
    clip.resample(25.0, step=2)
    halved = open_clip(FRAMES[:9], fps=50.0)
    halved.resample(12.5)
    assert clip.chosen.tolist() == halved.chosen.tolist() == [0, 4]
    np.testing.assert_array_equal(clip.times, [0, 0.08])
    begins, ends = clip.frame_times(np.arange(3))
    np.testing.assert_allclose(begins, [0, 0.08, 0.08])
    np.testing.assert_allclose(ends, [0.08, 0.16, 0.16])
    # Without a rate, of the clip's own; nothing lasts longer than the clip.
    clip = open_clip(FRAMES, fps=50.0)
    clip.resample(None, step=3)
    assert clip.chosen.tolist() == [0, 3, 6, 9]
    np.testing.assert_allclose(
        clip.frame_times(np.arange(4))[1], [0.06, 0.12, 0.18, 0.2]
    )


def test_frames_that_are_missing_are_told(tmp_path):
    write_frames(tmp_path, 8)
    assert open_clip(tmp_path).notices == []
    for name in sorted(path.name for path in tmp_path.iterdir())[3:5]:
        (tmp_path / name).unlink()
    (notice,) = open_clip(tmp_path).notices
    assert notice.startswith('2 frames are missing by their numbers')
