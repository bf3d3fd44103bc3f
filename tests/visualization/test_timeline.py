import cv2
import numpy as np
import pytest

from mmsign.visualization.timeline import save_timeline

SHEET = np.zeros((100, 400, 3), np.uint8)


def picture(path, *arguments) -> np.ndarray:
    save_timeline(path, SHEET, *arguments, 'clip')
    return cv2.imread(str(path))


def test_a_picture_is_written(tmp_path):
    predictions = {
        'video': (['RAIN', 'SUN'], [(2, 9), (12, 20)]),
        'average': (['RAIN'], [(2, 9)]),
    }
    image = picture(tmp_path / 'x.png', ['RAIN', 'SUN'], predictions, 24)
    assert image.shape[0] > 200 and image.std() > 10
    blue, orange = (229, 178, 127), (122, 178, 242)
    for colour in (blue, orange):  # one output is right, the other is not
        assert (image == colour).all(-1).sum() > 500


def test_names_that_would_overlap_stand_above_one_another(tmp_path):
    glosses = ['WAHRSCHEINLICH'] * 12
    apart = [(30 * i, 30 * i + 4) for i in range(12)]
    close = [(4 * i, 4 * i + 4) for i in range(12)]
    heights = [
        len(picture(tmp_path / 'x.png', None, {'video': (glosses, spans)}, 360))
        for spans in (apart, close)
    ]
    assert heights[1] > heights[0] + 100


@pytest.mark.parametrize('glosses', [['$A_$', '$\\frac$'], ['MÄSSIG', '<b>'], []])
def test_any_gloss_and_none_can_be_drawn(glosses, tmp_path):
    spans = [(i, i + 1) for i in range(len(glosses))]
    image = picture(tmp_path / 'x.png', glosses, {'video': (glosses, spans)}, 0)
    assert image.shape[1] == 1440
