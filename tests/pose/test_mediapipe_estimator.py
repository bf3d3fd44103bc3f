"""With stand-ins of MediaPipe, laid out as its two interfaces are.

The older is ``mediapipe.solutions.holistic`` (to 0.10.21), the newer the Tasks'
``HolisticLandmarker``, seen in 1.2.3.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from mmsign.errors import PoseError
from mmsign.keypoints import PARTS
from mmsign.pose import MediaPipeEstimator


def landmark(x: float, y: float, visibility: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(x=x, y=y, z=0.0, visibility=visibility, presence=None)


def seen_in(rgb: np.ndarray) -> dict[str, list]:
    """A body whose nose is where the image's first red value says; no left hand."""
    assert rgb.dtype == np.uint8 and rgb.flags['C_CONTIGUOUS']
    x = rgb[0, 0, 0] / 255
    return dict(
        pose_landmarks=[landmark(x, 0.5, 0.9)] * 33,
        face_landmarks=[landmark(0.25, 0.25)] * 478,
        right_hand_landmarks=[landmark(0.75, 0.75, 0.0)] * 21,
    )


class Holistic:
    """As ``mediapipe.solutions.holistic.Holistic``: None for what is not found."""

    opened: list = []

    def __init__(self, static_image_mode=False, model_complexity=1):
        assert not static_image_mode
        self.lit = []
        self.opened.append(self)

    def process(self, image):
        self.lit.append(bool(image.any()))
        found = {
            name: SimpleNamespace(landmark=points)
            for name, points in seen_in(image).items()
        }
        return SimpleNamespace(left_hand_landmarks=None, **found)


class HolisticLandmarker:
    """As in ``mediapipe.tasks.python.vision``: an empty list for what is not found."""

    times: list = []

    @classmethod
    def create_from_options(cls, options):
        assert options.running_mode == 'VIDEO'
        with open(options.base_options.model_asset_path, 'rb') as file:
            if file.read() != b'a model':
                raise RuntimeError('Unable to open zip archive.')
        cls.times.append([])
        return cls()

    def detect_for_video(self, image, timestamp_ms):
        assert image.image_format == 'SRGB' and type(timestamp_ms) is int
        self.times[-1].append(timestamp_ms)
        return SimpleNamespace(left_hand_landmarks=[], **seen_in(image.data))


@pytest.fixture
def package(monkeypatch):
    """``mediapipe`` without either interface."""
    package = ModuleType('mediapipe')
    package.__version__ = '1.2.3'
    monkeypatch.setitem(sys.modules, 'mediapipe', package)
    return package


@pytest.fixture
def solutions(package):
    Holistic.opened = []
    holistic = SimpleNamespace(Holistic=Holistic)
    package.solutions = SimpleNamespace(holistic=holistic)
    return Holistic.opened


@pytest.fixture
def tasks(package, monkeypatch):
    HolisticLandmarker.times = []
    package.Image = lambda image_format, data: SimpleNamespace(
        image_format=image_format, data=data
    )
    package.ImageFormat = SimpleNamespace(SRGB='SRGB')
    python = ModuleType('mediapipe.tasks.python')
    python.BaseOptions = lambda model_asset_path: SimpleNamespace(
        model_asset_path=model_asset_path
    )
    vision = ModuleType('mediapipe.tasks.python.vision')
    vision.RunningMode = SimpleNamespace(VIDEO='VIDEO')
    vision.HolisticLandmarkerOptions = SimpleNamespace
    vision.HolisticLandmarker = HolisticLandmarker
    for module in (ModuleType('mediapipe.tasks'), python, vision):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return HolisticLandmarker.times


@pytest.fixture
def model(tmp_path):
    path = tmp_path / 'holistic_landmarker.task'
    path.write_bytes(b'a model')
    return path


def frames(count: int) -> list[np.ndarray]:
    """(20, 40) BGR; the red of frame i is 51·i."""
    return [np.full((20, 40, 3), (0, 0, 51 * i), np.uint8) for i in range(count)]


def check(points: np.ndarray, count: int) -> None:
    assert points.shape == (count, 79, 3) and points.dtype == np.float32
    body = points[:, PARTS['upper_body']]
    # Shares of the width count from the outer edge of the first pixel.
    np.testing.assert_allclose(body[:, 0, 0], [8 * i - 0.5 for i in range(count)])
    np.testing.assert_allclose(body[:, 0, 1:], [[9.5, 0.9]] * count)
    hands = points[:, PARTS['hands']].reshape(count, 2, 21, 3)
    assert (hands[:, 0, :, 2] == 0).all() and (hands[:, 1, :, 2] == 1).all()
    np.testing.assert_allclose(
        hands[:, 1, :, :2], np.full((count, 21, 2), (29.5, 14.5))
    )


def test_the_solutions(solutions):
    estimator = MediaPipeEstimator()
    check(estimator(iter(frames(3))), 3)
    check(estimator(frames(2)), 2)
    # The models were opened once; behind each clip comes a picture without anybody.
    (opened,) = solutions
    assert opened.lit == [False, True, True, False] + [False, True, False]
    assert estimator([]).shape == (0, 79, 3)


def test_the_tasks(tasks, model):
    estimator = MediaPipeEstimator(model, fps=50)
    check(estimator(iter(frames(3))), 3)
    check(estimator(frames(2)), 2)
    # One landmarker, whose times must rise: a clip, an empty picture, the next clip.
    assert tasks == [[0, 20, 40, 60, 80, 100, 120]]


def test_frames_of_one_video_call_after_call(tasks, solutions, model):
    live = MediaPipeEstimator(model, live=True)
    for frame in frames(3):
        live([frame])
    assert tasks == [[0, 40, 80]]
    live = MediaPipeEstimator(live=True)
    found = np.concatenate([live([frame]) for frame in frames(3)])
    check(found, 3)
    assert [o.lit for o in solutions] == [[False, True, True]]


def test_nobody_in_the_picture(solutions, monkeypatch):
    none = dict.fromkeys(
        f'{part}_landmarks' for part in ('pose', 'face', 'left_hand', 'right_hand')
    )
    monkeypatch.setattr(Holistic, 'process', lambda *_: SimpleNamespace(**none))
    assert (MediaPipeEstimator()(frames(2))[..., 2] == 0).all()


def test_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mediapipe', None)
    with pytest.raises(PoseError, match='^no mediapipe, pip install "mediapipe<=0'):
        MediaPipeEstimator()


def test_without_models(package):
    with pytest.raises(PoseError, match=r'1\.2\.3 brings no models: download'):
        MediaPipeEstimator()


def test_files_that_are_no_models(tasks, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.task does not exist'):
        MediaPipeEstimator(tmp_path / 'gone.task')
    (tmp_path / 'other.task').write_bytes(b'something')
    with pytest.raises(PoseError, match=r'other\.task .*zip'):
        MediaPipeEstimator(tmp_path / 'other.task')
