"""What the clips of training have in common: their length, and hands that rest.

A network that was trained on sentences one by one has never seen what goes on around
one. The clips of many corpora begin and end with the hands at rest, and it comes to
rely on that: in the middle of a long video it does badly, however much it is shown.
So a long video is taken apart where the hands rest, as the corpus was; where they do
is measured on the training clips, which keypoints tell.

Symbols: N frames of a clip, R resting frames at an end of it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log

from mmsign.datasets.io.listing import video_of
from mmsign.datasets.io.videos import is_video, nominal_fps
from mmsign.datasets.transforms.load import at_corpus_rate, read_points
from mmsign.errors import ConfigError, explain
from mmsign.keypoints import ARMS, SHOULDERS
from mmsign.registry import DATASETS

from .clip_keypoints import PERSON_SCORE, body_scores

WRISTS = [wrist for _, _, wrist, _ in ARMS]
# Clips that are measured, spread over the training split.
_SAMPLE = 500


@dataclass(frozen=True)
class RestPose:
    """Where the wrists are when nothing is signed.

    Attributes:
        wrists: (2, 2) left and right, x and y from the shoulders' middle, in widths of
            the shoulders.
        radius: Both wrists rest if neither is further from there.
        frames: Resting frames that a clip begins and ends with: the upper quartile
            of R.
    """

    wrists: tuple[tuple[float, float], tuple[float, float]]
    radius: float
    frames: int

    def distances(self, keypoints: np.ndarray) -> np.ndarray:
        """How far the further wrist is from its place.

        Args:
            keypoints: (N, 79, 3).

        Returns:
            (N,) in widths of the shoulders. A wrist that was not found is left out;
            NaN if neither was, or a shoulder was not; 0 where nobody is.
        """
        apart = np.linalg.norm(_wrists(keypoints) - np.asarray(self.wrists), axis=2)
        found = keypoints[:, WRISTS, 2] >= PERSON_SCORE
        furthest = np.where(found, apart, -1.0).max(axis=1)
        shoulders = (keypoints[:, SHOULDERS, 2] >= PERSON_SCORE).all(axis=1)
        furthest[~(found.any(axis=1) & shoulders)] = np.nan
        furthest[body_scores(keypoints) < PERSON_SCORE] = 0.0
        return furthest

    def resting(self, keypoints: np.ndarray, before: bool = True) -> np.ndarray:
        """Whether the hands rest, (N,) bool; where that cannot be seen, as before.

        Args:
            keypoints: (N, 79, 3).
            before: Whether they rested before the first frame.
        """
        distances = self.distances(keypoints)
        seen = np.where(np.isnan(distances), 0, np.arange(1, len(distances) + 1))
        return np.append(before, distances <= self.radius)[np.maximum.accumulate(seen)]


@dataclass(frozen=True)
class ClipStatistics:
    """Of the clips that a network was trained on, in frames at the rate of training.

    Attributes:
        shortest, median, longest: Lengths.
        rest: How they begin and end; None if not in any way of their own.
    """

    shortest: int
    median: int
    longest: int
    rest: RestPose | None

    def to_dict(self) -> dict:
        """Numbers, lists and dicts only, as a bundle holds them."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, values: Mapping) -> 'ClipStatistics':
        """What ``to_dict`` wrote.

        Raises:
            ConfigError: If it is something else.
        """
        text = 'corpus.signing is not as expected'
        with explain(ConfigError, text, KeyError, TypeError, ValueError):
            rest = values['rest']
            if rest is not None:
                left, right = (tuple(map(float, place)) for place in rest['wrists'])
                radius, frames = float(rest['radius']), int(rest['frames'])
                rest = RestPose((left, right), radius, frames)
            lengths = (int(values[key]) for key in ('shortest', 'median', 'longest'))
            return cls(*lengths, rest)


def clip_statistics_of(clips: Iterable[np.ndarray]) -> ClipStatistics:
    """Measure clips.

    Args:
        clips: Keypoints (N, 79, 3) of each, at least one.
    """
    clips = list(clips)
    lengths = [len(clip) for clip in clips]
    median = int(np.median(lengths))
    return ClipStatistics(min(lengths), median, max(lengths), _rest_of(clips))


def measure_clip_statistics(cfg: Config) -> ClipStatistics | None:
    """Measure the training clips of a config, if they are at hand with keypoints."""
    dataset = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    while 'type' in dataset and 'dataset' in dataset:
        dataset = dataset['dataset']
    if not dataset.get('keypoint_file'):
        return None
    try:
        clips = DATASETS.build(dict(dataset) | dict(pipeline=[]))
        chosen = np.linspace(0, len(clips) - 1, min(len(clips), _SAMPLE))
        infos = [clips.get_data_info(int(index)) for index in chosen]
        keypoints = [_keypoints_of(info) for info in infos]
    except (OSError, ValueError) as error:
        what = 'long videos are read in windows of equal length, wherever hands rest'
        print_log(f'the training clips cannot be measured ({error}): {what}', 'current')
        return None
    return clip_statistics_of(keypoints) if keypoints else None


def _keypoints_of(info: dict) -> np.ndarray:
    """(N, 79, 3) as the network sees them; a video is taken at its word about its
    rate."""
    points, times = read_points(info, None), None
    path, fps = video_of(info['frames']), info.get('fps')
    if fps and is_video(os.path.basename(path)) and os.path.isfile(path):
        times = np.arange(len(points)) / nominal_fps(path, fps)
    chosen = at_corpus_rate(info, len(points), times)
    return (points if chosen is None else points[chosen])[:: info['step']]


def _wrists(keypoints: np.ndarray) -> np.ndarray:
    """Wrists (N, 2, 2) from the shoulders' middle, in widths of the shoulders."""
    shoulders = keypoints[:, SHOULDERS, :2].astype(float)
    width = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1)
    offsets = keypoints[:, WRISTS, :2].astype(float) - shoulders.mean(1, keepdims=True)
    return offsets / np.maximum(width, 1e-3)[:, None, None]


def _between(distances: np.ndarray, near: float) -> np.ndarray:
    """The middle half of what lies between the resting frames at a clip's ends.

    Args:
        distances: (N,) as of ``RestPose.distances``.
        near: Up to where hands rest; none are left of a clip in which they always do.
    """
    moving = np.flatnonzero(~(distances <= near))
    inner = distances[moving[0] : moving[-1] + 1] if len(moving) else distances[:0]
    return inner[len(inner) // 4 : -(len(inner) // 4) or None]


def _rest_of(clips: list[np.ndarray]) -> RestPose | None:
    """The pose in which clips begin and end, if it is rare within them."""
    ends = np.concatenate([clip[[0, -1]] for clip in clips])
    wrists = np.median(_wrists(ends), axis=0)
    left, right = (tuple(round(float(x), 4) for x in place) for place in wrists)
    pose = RestPose((left, right), 0.0, 0)
    apart = [pose.distances(clip) for clip in clips]
    at_ends = np.concatenate([x[[0, -1]] for x in apart])
    if np.isnan(at_ends).all():
        return None
    # Nine of ten ends, but one in a hundred of the frames between, or it says nothing.
    near = np.nanquantile(at_ends, 0.9)
    # Of signing that goes past some place now and then, what is further away is rare.
    if np.median([np.mean(~(x <= near)) for x in apart]) < 0.5:
        return None
    within = np.concatenate([_between(x, near) for x in apart])
    far = near if np.isnan(within).all() else np.nanquantile(within, 0.01)
    if not near < far:
        return None
    radius = round(float(near + far) / 2, 4)
    moving = [np.append(~(y <= radius), True) for x in apart for y in (x, x[::-1])]
    runs = [run for x in moving if (run := int(x.argmax()))]
    return RestPose((left, right), radius, int(np.quantile(runs, 0.75)))
