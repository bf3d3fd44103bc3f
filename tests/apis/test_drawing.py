from __future__ import annotations

import cv2
import numpy as np
import pytest
from tiny_network import keypoints_of, write_network

from mmsign.apis import ClipResult, OutputResult, SignInferencer
from mmsign.apis.clips import open_clip
from mmsign.apis.drawing import write_annotated_video, write_picture
from mmsign.apis.inferencer import ClipJob
from mmsign.datasets import open_frames
from mmsign.errors import ClipError
from mmsign.structures import TimedGloss

COLOUR = (200, 100, 50)
# Pixels of the picture's two rows of 14 frames.
ROWS = 0.97 * 1450 * 2 * 1450 / 14


def plain(count: int) -> np.ndarray:
    """Frames of one colour."""
    return np.full((count, 48, 64, 3), COLOUR, np.uint8)


def recognized(inferencer: SignInferencer, frames, keypoints=None):
    job = inferencer.preprocess(frames, keypoints)
    inferencer.forward([job])
    return job, inferencer.postprocess(job)


def picture(path, inferencer, *given) -> np.ndarray:
    write_picture(path, inferencer.network, *recognized(inferencer, *given))
    return cv2.imread(str(path))


def share(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    """Of the two rows of frames that has a colour exactly."""
    return (image == colour).all(-1).sum() / ROWS


# A picture ------------------------------------------------------------------------


def test_frames_with_skeleton_and_with_heatmaps(inferencer, tmp_path):
    path = tmp_path / 'new' / 'a.png'
    image = picture(path, inferencer, plain(24), keypoints_of(24))
    assert image.shape[1] == 1600
    assert 0.2 < share(image, COLOUR) < 0.9
    # Below the frames the curves of four outputs.
    assert len(image) > 207 + 4 * 90


def test_a_network_of_video_alone_shows_frames_alone(tmp_path):
    own = SignInferencer(*write_network(tmp_path, ['video']), device='cpu')
    image = picture(tmp_path / 'a.png', own, plain(24))
    assert share(image, COLOUR) == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
def test_a_network_of_keypoints_alone_shows_them_on_black(tmp_path):
    own = SignInferencer(*write_network(tmp_path, ['keypoint']), device='cpu')
    image = picture(tmp_path / 'a.png', own, plain(24), keypoints_of(24))
    assert share(image, COLOUR) == 0 and share(image, (0, 0, 0)) > 0.2


def test_where_nobody_is_there_is_no_picture(inferencer, tmp_path):
    found = recognized(inferencer, plain(8), keypoints_of(8, 0.1))
    with pytest.raises(ClipError, match='clip-0.*no person found'):
        write_picture(tmp_path / 'a.png', inferencer.network, *found)
    assert not list(tmp_path.iterdir())


def test_a_long_clip_shows_its_pieces(inferencer, tmp_path):
    """Frames of all of it, and where windows took over; in rows, as it is long."""
    frames = plain(150)
    frames[75:] = COLOUR[::-1]  # the second half
    job, result = recognized(inferencer, frames, keypoints_of(150))
    # Windows of 64 frames, one every 32: these are where one follows another.
    edges = [0, 48, 80, 112, 150]
    np.testing.assert_allclose(job.pieces, [*zip(edges, edges[1:])] / np.float64(25))
    assert job.is_long and job.prepared is None
    write_picture(tmp_path / 'a.png', inferencer.network, job, result)
    image = cv2.imread(str(tmp_path / 'a.png'))
    assert share(image, COLOUR) > 0.1 and share(image, COLOUR[::-1]) > 0.1
    job.pieces = []
    write_picture(tmp_path / 'b.png', inferencer.network, job, result)
    without = cv2.imread(str(tmp_path / 'b.png'))
    assert len(without) < len(image)
    assert (without[: len(without) - 100] == image[: len(without) - 100]).all()


# A video --------------------------------------------------------------------------


def annotated(path, inferencer, frames, glosses=(), keypoints=None, fps=25.0):
    clip = open_clip(frames, fps=fps)
    clip.resample(25.0)
    result = ClipResult('a', outputs=dict(average=OutputResult(glosses)))
    job = ClipJob(clip, keypoints)
    write_annotated_video(path, inferencer.network, job, result)
    return open_frames(str(path))


@pytest.mark.parametrize(
    ('size', 'shown'),
    [
        ((64, 48), (320, 240 + 38)),  # small frames are enlarged
        ((400, 200), (400, 200 + 32)),
        ((331, 101), (330, 100 + 16)),  # encoders ask for even sides
    ],
)
def test_the_frames_over_a_bar(inferencer, tmp_path, size, shown):
    frames = np.full((3, *size[::-1], 3), 90, np.uint8)
    video = annotated(tmp_path / 'new' / 'a.mp4', inferencer, frames)
    assert len(video) == 3 and video.frame_size == shown
    bar = shown[1] * 4 // 29 // 2 * 2  # 0.16 of the frame's height
    image = video.read([1])[0].astype(int)
    assert abs(image[: -bar - 8] - 90).max() < 12 and image[-bar + 8 :].max() < 12


def test_glosses_appear_when_they_begin_and_fade_when_they_end(inferencer, tmp_path):
    glosses = (TimedGloss('RAIN', 0.2, 0.2, 0.9),)
    video = annotated(tmp_path / 'a.mp4', inferencer, plain(15), glosses)
    brightest = video.read(range(15))[:, 250:].max((1, 2, 3))
    assert brightest[:5].max() < 40
    assert brightest[5:10].min() > 210
    assert brightest[10:].min() > 110 and brightest[10:].max() < 190


def test_frames_at_the_rate_of_training_with_their_skeleton(inferencer, tmp_path):
    pose = np.zeros((4, 79, 3), np.float32)
    # Everybody's points in the middle of the frame's left half; scores of a find.
    pose[:] = (15.5, 23.5, 1.0)
    video = annotated(
        tmp_path / 'a.mp4', inferencer, plain(8) // 8, keypoints=pose, fps=50.0
    )
    assert len(video) == 4
    image = video.read([3])[0, :240].astype(int)
    rows, columns = np.nonzero(image.max(-1) > 120)
    # Of 320×240 pixels, five for one.
    assert abs(rows.mean() - 119.5) < 1.5 and abs(columns.mean() - 79.5) < 1.5


def test_where_nothing_can_be_written(inferencer, tmp_path):
    (tmp_path / 'a.mp4').mkdir()
    with pytest.raises(OSError, match=r'a\.mp4'):
        annotated(tmp_path / 'a.mp4', inferencer, plain(2))
