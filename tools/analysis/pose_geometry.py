"""Measure what the estimator's geometry does to known keypoints.

DATA holds one video and one keypoint file of MMPose's inferencer per clip (NAME.mp4,
NAME.mmpose.json). The known points of each frame go through the estimator's own crop
into its own heatmaps (or SimCC vectors), in place of what its network would say, and
come back through its own decoding. What is printed is their distance in pixels of
the frame from where they were: the error of everything but the network. Needs
MMPose; see docs/keypoints.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from mmsign.datasets import open_frames
from mmsign.engine.launch import reported_errors
from mmsign.errors import DataError
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.pose import ESTIMATORS, RANDOM_WEIGHTS, FullFrame, PoseEstimator


class KnownPoints(PoseEstimator):
    """An estimator whose network finds exactly the points it is told.

    Attributes:
        truth: (T, 133, 2) in pixels of the frames that come next.
    """

    def __init__(self, config: str, **kwargs) -> None:
        super().__init__(config, RANDOM_WEIGHTS, device='cpu', flip=False, **kwargs)
        self.truth: list[np.ndarray] = []
        self._crops: list[np.ndarray] = []
        self.inside: list[np.ndarray] = []
        self._transforms = self.pipeline.transforms
        self.pipeline = self._prepare
        self.model.extract_feat = lambda inputs: inputs
        self.model.head.forward = self._answer

    def _prepare(self, data: dict) -> dict:
        data = dict(
            data,
            keypoints=np.float32(self.truth.pop(0))[None],
            keypoints_visible=np.ones((1, self.metainfo['num_keypoints'])),
        )
        for step in self._transforms:
            if 'transformed_keypoints' in data:
                # The last step packs; what was cropped like the frame is lost there.
                self._crops.append(data['transformed_keypoints'])
            data = step(data)
        return data

    def _answer(self, frames: torch.Tensor):
        """Heatmaps, or a pair of SimCC vectors, with peaks at the cropped points."""
        codec = self.model.head.decoder
        visible = np.ones((1, self.metainfo['num_keypoints']), np.float32)
        answers = []
        for points in self._crops:
            encoded = codec.encode(points, visible)
            if 'heatmaps' in encoded:
                answers.append([encoded['heatmaps']])
            else:
                vectors = encoded['keypoint_x_labels'], encoded['keypoint_y_labels']
                answers.append([vector[0] for vector in vectors])
            # Peaks cut by the border of the input cannot be placed exactly.
            far = np.array(codec.input_size) - 13
            self.inside.append(((points[0] > 12) & (points[0] < far)).all(axis=1))
        self._crops = []
        batch = [torch.from_numpy(np.stack(a)).float() for a in zip(*answers)]
        return batch[0] if len(batch) == 1 else tuple(batch)


def errors(estimator: KnownPoints, frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances in pixels, of the points that lie inside the input.

    Args:
        estimator: To measure.
        frames: (T, H, W, 3) uint8 BGR.
        truth: (T, 133, 2) in pixels of the frame.

    Returns:
        (number of points,)
    """
    estimator.truth = list(truth)
    estimator.inside = []
    found = estimator(frames)
    distances = np.linalg.norm(found[..., :2] - truth, axis=-1)
    return distances[np.stack(estimator.inside)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, metavar='DATA')
    parser.add_argument(
        '--config', nargs='+', default=list(ESTIMATORS), help='as in extract_keypoints'
    )
    args = parser.parse_args()
    clips = sorted(args.data.glob('*.mp4'))
    if not clips:
        raise DataError(f'{args.data} holds no .mp4 file')
    for config in args.config:
        estimator = KnownPoints(config, boxes=FullFrame())
        for clip in clips:
            truth = read_mmpose_json(clip.with_suffix('.mmpose.json'))[..., :2]
            source = open_frames(str(clip))
            count = min(len(source), len(truth))
            frames = source.read(np.arange(count))
            distances = errors(estimator, frames, truth[:count])
            print(
                f'{config} {clip.stem}: {count} frames, {len(distances)} of '
                f'{count * truth.shape[1]} points inside, error in pixels: '
                f'mean {distances.mean():.5f}, largest {distances.max():.5f}',
                flush=True,
            )


if __name__ == '__main__':
    with reported_errors():
        main()
