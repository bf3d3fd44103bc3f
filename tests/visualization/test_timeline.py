import cv2
import numpy as np

from mmsign.visualization.timeline import save_timeline


def test_a_picture_is_written(tmp_path):
    path = tmp_path / 'picture.png'
    predictions = {
        'video': (['RAIN', 'SUN'], [(2, 9), (12, 20)]),
        'average': (['RAIN'], [(2, 9)]),
    }
    sheet = np.zeros((100, 400, 3), np.uint8)
    save_timeline(path, sheet, ['RAIN', 'SUN'], predictions, 24, 'clip')
    image = cv2.imread(str(path))
    assert image.shape[0] > 200 and image.std() > 10
