"""Decode one image from memory, or say what is wrong with it."""

from __future__ import annotations

import cv2
import numpy as np

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


class FrameReadError(RuntimeError):
    """A clip's frames cannot be found or decoded; the message names the file."""


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Decode a PNG or JPEG image.

    Args:
        data: The file's content.
        name: Of the file, for the error.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: If the image is truncated or corrupt.
    """
    image = None
    if _is_complete(data):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise FrameReadError(
            f'{name}: a truncated or corrupt image ({len(data)} bytes); '
            'restore the file from the corpus'
        )
    return image


def _is_complete(data: bytes) -> bool:
    """Whether the end of the image is there.

    Some versions of OpenCV return the upper part of a truncated image and fill up
    the rest, without an error. The end may be followed by padding.
    """
    if data.startswith(b'\x89PNG'):
        return b'IEND\xaeB`\x82' in data[-1024:]
    if data.startswith(b'\xff\xd8'):
        return b'\xff\xd9' in data[-1024:]
    return False
