import struct
import sys
import zlib
from contextlib import suppress
from importlib import import_module

import cv2
import numpy as np
import pytest

from mmsign.datasets.io import images
from mmsign.datasets.io.images import decode_image, image_size
from mmsign.errors import FrameReadError

IMAGE = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)


@pytest.fixture(params=['kornia-rs', 'OpenCV'])
def decoder(request, monkeypatch):
    """Run a test with either library."""
    if request.param == 'OpenCV':
        monkeypatch.setattr(images, '_decode_png', None)
    elif images.png_decoder() != request.param:
        pytest.skip('kornia-rs is not installed')
    assert images.png_decoder() == request.param


def encode(suffix: str, image: np.ndarray = IMAGE) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.mark.usefixtures('decoder')
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_whole_and_truncated_images(suffix):
    data = encode(suffix)
    decoded = decode_image(data, 'x')
    assert decoded.shape == IMAGE.shape and decoded.dtype == np.uint8
    assert decoded.flags.writeable and decoded.flags.c_contiguous
    if suffix == '.png':
        np.testing.assert_array_equal(decoded, IMAGE)
    for broken in (data[: len(data) // 2], b'', b'nonsense'):
        with pytest.raises(FrameReadError, match=r'frame\.png'):
            decode_image(broken, 'frame.png')


@pytest.mark.usefixtures('decoder')
def test_other_kinds_of_png():
    grey = decode_image(encode('.png', IMAGE[..., 0]), 'x')
    np.testing.assert_array_equal(grey, np.repeat(IMAGE[..., :1], 3, 2))
    alpha = np.dstack([IMAGE, np.full((12, 10, 1), 128, np.uint8)])
    np.testing.assert_array_equal(decode_image(encode('.png', alpha), 'x'), IMAGE)
    deep = decode_image(encode('.png', IMAGE.astype(np.uint16) << 8), 'x')
    np.testing.assert_allclose(deep, IMAGE, atol=1)


@pytest.mark.usefixtures('decoder')
def test_a_png_that_lies_about_its_size():
    head = b'IHDR' + struct.pack('>2I5B', 40_000, 40_000, 8, 2, 0, 0, 0)
    data = bytearray(encode('.png'))
    data[12:33] = head + struct.pack('>I', zlib.crc32(head))
    with pytest.raises(FrameReadError, match='x: '):
        decode_image(bytes(data), 'x')


def test_damaged_pixels_are_never_a_crash():
    rng = np.random.default_rng(0)
    whole = encode('.png', rng.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    for _ in range(200):
        data = bytearray(whole)
        data[rng.integers(8, len(data))] ^= 1 << rng.integers(8)
        with suppress(FrameReadError):
            assert decode_image(bytes(data), 'x').ndim == 3


def test_a_platform_without_kornia_rs(monkeypatch):
    """The import fails and OpenCV takes over."""
    monkeypatch.setitem(sys.modules, 'kornia_rs.io', None)
    monkeypatch.delitem(sys.modules, images.__name__)
    import mmsign.datasets.io

    monkeypatch.setattr(mmsign.datasets.io, 'images', images)
    fresh = import_module(images.__name__)
    assert fresh is not images and fresh.png_decoder() == 'OpenCV'
    np.testing.assert_array_equal(fresh.decode_image(encode('.png'), 'x'), IMAGE)


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_the_size_is_in_the_head(suffix):
    data = encode(suffix)
    assert image_size(data) == image_size(data[:700]) == (10, 12)
    assert image_size(data[:10]) is None and image_size(b'') is None


def test_a_turned_jpeg_has_to_be_decoded():
    data = encode('.jpg')
    exif = b'Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0'
    segment = b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif
    turned = data[:2] + segment + data[2:]
    assert image_size(turned) is None
    assert decode_image(turned, 'x').shape == (10, 12, 3)


def test_a_png_that_is_to_be_turned_is_as_opencv_has_it(decoder):
    data, exif = (
        encode('.png'),
        b'MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0',
    )
    chunk = b'eXIf' + exif
    chunk = struct.pack('>I', len(exif)) + chunk + struct.pack('>I', zlib.crc32(chunk))
    turned = data[:33] + chunk + data[33:]  # behind the header
    expected = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decode_image(turned, 'x'), expected)
