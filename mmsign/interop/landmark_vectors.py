"""MediaPipe Holistic's landmarks as vectors, one a frame, in numpy's files.

Symbols: N frames, D numbers of one frame.

A frame's vector is the landmarks one after the other: of the body 33 × (x, y, z,
visibility), in the longer layout of the face 468 × (x, y, z), then of the left hand and
of the right 21 × (x, y, z) each, which makes D = 258 or 1662. x and y are shares of the
picture; z is not used. What was not found is zeros.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmsign.errors import DataError, explain

from .mediapipe_points import MEDIAPIPE_TABLE, checked_table

_BODY, _FACE = ('pose', 33, 4), ('face', 468, 3)
_HANDS = ('left_hand', 21, 3), ('right_hand', 21, 3)
VECTORS = {258: (_BODY, *_HANDS), 1662: (_BODY, _FACE, *_HANDS)}
"""D → the parts in order: name, landmarks, numbers of each."""


def vector_points(
    vectors: np.ndarray, table: Mapping[str, int] = MEDIAPIPE_TABLE
) -> np.ndarray:
    """Landmarks out of vectors, for ``mediapipe_points.placed``.

    Args:
        vectors: (N, D) numbers.
        table: Name of a landmark → index among the 133 points of COCO-WholeBody.

    Returns:
        (N, 133, 3) float64: x, y, and a score, which is the body's visibility and else
        1; NaN for what was not found, x and y of 0. What is not finite stays so.

    Raises:
        DataError: If D is none of ``VECTORS``.

    Examples:
        >>> vectors = np.zeros((1, 258))
        >>> vectors[0, :4] = 0.5, 0.25, -1, 0.9  # the nose
        >>> points = vector_points(vectors)
        >>> points[0, 0].tolist(), int(np.isfinite(points[0, :, 2]).sum())
        ([0.5, 0.25, 0.9], 1)
    """
    checked_table(table)
    points = np.full((len(vectors), 133, 3), np.nan)
    start = 0
    for part, count, size in VECTORS[checked_size(vectors)]:
        stop = start + count * size
        block = vectors[:, start:stop].reshape(-1, count, size).astype(np.float64)
        start = stop
        named = {index: table.get(f'{part}_{index}') for index in range(count)}
        for index, target in named.items():
            if target is not None:
                points[:, target, :2] = block[:, index, :2]
                points[:, target, 2] = block[:, index, 3] if size == 4 else 1.0
    points[(points[..., :2] == 0).all(axis=2)] = np.nan
    return points


def checked_size(vectors: np.ndarray) -> int:
    """D of (…, D) numbers.

    Raises:
        DataError: If it is none of ``VECTORS``, or these are no numbers.
    """
    is_known = vectors.ndim > 0 and vectors.shape[-1] in VECTORS
    if vectors.dtype.kind not in 'fiu' or not is_known:
        sizes = ' or '.join(map(str, VECTORS))
        raise DataError(
            f'an array of {vectors.dtype}, shape {vectors.shape}; expected numbers, '
            f'{sizes} a frame'
        )
    return vectors.shape[-1]


def read_array(path: str | Path) -> np.ndarray:
    """The array of a ``.npy`` file, mapped and not read.

    Raises:
        DataError: Naming it, if it is damaged or holds Python objects.
    """
    text = f'{path}: no array of numbers that can be read'
    # numpy lets through what its parsers of headers and archives raise. It does not
    # unpickle objects unless it is told to.
    with explain(DataError, text, Exception):
        array = np.load(path, mmap_mode='r')
    if not isinstance(array, np.ndarray):
        raise DataError(f'{text}: it is an archive of several, name it .npz')
    return array


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a ``.npz`` file, by name.

    Raises:
        DataError: Naming it, if it is damaged or holds Python objects.
    """
    text = f'{path}: no arrays of numbers that can be read'
    with explain(DataError, text, Exception), np.load(path) as archive:
        return {name: archive[name] for name in archive.files}
