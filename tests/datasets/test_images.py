import cv2
import numpy as np
import pytest

from mmsign.datasets.images import FrameReadError, decode_image

IMAGE = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_whole_and_truncated_images(suffix):
    data = cv2.imencode(suffix, IMAGE)[1].tobytes()
    decoded = decode_image(data, 'x')
    assert decoded.shape == IMAGE.shape and decoded.dtype == np.uint8
    if suffix == '.png':
        np.testing.assert_array_equal(decoded, IMAGE)
    for broken in (data[: len(data) // 2], b'', b'nonsense'):
        with pytest.raises(FrameReadError, match=r'frame\.png: a truncated or corrupt'):
            decode_image(broken, 'frame.png')
