"""Keypoints of a clip by MediaPipe Holistic: light, and no compiled OpenMMLab needed.

MediaPipe up to 0.10.21 brings its models along (``mediapipe.solutions.holistic``);
later ones have its Tasks alone, which read a model file (``holistic_landmarker.task``).
Both are used as they are; nothing of it is imported before it is asked for.

Symbols: n frames of H by W pixels.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from mmsign.errors import PoseError
from mmsign.interop.mediapipe_points import holistic_points, keypoints_79

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

    def __init__(
        self, model: str | Path | None = None, fps: float = 25.0, live: bool = False
    ) -> None:
        self.live = live
        package = _import_mediapipe()
        if model is not None:
            if not Path(model).is_file():
                raise FileNotFoundError(f'MediaPipe model {model} does not exist')
            self._open = lambda: _Task(package, model, fps)
        elif _has_solutions(package):
            self._open = lambda: _Solution(package)
        else:
            raise PoseError(
                f'mediapipe {getattr(package, "__version__", "")} brings no models '
                f'along: download {MODEL_URL} and name the file (--estimator mediapipe '
                '--estimator-checkpoint FILE), or install one that does: '
                'pip install "mediapipe<=0.10.21"'
            )
        # Opened here too, so that a file that does not do is refused at once.
        self._tracker = self._open()

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Estimate.

        Args:
            frames: n frames in order, each (H, W, 3) uint8 BGR.

        Returns:
            (n, 79, 3) float32: x and y in pixels of the frame, score. Of parts that
            were not found the score is 0; points of face and hands have score 1.
        """
        rows = []
        for frame in frames:
            rgb = np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
            points = holistic_points(self._tracker(rgb))
            size = frame.shape[1], frame.shape[0]
            rows.append(keypoints_79([points], frame_size=size))
        if not self.live and rows:
            # What was tracked in this clip says nothing about the next.
            self._tracker.close()
            self._tracker = self._open()
        return np.concatenate(rows) if rows else np.empty((0, 79, 3), np.float32)


class _Solution:
    """``mediapipe.solutions.holistic``."""

    def __init__(self, package: ModuleType) -> None:
        self._holistic = package.solutions.holistic.Holistic(static_image_mode=False)

    def __call__(self, rgb: np.ndarray) -> object:
        return self._holistic.process(rgb)

    def close(self) -> None:
        self._holistic.close()


class _Task:
    """``mediapipe.tasks.python.vision.HolisticLandmarker``."""

    def __init__(self, package: ModuleType, model: str | Path, fps: float) -> None:
        base = importlib.import_module('mediapipe.tasks.python').BaseOptions
        vision = importlib.import_module('mediapipe.tasks.python.vision')
        options = vision.HolisticLandmarkerOptions(
            base_options=base(model_asset_path=str(model)),
            running_mode=vision.RunningMode.VIDEO,
        )
        try:
            self._task = vision.HolisticLandmarker.create_from_options(options)
        # What it raises for a file that is no model differs between versions.
        except Exception as error:
            raise PoseError(
                f'{model}: MediaPipe does not take it as a holistic landmarker '
                f'({error}); {MODEL_URL} is one'
            ) from error
        self._package = package
        self._fps = fps
        self._seen = 0

    def __call__(self, rgb: np.ndarray) -> object:
        image = self._package.Image(
            image_format=self._package.ImageFormat.SRGB, data=rgb
        )
        milliseconds = round(self._seen * 1000 / self._fps)
        self._seen += 1
        return self._task.detect_for_video(image, milliseconds)

    def close(self) -> None:
        self._task.close()


def _import_mediapipe() -> ModuleType:
    try:
        return importlib.import_module('mediapipe')
    # A build for another system fails with other errors than ImportError.
    except (ImportError, OSError) as error:
        raise PoseError(
            f'mediapipe cannot be imported ({error}): pip install mediapipe'
        ) from error


def _has_solutions(package: ModuleType) -> bool:
    # Some versions load this part only when it is asked for.
    try:
        return hasattr(package.solutions, 'holistic')
    except (AttributeError, ImportError):
        return False
