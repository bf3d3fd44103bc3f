"""Decode one image from memory, or say what is wrong with it.

PNG images are decoded by kornia-rs where it is installed, in less than half the
time that OpenCV takes; what it does not decode (other kinds of PNG, damaged files)
goes to OpenCV, as does everything where it is missing. Both give the same pixels.
JPEG images go to OpenCV, which uses libjpeg-turbo itself.
"""

import re
import struct
from contextlib import suppress
from io import BytesIO

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from mmsign.errors import FrameReadError

try:
    from kornia_rs.io import decode_image_png_u8 as _decode_png
except ImportError:  # no wheel for this platform, or a version without it
    _decode_png = None

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.tif', '.tiff', '.jp2')
# What every PNG image begins with, up to its width, height, depth and kind.
_PNG_START = struct.Struct('>16s2I5B')
_PNG_MAGIC = b'\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR'
_TRUE_COLOUR = (8, 2, 0, 0, 0)  # bits, RGB, deflate, usual filters, not interlaced
# Larger images, if there are any, are left to OpenCV, which limits their size.
_LARGEST_SIDE = 1 << 14
_SOURCE_COMMENT = b'mmsign source '


def is_image(name: str) -> bool:
    """Whether a file's name is that of a frame; hidden files are none.

    macOS leaves a hidden ``._NAME.png`` beside ``NAME.png`` on disks of other
    systems and in archives.
    """
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith('.')


def png_decoder() -> str:
    """Which library decodes PNG images here: ``kornia-rs`` or ``OpenCV``."""
    return 'OpenCV' if _decode_png is None else 'kornia-rs'


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Decode an image by its content, whatever the file is called.

    Args:
        data: The file's content.
        name: Of the file, for the error.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: If the image is truncated or corrupt.
    """
    whole = _is_complete(data)
    image = _fast_png(data) if whole else None
    if whole and image is None:
        # An image too large for OpenCV is an error, a damaged one is None.
        with suppress(cv2.error):
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        size = f'{len(data)} bytes'
        raise FrameReadError(f'{name}: truncated or corrupt ({size}); restore it')
    return image


def image_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels that the head of an image states.

    Args:
        data: The beginning of a PNG or JPEG file, or all of it.

    Returns:
        None if the head does not say, or may say that the picture is to be turned
        (EXIF): then the image has to be decoded.
    """
    if png := _true_colour_size(data):
        return png
    refused = OSError, ValueError, Image.DecompressionBombError
    with suppress(*refused), Image.open(BytesIO(data), formats=['PNG', 'JPEG']) as head:
        return None if 'exif' in head.info else head.size
    return None


def resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(T, H, W, 3) uint8 → the same of (height, width) pixels: antialiased bilinear."""
    # A channels-last view: torch has a fast path for uint8 images like this.
    images = torch.from_numpy(frames).permute(0, 3, 1, 2)
    images = F.interpolate(images, size=size, mode='bilinear', antialias=True)
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())


def with_source_size(jpeg: bytes, size: tuple[int, int]) -> bytes:
    """A JPEG image with a comment that says from how large a picture it was made."""
    comment = b'%s%dx%d' % (_SOURCE_COMMENT, *size)
    return (
        b'\xff\xd8\xff\xfe' + struct.pack('>H', len(comment) + 2) + comment + jpeg[2:]
    )


def source_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels of the picture an image was made from.

    Returns:
        None if the image was not shrunk by us, see ``with_source_size``.
    """
    if data[2:4] != b'\xff\xfe' or not data[6:].startswith(_SOURCE_COMMENT):
        return None
    length = int.from_bytes(data[4:6], 'big')
    stated = data[6 + len(_SOURCE_COMMENT) : 4 + length]
    found = re.fullmatch(rb'([1-9]\d{0,5})x([1-9]\d{0,5})', stated)
    return None if found is None else (int(found[1]), int(found[2]))


def _true_colour_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels of the common kind of PNG image; None of all others."""
    # A picture that says that it lies on its side is to be turned, which OpenCV does.
    if len(data) < _PNG_START.size or b'eXIf' in data:
        return None
    magic, width, height, *kind = _PNG_START.unpack_from(data)
    if magic != _PNG_MAGIC or tuple(kind) != _TRUE_COLOUR:
        return None
    usual = 0 < min(width, height) <= max(width, height) <= _LARGEST_SIDE
    return (width, height) if usual else None


def _fast_png(data: bytes) -> np.ndarray | None:
    """Decode the common kind of PNG image; None for all others."""
    size = None if _decode_png is None else _true_colour_size(data)
    if size is None:
        return None
    try:
        image = _decode_png(data, size[::-1], 'rgb')
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a panic in Rust is no Exception
        return None
    # In place: the memory is the decoder's result and nobody else's.
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR, dst=image)


def _is_complete(data: bytes) -> bool:
    """Whether the end of a PNG or JPEG image is there.

    Some versions of OpenCV return the upper part of a truncated one and fill up the
    rest, without an error. The end may be followed by padding.
    """
    if data.startswith(b'\x89PNG'):
        return b'IEND\xaeB`\x82' in data[-1024:]
    if data.startswith(b'\xff\xd8'):
        return b'\xff\xd9' in data[-1024:]
    return bool(data)
