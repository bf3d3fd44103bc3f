"""Which estimator, and how: by name, for tools and other processes."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from mmsign.errors import ConfigError, PoseError, explain
from mmsign.interop.mediapipe_points import HOLISTIC

from .boxes import DETECTOR, BoxSource, FixedBox, FullFrame, SignerDetector
from .mediapipe_estimator import MediaPipeEstimator, find_holistic
from .mmpose_estimator import PoseEstimator, network_name
from .onnx_estimator import (
    ONNX_ESTIMATORS,
    OnnxPoseEstimator,
    OnnxSignerDetector,
    find_detector,
    find_estimator,
    onnx_name,
)
from .onnx_networks import can_use_gpu
from .openmmlab import RANDOM_WEIGHTS, import_package
from .top_down import LAYOUT

MEDIAPIPE = 'mediapipe'


@dataclass(frozen=True)
class PoseRecipe:
    """How keypoints are estimated; goes to other processes by pickle.

    Args:
        estimator: A key of ``ONNX_ESTIMATORS`` or an ONNX file; ``mediapipe``; or what
            ``PoseEstimator`` takes as its config.
        checkpoint: The file of its weights, if not those that it finds itself.
        box: ``full``, ``detector`` or X,Y,WIDTH,HEIGHT in pixels.
        detector_config, detector_checkpoint: Of ``SignerDetector``; of the ONNX
            estimators' detector, which has no config, the file.
        batch_size, flip: Of ``PoseEstimator``.

    Raises:
        ConfigError: If the estimator has no such option.
    """

    estimator: str = 'hrnet'
    checkpoint: str | None = None
    box: str = 'full'
    detector_config: str | None = None
    detector_checkpoint: str | None = None
    batch_size: int = 16
    flip: bool | None = None

    def __post_init__(self) -> None:
        without = dict(
            mediapipe=('box', 'detector_checkpoint', 'flip', 'detector_config'),
            onnx=('flip', 'detector_config'),
            mmpose=(),
        )
        for name in without[self.kind]:
            if getattr(self, name) != getattr(PoseRecipe, name):
                option = name.replace('_', '-')
                raise ConfigError(f'{self.estimator} has no option {option}')
        if self.checkpoint == RANDOM_WEIGHTS and self.kind != 'mmpose':
            raise ConfigError(f'{self.estimator} has no random weights')

    @property
    def kind(self) -> str:
        """``mediapipe``, ``onnx`` or ``mmpose``."""
        if self.estimator == MEDIAPIPE:
            return 'mediapipe'
        is_file = Path(self.estimator).suffix.lower() == '.onnx'
        return 'onnx' if is_file or self.estimator in ONNX_ESTIMATORS else 'mmpose'

    @property
    def name(self) -> str:
        """Of the network, as keypoint files say it."""
        if self.kind == 'mediapipe':
            return HOLISTIC
        return (onnx_name if self.kind == 'onnx' else network_name)(self.estimator)

    @property
    def layout(self) -> str:
        """Of the keypoints, a key of ``mmsign.keypoints.LAYOUT_SIZES``."""
        return 'mmsign_79' if self.kind == 'mediapipe' else LAYOUT

    def require(self) -> None:
        """Find all that is needed, downloads included, before any work begins.

        Raises:
            PoseError, MissingPackageError: If a package is missing.
            FileNotFoundError, CheckpointError: If a file is, or cannot be had.
        """
        if self.kind == 'mediapipe':
            find_holistic(self.checkpoint)
        elif self.kind == 'onnx':
            find_estimator(self.estimator, self.checkpoint)
            if self.box == 'detector':
                find_detector(self.detector_checkpoint)
        else:
            import_package('mmpose')

    def gpus(self) -> int:
        """How many GPUs of this machine the estimator can use."""
        able = self.kind == 'mmpose' or (self.kind == 'onnx' and can_use_gpu())
        return torch.cuda.device_count() if able and torch.cuda.is_available() else 0

    def build(
        self, device: str | None, live: bool = False
    ) -> Callable[[Iterable], np.ndarray]:
        """The estimator: frames of a clip → (T, K, 3).

        Args:
            device: To run on; MediaPipe chooses itself.
            live: Whether successive calls bring the frames of one video.
        """
        if self.kind == 'mediapipe':
            return MediaPipeEstimator(self.checkpoint, live=live)
        settings = self.estimator, self.checkpoint, device, self._boxes(device)
        if self.kind == 'onnx':
            return OnnxPoseEstimator(*settings, self.batch_size)
        return PoseEstimator(*settings, self.batch_size, self.flip)

    def describe(self) -> dict:
        """What decides the keypoints, as primitive data."""
        settings = asdict(self)
        del settings['batch_size'], settings['estimator']  # the first changes nothing
        settings = dict(config=self.name, **settings)
        if self.box != 'detector':
            del settings['detector_config'], settings['detector_checkpoint']
        elif self.kind == 'mmpose':
            settings['detector_config'] = self.detector_config or DETECTOR
        if self.kind != 'mmpose':  # files of MMPose's points say nothing of this
            settings['kind'] = self.kind
        for key in ('checkpoint', 'detector_checkpoint'):
            if settings.get(key):  # the file may lie elsewhere the next time
                settings[key] = Path(settings[key]).name
        return settings

    def _boxes(self, device: str | None) -> BoxSource:
        if self.box == 'full':
            return FullFrame()
        if self.box == 'detector':
            # A trial without weights needs none of either network.
            trial = RANDOM_WEIGHTS if self.checkpoint == RANDOM_WEIGHTS else None
            checkpoint = self.detector_checkpoint or trial
            batch = dict(batch_size=self.batch_size)
            if self.kind == 'onnx':
                return OnnxSignerDetector(checkpoint, device, **batch)
            config = self.detector_config or DETECTOR
            return SignerDetector(config, checkpoint, device, **batch)
        text = f'box {self.box!r}: expected full, detector or X,Y,WIDTH,HEIGHT'
        with explain(PoseError, text, ValueError):
            x, y, width, height = map(float, self.box.split(','))
        return FixedBox(x, y, width, height)
