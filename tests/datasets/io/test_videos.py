import cv2
import numpy as np
import pytest
from tiny_video import set_durations, write_video

from mmsign.datasets.io import videos
from mmsign.datasets.io.frame_sources import open_frames
from mmsign.datasets.io.videos import decode_video, scan_video
from mmsign.errors import FrameReadError


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> str:
    """Ten grey frames, each 20 brighter than the one before."""
    path = str(tmp_path_factory.mktemp('video') / 'clip.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 25, (32, 24))
    assert writer.isOpened()
    for index in range(10):
        writer.write(np.full((24, 32, 3), 20 * index, np.uint8))
    writer.release()
    return path


def test_names_as_every_opencv_takes_them(video, monkeypatch):
    """Before 4.12 it refuses bytes."""
    opened = []

    def capture(name, *options):
        opened.append(name)
        raise cv2.error('no such overload')

    monkeypatch.setattr(videos.cv2, 'VideoCapture', capture)
    with pytest.raises(FrameReadError, match=r'clip\.avi.*no such overload'):
        videos.nominal_fps(video, 25.0)
    assert opened == [video]


def test_frames_in_order(video):
    assert len(scan_video(video)[0].times) == 10
    means = [frame.mean() for frame in decode_video(video, [0, 3, 9])]
    np.testing.assert_allclose(means, [0, 60, 180], atol=4)
    source = open_frames(video)
    assert len(source) == 10 and source.frame_size == (32, 24)
    np.testing.assert_allclose(
        source.read([4, 4, 5]).mean((1, 2, 3)), [80, 80, 100], atol=4
    )


def test_a_short_video_is_decoded_once(video, monkeypatch):
    opened = []
    real = videos._open
    monkeypatch.setattr(videos, '_open', lambda p: opened.append(p) or real(p))
    monkeypatch.setattr(videos, '_INFOS', {})
    source = open_frames(video)
    assert source.frame_size == (32, 24) and source.read([1, 8]).shape[0] == 2
    assert len(source) == 10
    assert opened == [video]
    # Counted already: decoded as far as asked for, and nothing kept.
    again = open_frames(video)
    assert again._kept is None
    np.testing.assert_array_equal(again.read([1, 8]), source.read([1, 8]))


def test_a_long_video_is_not_kept(video, monkeypatch):
    monkeypatch.setattr(videos, '_INFOS', {})
    monkeypatch.setattr(videos, '_KEPT_BYTES', 5 * 32 * 24 * 3)
    source = open_frames(video)
    assert source._kept is None and len(source) == 10
    np.testing.assert_allclose(source.read([4]).mean(), 80, atol=4)


def test_fewer_frames_than_asked_for(video):
    with pytest.raises(FrameReadError, match=r'clip\.avi.*frame 12'):
        list(decode_video(video, [9, 12]))


def test_no_video(tmp_path):
    path = tmp_path / 'a.mp4'
    with pytest.raises(FrameReadError, match=r'a\.mp4'):
        scan_video(str(path))
    path.write_bytes(b'nonsense' * 100)
    with pytest.raises(FrameReadError, match=r'a\.mp4'):
        scan_video(str(path))


def test_a_truncated_video_is_as_long_as_what_decodes(tmp_path):
    whole, cut = tmp_path / 'whole.avi', tmp_path / 'cut.avi'
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*'MJPG'), 25, (96, 96))
    rng = np.random.default_rng(0)
    for _ in range(20):
        writer.write(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))
    writer.release()
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    count = len(scan_video(str(cut))[0].times)
    assert 'damaged' in scan_video(str(cut))[0].damage
    assert 0 < count < 20
    assert len(list(decode_video(str(cut), range(count)))) == count


def test_times_as_the_container_has_them(tmp_path):
    path = tmp_path / 'even.mp4'
    write_video(path, 6, fps=12.5)
    info = scan_video(str(path))[0]
    np.testing.assert_allclose(info.times, np.arange(6) * 0.08, atol=1e-6)
    assert not info.time_notices and not info.damage
    set_durations(path, [1, 1, 3, 1, 1, 1])
    times = scan_video(str(path))[0].times
    np.testing.assert_allclose(times, [0, 0.08, 0.16, 0.4, 0.48, 0.56], atol=1e-6)


def test_clips_in_order_go_on_where_the_last_one_ended(video, monkeypatch):
    opened = []
    real = videos._open
    monkeypatch.setattr(videos, '_open', lambda p: opened.append(p) or real(p))
    monkeypatch.setattr(videos, '_LEFT_OPEN', {})

    def means(*indices: int) -> list[int]:
        return [round(f.mean() / 20) for f in decode_video(video, indices, go_on=True)]

    assert means(0, 2) == [0, 2] and means(3) == [3] and means(6, 9) == [6, 9]
    assert len(opened) == 1
    # Earlier ones, or the same again, begin anew; so does another process.
    assert means(9) == [9] and means(1, 4) == [1, 4] and len(opened) == 3
    # Who stops in between goes on from there.
    frames = decode_video(video, [5, 6, 7], go_on=True)
    next(frames)
    frames.close()
    assert means(6) == [6] and len(opened) == 3
    monkeypatch.setattr(videos.os, 'getpid', lambda: -1)
    assert means(7) == [7] and len(opened) == 4
    with pytest.raises(FrameReadError, match='ends after 10 frames'):
        means(8, 12)
    assert means(8) == [8]
    assert len(videos._LEFT_OPEN) == 1
