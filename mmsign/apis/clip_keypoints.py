"""Keypoints of a clip, from whatever the user has.

Symbols: N frames of the source, K keypoints of a layout.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from mmsign.datasets.clip_names import clip_name
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.errors import ClipError, DataError, explain
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.interop.pose_files import POSE_SUFFIX
from mmsign.keypoints import LAYOUT_SIZES, channels_of, foreign, misplaced, select_79

from .clips import Clip, shown_name
from .skeletons import NATIVE, open_skeleton, split_named

UPPER_BODY = channels_of('upper_body')
PERSON_SCORE = 0.3
"""A frame shows a person if the upper body's mean score is at least this."""
PERSON_SHARE = 0.1
"""A clip shows a person if at least this share of its frames does."""

Estimator = Callable[[Iterable[np.ndarray]], np.ndarray]
File = str | os.PathLike
Keypoints = File | np.ndarray


def read_keypoints(
    given: Keypoints, clip: Clip, face: str = 'twostream', trained: Sequence[str] = ()
) -> np.ndarray:
    """Keypoints of every frame of a clip.

    Args:
        given: An array (N, K, 3) of x, y in pixels of the frame and a score, K being
            133 (COCO-WholeBody) or the 79 that the network sees; or a file: mmsign's
            own (``.safetensors``), in which the clip is looked up by the end of its
            path (see ``mmsign.datasets.clip_names``) unless the file has one clip only;
            ``FILE.safetensors@CLIP`` names the clip; ``.pose`` (see ``pose_files``);
            or the JSON of MMPose's inferencer.
        clip: The clip they belong to; its notices say what is odd.
        face: Whose points of the face the network sees, see ``keypoints.FACES``.
        trained: What made the keypoints of the network's training, if it is known.

    Returns:
        (N, 79, 3) float32.

    Raises:
        ClipError: If they have another shape, another number of frames, or values
            that are not finite.
        FileNotFoundError, DataError, ValueError: If the file is not what
            it should be; it is named.
    """
    if not isinstance(given, Keypoints):
        why = f'keypoints must be a file or an array, not {type(given).__name__}'
        raise ClipError(f'{clip.name}: {why}')
    is_array = isinstance(given, np.ndarray)
    where = 'the array of keypoints' if is_array else os.fspath(given)
    points = given if is_array else _read_file(where, clip, face, trained)
    points = selected(np.asarray(points, np.float32), where, clip.name, face)
    if len(points) != len(clip.source):
        raise ClipError(
            f'{clip.name}: {len(clip.source)} frames, but {len(points)} frames of '
            f'keypoints in {where}; extract them from these very frames'
        )
    if notice := misplaced(points, clip.source.source_size):
        clip.notices.append(notice)
    return points


def keypoints_of_each(
    clips: Sequence, keypoints: Keypoints | Sequence[Keypoints | None] | None
) -> list[Keypoints | None]:
    """Keypoints for each of several clips, as ``read_keypoints`` takes them.

    Args:
        clips: Paths or arrays.
        keypoints: One for each clip; or one file that holds them all by name, or None.

    Returns:
        ``FILE.safetensors@CLIP`` in place of a file that several clips share.

    Raises:
        ClipError: If there are fewer or more than clips, or one clip's would be given
            to two.
    """
    if keypoints is None or isinstance(keypoints, File):
        keypoints = [keypoints] * len(clips)
    if len(keypoints) != len(clips):
        raise ClipError(
            f'{len(clips)} clips, but keypoints of {len(keypoints)}: give one for '
            'each, or one .safetensors file that holds them all by name'
        )
    users, owners = defaultdict(set), {}
    names = [
        shown_name(clip, n) if isinstance(clip, np.ndarray) else os.path.abspath(clip)
        for n, clip in enumerate(clips)
    ]
    paths = [os.path.realpath(x) if isinstance(x, File) else None for x in keypoints]
    for name, path in zip(names, paths):
        users[path].add(name)
    named = list(keypoints)
    for number, (name, given, path) in enumerate(zip(names, keypoints, paths)):
        if path is None or len(users[path]) == 1:
            continue
        if not path.lower().endswith('.safetensors'):
            both = ' and '.join(sorted(users[path])[:2])
            raise ClipError(
                f'{given} has keypoints of one clip, but is given for {both}: give '
                'each its own, or one .safetensors file with all by name'
            )
        found = KeypointFile.open(path).find(name)
        if found is not None and owners.setdefault((path, found), name) != name:
            raise ClipError(
                f'{name}: {given} has {found!r}, taken by {owners[path, found]}; name '
                'its clips by their folders too, or give a file for each'
            )
        named[number] = f'{given}@{found or clip_name(name)}'
    return named


def _read_file(path: str, clip: Clip, face: str, trained: Sequence[str]) -> np.ndarray:
    path, name = split_named(path)
    suffix = Path(path).suffix.lower()
    if suffix not in ('.json', NATIVE, POSE_SUFFIX):
        raise ClipError(
            f'{clip.name}: {path} is neither {NATIVE} nor {POSE_SUFFIX} nor .json '
            '(MMPose)'
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f'{clip.name}: no keypoint file {path}')
    if suffix == '.json':
        return read_mmpose_json(path, len(clip.source), clip.notices.append)
    if suffix == POSE_SUFFIX:
        found = open_skeleton(path, clip.notices.append)
        if found.frame_size != clip.source.source_size:
            sizes = (clip.source.source_size, found.frame_size)
            seen, stated = ('×'.join(map(str, size)) for size in sizes)
            raise ClipError(f'{clip.name}: frames of {seen} pixels, {stated} in {path}')
        clip.notices += filter(None, [foreign(found.estimator, trained)])
        with explain(DataError, f'{clip.name}: {path}', DataError):
            return select_79(found.points, 'mmsign_79', face)
    file = KeypointFile.open(path)
    name = name or file.find(clip.name)
    if name is None and len(file.clip_ids) == 1:
        (name,) = file.clip_ids
        if path != clip.own_keypoints:
            clip.notices.append(
                f'{path} has keypoints of {name!r} alone: they are taken'
            )
    points = file.read(name or clip_name(clip.name))
    file.check_size(clip.source.source_size, clip.name)
    if notice := foreign(file.estimator, trained):
        clip.notices.append(notice)
    with explain(DataError, f'{clip.name}: {path}', DataError):
        return select_79(points, file.layout, face)


def selected(
    points: np.ndarray, where: str, name: str, face: str = 'twostream'
) -> np.ndarray:
    """The 79 of (N, K, 3) keypoints.

    Args:
        points: In a known layout.
        where, name: Of the keypoints and of the clip, for errors.
        face: See ``keypoints.FACES``.

    Raises:
        ClipError: If the layout is unknown or a value is not finite.
    """
    sizes = sorted(LAYOUT_SIZES.values())
    if points.ndim != 3 or points.shape[1:] not in [(size, 3) for size in sizes]:
        raise ClipError(
            f'{name}: keypoints of shape {points.shape} in {where}; expected (frames, '
            f'{" or ".join(map(str, sizes))}, 3): x, y in pixels and a score'
        )
    points = select_79(points, face=face)
    if not np.isfinite(points).all():
        frame, point = np.argwhere(~np.isfinite(points))[0][:2]
        raise ClipError(
            f'{name}: keypoint {point} of frame {frame} is not finite in {where}; '
            'give such points a position and score 0'
        )
    return points


def estimate_keypoints(
    estimator: Estimator, clip: Clip, indices: np.ndarray, face: str = 'twostream'
) -> np.ndarray:
    """Have an estimator look at chosen frames.

    Args:
        estimator: Frames in order, each (H, W, 3) uint8 BGR → (n, 133, 3); such as
            ``mmsign.pose.PoseEstimator``. It gets a generator.
        clip: The clip.
        indices: (M,) source frames, not falling; each distinct one is looked at
            once.
        face: See ``keypoints.FACES``.

    Returns:
        (M, 79, 3) float32.

    Raises:
        ClipError: If the estimator returns another shape.
    """
    distinct, inverse = np.unique(indices, return_inverse=True)
    points = np.asarray(estimator(clip.source.stream(distinct)), np.float32)
    if len(points) != len(distinct):
        found = f'keypoints of {len(points)} frames for {len(distinct)}'
        raise ClipError(f'{clip.name}: the estimator returned {found}')
    return selected(points, 'the estimator', clip.name, face)[inverse]


def person_share(keypoints: np.ndarray, channels: Sequence[int] = UPPER_BODY) -> float:
    """Share of the frames (T, 79, 3) in which a person was found; see
    ``body_scores``."""
    return float((body_scores(keypoints, channels) >= PERSON_SCORE).mean())


def body_scores(
    keypoints: np.ndarray, channels: Sequence[int] = UPPER_BODY
) -> np.ndarray:
    """Mean score (T,) of the upper body, or other channels, in frames (T, 79, 3)."""
    return keypoints[:, channels, 2].mean(axis=1)
