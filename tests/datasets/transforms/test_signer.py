import numpy as np
import pytest

from mmsign.datasets.transforms import SignerCrop
from mmsign.errors import ConfigError
from mmsign.keypoints import SHOULDERS

SIZE = (640, 480)


def signer(frames: int = 9, x: float = 300, y: float = 200, width: float = 80):
    """(T, 79, 3): somebody whose shoulders are somewhere and so far apart."""
    rng = np.random.default_rng(0)
    points = np.ones((frames, 79, 3), np.float32)
    points[..., :2] = rng.normal(0, 0.5, (79, 2)) * width + (x, y)
    points[:, SHOULDERS, :2] = (x + width / 2, y), (x - width / 2, y)
    return points


def box_of(points: np.ndarray, clip_id: str = 'c', **settings) -> tuple:
    results = dict(clip_id=clip_id, keypoints=points, frame_size=SIZE)
    return SignerCrop(**settings)(results)['crop_box']


def relative(points: np.ndarray, **settings) -> np.ndarray:
    """Where the keypoints are in their box, as shares of its sides."""
    x0, y0, width, height = box_of(points, **settings)
    return (points[..., :2] + 0.5 - (x0, y0)) / (width, height)


def test_the_box_is_measured_in_shoulders():
    assert box_of(signer()) == (140, 60, 320, 320)
    assert box_of(signer(), size=2, below=1) == (220, 200, 160, 160)


@pytest.mark.parametrize(('x', 'y', 'width'), [(100, 310, 80), (301, 199, 260)])
def test_another_place_and_size_look_the_same(x, y, width):
    same = relative(signer())
    # Boxes are whole pixels, at most one beside.
    np.testing.assert_allclose(relative(signer(9, x, y, width)), same, atol=1 / 300)


def test_frames_without_shoulders_and_outliers_change_nothing():
    points = signer()
    expected = box_of(points)
    points[:2, SHOULDERS[0], 2] = 0.2
    points[:2, SHOULDERS, :2] = 5000
    points[5, SHOULDERS, :2] = (0, 0), (600, 400)
    points[6, SHOULDERS[1], :2] = -900
    assert box_of(points) == expected


def test_a_box_may_reach_beyond_the_frame():
    x0, y0, width, height = box_of(signer(x=20, y=470, width=200))
    assert x0 < 0 and y0 + height > SIZE[1] and width == height == 800


@pytest.mark.parametrize('lost', ['scores', 'places', 'apart'])
def test_without_shoulders_the_whole_frame_is_taken_with_one_notice(lost, monkeypatch):
    points = signer()
    if lost == 'scores':
        points[:, SHOULDERS[1], 2] = 0.1
    else:
        points[:, SHOULDERS, :2] = 7
    if lost == 'apart':  # of another resolution, say
        points[:, SHOULDERS[0], 0] = 60000
    crop = SignerCrop()
    notices = []
    monkeypatch.setattr('mmsign.notices.warn', notices.append)
    for name in ('first', 'second'):
        results = dict(clip_id=name, keypoints=points, frame_size=SIZE)
        assert crop(results)['crop_box'] == (0, -80, 640, 640)
    assert [notice[:11] for notice in notices] == ['clip first:']


def test_what_it_needs():
    with pytest.raises(ConfigError, match='SignerCrop'):
        SignerCrop()(dict(clip_id='c', frame_size=SIZE))
    with pytest.raises(ConfigError, match='SignerCrop: size'):
        SignerCrop(size=0)
