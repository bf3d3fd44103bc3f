"""Keypoints of a clip by MediaPipe Holistic, which tracks from frame to frame.

MediaPipe up to 0.10.21 brings its models along (``mediapipe.solutions.holistic``);
later ones have its Tasks alone, which read a model file (``holistic_landmarker.task``).
Both are used as they are; nothing of it is imported before it is asked for.

Symbols: n frames of H by W pixels.
"""

import importlib
import itertools
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from mmsign.datasets.io.frame_times import checked_fps
from mmsign.errors import PoseError, explain
from mmsign.interop.mediapipe_points import HOLISTIC, holistic_points, keypoints_79

_INSTALL = 'pip install "mediapipe<=0.10.21"'
MODEL_URL = (
    'https://storage.googleapis.com/mediapipe-models/holistic_landmarker/'
    'holistic_landmarker/float16/latest/holistic_landmarker.task'
)
"""Where MediaPipe's authors publish the model file of its Tasks."""


class MediaPipeEstimator:
    """The network's keypoints of one person per frame, tracked from frame to frame.

    Args:
        model: A ``.task`` file of the holistic landmarker; None takes the models that
            MediaPipe itself brings along, if it does.
        fps: Frames per second, which the Tasks' smoothing wants to know.
        live: Whether successive calls bring the frames of one video, tracked from one
            call to the next; otherwise each call is a clip of its own.

    Raises:
        PoseError: If MediaPipe is not installed, brings no models and none was
            named, or does not take the file.
        FileNotFoundError: If there is no such file.
    """

    name = HOLISTIC

    def __init__(
        self, model: str | Path | None = None, fps: float = 25.0, live: bool = False
    ) -> None:
        self.live = live
        package = find_holistic(model)
        if model is None:
            holistic = package.solutions.holistic.Holistic
            self._tracker = holistic(static_image_mode=False)
        else:
            self._tracker = _Task(package, model, checked_fps(fps))

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Estimate.

        Args:
            frames: n frames in order, each (H, W, 3) uint8 BGR.

        Returns:
            (n, 79, 3) float32: x and y in pixels of the frame, score. Of parts that
            were not found the score is 0; points of face and hands have score 1.
        """
        rows, frame = [], None
        for frame in frames:
            rgb = np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            points = holistic_points(self._tracker.process(rgb))
            size = frame.shape[1], frame.shape[0]
            rows.append(keypoints_79([points], frame_size=size))
        if not self.live and frame is not None:
            # What was tracked in this clip says nothing about the next. A picture
            # without anybody ends it, without opening the models again.
            self._tracker.process(np.zeros_like(frame))
        return np.concatenate(rows) if rows else np.empty((0, 79, 3), np.float32)


def find_holistic(model: str | Path | None = None) -> ModuleType:
    """MediaPipe, if it has what the estimator needs; see ``MediaPipeEstimator``."""
    # A build for another system fails with other errors than ImportError.
    text = (
        f'no mediapipe, {_INSTALL} in an environment of its own, which brings its '
        f'models, or pip install mediapipe and name {MODEL_URL}, downloaded, as the '
        'checkpoint (docs/keypoints.md)'
    )
    with explain(PoseError, text, ImportError, OSError):
        package = importlib.import_module('mediapipe')
    if model is not None and not Path(model).is_file():
        raise FileNotFoundError(f'MediaPipe model {model} does not exist')
    if model is None and not _has_solutions(package):
        raise PoseError(
            f'mediapipe {getattr(package, "__version__", "")} brings no models: '
            f'download {MODEL_URL} and name it as the checkpoint, or {_INSTALL} in an '
            'environment of its own (docs/keypoints.md)'
        )
    return package


class _Task:
    """The Tasks' landmarker, called as the older ``Holistic`` is."""

    def __init__(self, package: ModuleType, model: str | Path, fps: float) -> None:
        base = importlib.import_module('mediapipe.tasks.python').BaseOptions
        vision = importlib.import_module('mediapipe.tasks.python.vision')
        options = vision.HolisticLandmarkerOptions(
            base_options=base(model_asset_path=str(model)),
            running_mode=vision.RunningMode.VIDEO,
        )
        text = f'{model} is no holistic landmarker, {MODEL_URL} is one'
        # What it raises for a file that is no model differs between versions.
        with explain(PoseError, text, Exception):
            self._task = vision.HolisticLandmarker.create_from_options(options)
        self._package, self._fps, self._numbers = package, fps, itertools.count()

    def process(self, rgb: np.ndarray) -> object:
        """Look at the next frame, RGB."""
        image_format = self._package.ImageFormat.SRGB
        image = self._package.Image(image_format=image_format, data=rgb)
        time = round(next(self._numbers) * 1000 / self._fps)
        return self._task.detect_for_video(image, time)


def _has_solutions(package: ModuleType) -> bool:
    # Some versions load this part only when it is asked for.
    try:
        return hasattr(package.solutions, 'holistic')
    except (AttributeError, ImportError):
        return False
