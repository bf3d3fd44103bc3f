"""Whole-body keypoints by RTMW or RTMPose as ONNX: no mmcv, MMDetection or compiler.

Geometry, colours and decoding are MMPose's, so that the same network gives the same
points. (rtmlib's own classes give its networks BGR for RGB and score otherwise; they
are not used, its download is.)

Symbols: n frames, K = 133 points, W by H pixels of the network's input; W' = r W and
H' = r H bins of SimCC, r to a pixel.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import torch

from mmsign.keypoints import LAYOUT_SIZES

from .boxes import BoxSource, PersonFollower
from .mmpose_estimator import ESTIMATORS
from .onnx_networks import OnnxNetwork, find_network
from .top_down import LAYOUT, TopDownEstimator

_PUBLISHED = 'https://download.openmmlab.com/mmpose/v1/projects/'
ONNX_ESTIMATORS: dict[str, tuple[str, str]] = {
    # RTMW-l, the network of `fast`.
    'rtmw': (
        ESTIMATORS['fast'],
        _PUBLISHED
        + 'rtmw/onnx_sdk/rtmw-dw-x-l_simcc-cocktail14_270e-384x288_20231122.zip',
    ),
    # RTMPose-l, distilled: known as DWPose.
    'rtmpose': (
        'rtmpose-l_8xb32-270e_coco-ubody-wholebody-384x288',
        _PUBLISHED + 'rtmposev1/onnx_sdk/'
        'rtmpose-l_simcc-ucoco_dw-ucoco_270e-384x288-2438fd99_20230728.zip',
    ),
}
"""By what they are called here: the name of MMPose's config of the same network, and
where its ONNX export is published."""
DETECTOR_URL = _PUBLISHED + (
    'rtmposev1/onnx_sdk/yolox_m_8xb8-300e_humanart-c2c7a14a.zip'
)
"""Of the detector of persons."""

# Of ImageNet's pictures, in RGB.
_MEAN = np.float32((123.675, 116.28, 103.53))
_STD = np.float32((58.395, 57.12, 57.375))
_PADDING = 1.25  # a box is widened to so much
_GREY = 114  # around what the detector sees


class OnnxPoseEstimator(TopDownEstimator):
    """Estimate the keypoints of one person per frame, many frames at once.

    Args:
        network: A key of ``ONNX_ESTIMATORS``, or an ONNX file: a network of pictures
            (n, 3, H, W) whose two outputs are SimCC of the 133 points, (n, 133, W')
            and (n, 133, H').
        checkpoint: The file of a named network; None has rtmlib download it once.
        device: To run on; None takes a GPU if there is one that onnxruntime can use.
        boxes, batch_size: As of ``TopDownEstimator``.

    Raises:
        PoseError: If the file is no such network; see also ``OnnxNetwork`` and
            ``find_network``.
    """

    def __init__(
        self,
        network: str | Path = 'rtmw',
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        boxes: BoxSource | None = None,
        batch_size: int = 16,
    ) -> None:
        super().__init__(onnx_name(network), boxes, batch_size)
        path = find_estimator(network, checkpoint)
        expected = 'pose network of 133 points with SimCC outputs, as RTMW and RTMPose'
        self.network = OnnxNetwork(path, expected, device)
        shapes = [output.shape for output in self.network.trial()]
        one = (1, LAYOUT_SIZES[LAYOUT])
        bins = [shape[2] for shape in shapes if len(shape) == 3 and shape[:2] == one]
        ratios = np.array(bins) / self.network.input_size if len(bins) == 2 else [0, 1]
        if len(shapes) != 2 or ratios[0] != ratios[1]:
            raise self.network.error(f'its outputs have the shapes {shapes}')

    def estimate(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Keypoints of frames in given boxes; see ``TopDownEstimator``."""
        size = self.network.input_size
        maps = crop_maps(boxes, size)
        crops = np.stack([cv2.warpAffine(f, m, size) for f, m in zip(frames, maps)])
        pictures = (crops[..., ::-1] - _MEAN) / _STD
        outputs = self.network(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        points = decode_simcc(*outputs, size)
        points[..., :2] = (points[..., :2] - maps[:, None, :, 2]) / maps[:, :1, :1]
        return points


class OnnxSignerDetector(PersonFollower):
    """The person that a YOLOX detector finds, see ``PersonFollower``.

    Args:
        checkpoint: An ONNX file with the suppression of doubles in it: from pictures
            (n, 3, H, W), BGR from 0 to 255, to boxes with scores (n, P, 5) and perhaps
            classes (n, P), persons being class 0. None has rtmlib download one.
        device: As of ``OnnxPoseEstimator``.
        threshold, batch_size: As of ``PersonFollower``.

    Raises:
        PoseError: If the file is no such network; see also ``OnnxNetwork`` and
            ``find_network``.
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        threshold: float = 0.3,
        batch_size: int = 16,
    ) -> None:
        super().__init__(threshold, batch_size)
        expected = 'YOLOX detector exported with the suppression of doubles'
        self.network = OnnxNetwork(find_detector(checkpoint), expected, device)
        shapes = [output.shape for output in self.network.trial()]
        if len(shapes) > 2 or len(shapes[0]) != 3 or shapes[0][2] != 5:
            raise self.network.error(f'its outputs have the shapes {shapes}')

    def persons(self, frames: Sequence[np.ndarray]) -> Iterator[tuple]:
        """See ``PersonFollower``."""
        width, height = self.network.input_size
        for frame in frames:
            rows, columns = frame.shape[:2]
            scale = min(height / rows, width / columns)
            shown = cv2.resize(frame, (int(columns * scale), int(rows * scale)))
            picture = np.full((height, width, 3), _GREY, np.float32)
            picture[: shown.shape[0], : shown.shape[1]] = shown
            # One by one: each has another number of persons.
            found, *classes = self.network(picture.transpose(2, 0, 1)[None])
            kept = classes[0][0] == 0 if classes else slice(None)
            yield found[0, kept, :4] / scale, found[0, kept, 4]


def onnx_name(network: str | Path) -> str:
    """What a network is called: as MMPose's config of it, or as its file.

    Exports of all networks are called ``end2end.onnx``, so that a file's name has the
    beginning of its SHA-256 behind it.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if str(network) in ONNX_ESTIMATORS:
        return ONNX_ESTIMATORS[str(network)][0]
    path = find_network(network, '')
    return f'{path.stem}-{sha256(path.read_bytes()).hexdigest()[:8]}'


def find_estimator(network: str | Path, checkpoint: str | Path | None) -> Path:
    """The ONNX file of a network, see ``OnnxPoseEstimator`` and ``find_network``."""
    _, url = ONNX_ESTIMATORS.get(str(network), ('', ''))
    return find_network(checkpoint if url else network, url)


def find_detector(checkpoint: str | Path | None) -> Path:
    """The ONNX file of the detector, see ``find_network``."""
    return find_network(checkpoint, DETECTOR_URL)


def crop_maps(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The affine maps from frames to crops.

    Args:
        boxes: (n, 4) as (x0, y0, x1, y1) in pixels of the frame.
        size: (W, H) of a crop.

    Returns:
        (n, 2, 3): the widened box, made as wide or high as the crop's shape asks, fills
        the crop.
    """
    boxes = np.asarray(boxes, np.float64)
    corners, sides = boxes[:, :2] + boxes[:, 2:], boxes[:, 2:] - boxes[:, :2]
    sides = np.maximum(sides, 1)  # a detector's may be empty
    scale = (np.array(size) / (_PADDING * sides)).min(axis=1)
    maps = np.zeros((len(boxes), 2, 3))
    maps[:, [0, 1], [0, 1]] = scale[:, None]
    maps[..., 2] = (np.array(size) - scale[:, None] * corners) / 2
    return maps


def decode_simcc(x: np.ndarray, y: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Points where both axes answer most.

    Args:
        x, y: (n, K, W') and (n, K, H').
        size: (W, H) in pixels.

    Returns:
        (n, K, 3) float32: x and y in pixels of the crop, the weaker of both answers.
        Without an answer above 0 the point lies a bin outside, as in MMPose.
    """
    bins = np.stack([x.argmax(axis=2), y.argmax(axis=2)], axis=2)
    scores = np.minimum(x.max(axis=2), y.max(axis=2))
    bins[scores <= 0] = -1
    places = bins * (size[0] / x.shape[2])
    return np.concatenate([places, scores[..., None]], axis=2, dtype=np.float32)
