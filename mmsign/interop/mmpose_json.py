"""Keypoints as MMPose's inferencer writes them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmsign.errors import DataError, explain
from mmsign.files import read_json
from mmsign.notices import warn
from mmsign.tracking import follow_person

# Of the frames: so many may lack an entry, as at the end of a clip, unnoticed.
_FEW = 0.1


def highest_frame(entries: int) -> int:
    """The number of a frame that a file of few entries can have; beyond is a mistake.

    An hour, and more where more is listed: one wrong digit shall not fill the memory.
    """
    return 100_000 + 100 * entries


def read_mmpose_json(
    path: str | Path, length: int | None = None, notify: Callable[[str], Any] = warn
) -> np.ndarray:
    """Read the JSON that MMPose's inferencer writes for one video.

    The file is a list with one entry per frame (its demo writes such a list under the
    key ``instance_info``), each with ``instances`` that hold ``keypoints`` (K pairs
    x, y in pixels) and ``keypoint_scores`` (K). An entry belongs to the frame that its
    ``frame_id`` says, counted from 0 or from 1; entries without one are in order. Of
    several persons one is followed through the clip, see ``follow_person``. A frame
    without that person, or without an entry, has zeros with score 0.

    Args:
        path: Of the file.
        length: Frames of the clip; None takes those up to the last entry.
        notify: Is told if several persons are seen, or many frames have no entry.

    Returns:
        (N, K, 3) float32: x and y in pixels, score.

    Raises:
        DataError: Naming the file and the frame, if it is laid out otherwise, holds
            no person in any frame, two entries for one frame, or a frame beyond the
            end of the clip.

    Examples:
        >>> import json
        >>> person = dict(keypoints=[[12.5, 80.0]], keypoint_scores=[0.9])
        >>> entries = [dict(frame_id=number, instances=[person]) for number in (0, 2)]
        >>> _ = Path('clip.json').write_text(json.dumps(entries))
        >>> read_mmpose_json('clip.json')[:, 0, 2].tolist()
        [0.8999999761581421, 0.0, 0.8999999761581421]
    """
    entries = read_json(path)
    if isinstance(entries, dict):
        entries = entries.get('instance_info')
    if not isinstance(entries, list) or not entries:
        raise DataError(f'{path}: expected a list with one entry per frame')
    persons: list[list[np.ndarray]] = []
    for index, entry in enumerate(entries):
        text = f'{path}: entry {index} is not laid out as MMPose writes it'
        with explain(DataError, text, KeyError, TypeError, ValueError, OverflowError):
            persons.append([_pose(person) for person in entry['instances']])
    shapes = {pose.shape for poses in persons for pose in poses}
    if len(shapes) != 1:
        found = f'keypoints of {sorted(shapes)}' if shapes else 'no person in any frame'
        raise DataError(f'{path}: expected one number of keypoints, found {found}')
    numbers = _frame_numbers(entries, length, path)
    poses_of = dict(zip(numbers, persons))
    count = max(numbers) + 1 if length is None else length
    if (lacking := count - len(poses_of)) > _FEW * count:
        notify(f'{path}: no entry for {lacking} of {count} frames, which have score 0')
    frames = [poses_of.get(number, []) for number in range(count)]
    followed = follow_person(
        [np.array([_box(pose) for pose in poses]) for poses in frames],
        [np.array([pose[:, 2].mean() for pose in poses]) for poses in frames],
        lambda text: notify(f'{path}: {text}'),
    )
    result = np.zeros((len(frames), *shapes.pop()), np.float32)
    for number in np.flatnonzero(followed >= 0):
        result[number] = frames[number][followed[number]]
    return result


def _frame_numbers(
    entries: Sequence[dict], length: int | None, path: str | Path
) -> Sequence[int]:
    """The frame of each entry, from 0."""
    ids = [entry.get('frame_id') for entry in entries]
    if ids.count(None) == len(ids):
        if length not in (None, len(ids)):
            raise DataError(f'{path}: {len(ids)} entries, the clip has {length} frames')
        return range(len(ids))
    entry_of: dict[int, int] = {}
    for index, number in enumerate(ids):
        if type(number) is not int or not 0 <= number <= highest_frame(len(ids)):
            raise DataError(f'{path}: entry {index}: frame_id {number!r} is no frame')
        if entry_of.setdefault(number, index) != index:
            raise DataError(f'{path}: entry {index} has frame_id {number} once more')
    # From 1, unless frame 0 is there or there would be one frame too few.
    last = max(ids)
    first = int(0 not in entry_of and (1 in entry_of or last == length))
    if length is not None and last - first >= length:
        raise DataError(f'{path}: frame_id {last}, but the clip has {length} frames')
    return [number - first for number in ids]


def _pose(person: Any) -> np.ndarray:
    """(K, 3) float32 of one person."""
    points = np.asarray(person['keypoints'], dtype=np.float64)
    scores = np.asarray(person['keypoint_scores'], dtype=np.float64)
    if points.shape != (*scores.shape, 2) or scores.ndim != 1 or not scores.size:
        raise DataError(f'{points.shape} keypoints and {scores.shape} scores')
    pose = np.column_stack([points, scores])
    if not np.isfinite(pose).all() or np.abs(pose).max() > np.finfo(np.float32).max:
        raise DataError('a keypoint is not finite')
    return pose.astype(np.float32)


def _box(pose: np.ndarray) -> np.ndarray:
    """Around the better half of a person's points: (x0, y0, x1, y1)."""
    better = pose[pose[:, 2] >= np.median(pose[:, 2]), :2]
    return np.concatenate([better.min(axis=0), better.max(axis=0)])
