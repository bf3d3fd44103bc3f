"""What needs no MMPose: which boxes the network is given."""

from __future__ import annotations

import numpy as np
import pytest

from mmsign.pose import FixedBox, PoseEstimator

FRAMES = [np.full((30, 40, 3), number, np.uint8) for number in range(5)]


@pytest.fixture
def estimator(monkeypatch):
    """Its keypoints are the box that the network was given."""

    def build(boxes, batch_size=2):
        estimator = PoseEstimator.__new__(PoseEstimator)
        estimator.boxes, estimator.batch_size = boxes, batch_size
        return estimator

    def estimate(self, frames, boxes):
        points = np.zeros((len(frames), 133, 3), np.float32)
        points[:, 0, 0] = [frame[0, 0, 0] for frame in frames]
        points[:, 1:3, :2] = boxes.reshape(-1, 2, 2)
        return points

    monkeypatch.setattr(PoseEstimator, 'estimate', estimate)
    return build


def boxes_of(points: np.ndarray) -> np.ndarray:
    assert points[:, 0, 0].tolist() == list(range(5))
    return points[:, 1:3, :2].reshape(-1, 4)


class Follower:
    """Boxes of a clip as a whole; counts the frames that it is given."""

    whole_clip = True

    def __init__(self, boxes):
        self.boxes, self.seen = np.float32(boxes), []

    def __call__(self, frames):
        self.seen.append(len(list(frames)))
        return self.boxes


@pytest.mark.parametrize('given', [FRAMES, tuple(FRAMES), iter(FRAMES)])
def test_boxes_of_the_clip_as_a_whole(estimator, given):
    boxes = Follower([(i, i, i + 10, i + 20) for i in range(5)])
    np.testing.assert_array_equal(boxes_of(estimator(boxes)(given)), boxes.boxes)
    assert boxes.seen == [5]


def test_a_clip_without_anybody_takes_the_whole_frame(estimator):
    found = boxes_of(estimator(Follower([[np.nan] * 4] * 5))(FRAMES))
    np.testing.assert_array_equal(found, [(0, 0, 40, 30)] * 5)


def test_boxes_of_successive_frames_are_held(estimator):
    def boxes(frames):
        found = np.full((len(frames), 4), np.nan, np.float32)
        for row, frame in zip(found, frames):
            if frame[0, 0, 0] in (1, 4):
                row[:] = frame[0, 0, 0]
        return found

    expected = [[1] * 4] * 4 + [[4] * 4]
    np.testing.assert_array_equal(boxes_of(estimator(boxes)(FRAMES)), expected)
    fixed = boxes_of(estimator(FixedBox(1, 2, 3, 4))(iter(FRAMES)))
    np.testing.assert_array_equal(fixed, [(1, 2, 4, 6)] * 5)
