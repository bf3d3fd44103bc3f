"""The keypoint stream alone, as a graph from points to log-probabilities.

Symbols: T frames; T' output steps, those of its padding included; V classes with the
blank.
"""

import torch
from torch import Tensor

from mmsign.apis.network import Network, NetworkSpec, build_network
from mmsign.apis.onnx_network import ExportableNetwork
from mmsign.decoding import AVERAGE
from mmsign.errors import ConfigError
from mmsign.keypoints import SELECTED_79
from mmsign.models.heads import StepHead

_KEPT = ('type', 'vocab', 'data_preprocessor', 'decoder', 'keypoint')
# What is done to frames alone.
_OF_FRAMES = ('DecodeClip', 'ClipResize')
# Frames this wide have this sigma unless another is named: SignDataPreprocessor.
WIDTH = 210
_SIGMA = 8.0


def keypoint_network(network: Network) -> Network:
    """The keypoint stream of a network and its head, as a network of its own.

    Args:
        network: Of one stream or of two that do not depend on each other; of a
            translator its recognizer is taken.

    Raises:
        ConfigError: If it has no keypoint stream, or one that needs the video's.
    """
    model = network.recognizer
    if 'keypoint' not in model.streams:
        raise ConfigError(
            'the network has no keypoint stream: the page looks at keypoints alone, '
            'as keypoint_slr_*.py and twostream_slr_*.py do'
        )
    if model.bilateral is not None and len(model.bilateral.to_keypoint):
        raise ConfigError(
            "the network's keypoint stream gets features of its video stream "
            '(bilateral), which the page does not compute: export the one that was '
            'trained alone, of stage 1, keypoint_slr_*.py'
        )
    stream = model.streams['keypoint']
    if not isinstance(stream.head, StepHead) or stream.input_key == 'masked_points':
        raise ConfigError(
            f'the page runs keypoint streams of one head per step of heatmaps or '
            f'points, not {type(stream.head).__name__} on '
            f'{type(stream.backbone).__name__}'
        )
    spec = network.spec.model
    recognizer = spec.get('recognizer', spec) | dict(vocab=spec['vocab'])
    kept = {key: recognizer[key] for key in _KEPT if key in recognizer}
    steps = [s for s in network.spec.pipeline if s['type'] not in _OF_FRAMES]
    steps[0] = steps[0] | dict(frames=False, keypoints=True)
    state = {k: v for k, v in model.state_dict().items() if k.startswith('keypoint.')}
    spec = NetworkSpec(kept, steps, network.spec.corpus)
    alone = build_network(spec, dict(state_dict=state), 'cpu')
    # Its average is its only output.
    own = network.calibrations.get('keypoint')
    if own is not None:
        alone.recognizer.calibrations = dict.fromkeys(('keypoint', AVERAGE), own)
    return alone


def _count(n: int) -> Tensor:
    """A size as a tensor, which stays free where it is traced."""
    return torch.ones(n, dtype=torch.int64).sum()


class _Length:
    """``ClipLengths`` of one clip, as tensors."""

    def __init__(self, valid: Tensor, frames: Tensor) -> None:
        self.valid, self.frames = valid, frames

    def of(self, output: Tensor) -> Tensor:
        steps = self.valid * _count(output.shape[1])
        return torch.div(steps, self.frames, rounding_mode='floor')[None]


class PointsNetwork(ExportableNetwork):
    """Points of one clip → log-probabilities (T', V); heatmaps are drawn within.

    Args:
        network: Of ``keypoint_network``.

    Attributes:
        input_names: ``points`` (T, 79, 3), x and y in pixels and a score; ``box``
            (4,), the crop box in these pixels. They are pixels of a frame of the
            training corpus's size; if it has none the source's, or where sigma is a
            share of the width those of a frame ``WIDTH`` wide.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network.model)
        self.input_names, self.output_names = ['points', 'box'], ['log_probs']
        self.axes = dict(points={0: 'frames'}, log_probs={0: 'steps'})
        self.preprocessor = network.model.data_preprocessor
        self.frame_size = network.pipeline.frame_size
        width = WIDTH if self.frame_size is None else self.frame_size[0]
        self.sigma = self.preprocessor.sigma or _SIGMA * width / WIDTH

    def forward(self, points: Tensor, box: Tensor) -> tuple[Tensor]:
        """Natural log-probabilities (T', V), as those of a batch of one clip."""
        valid = _count(points.shape[0])
        frames = valid + self.preprocessor.min_padding
        frames = frames + -frames % self.preprocessor.pad_multiple
        # Padded by its last frame.
        index = torch.arange(frames).clamp(max=valid - 1)
        seen = self.preprocessor.seen(points[index][None], box[None], self.sigma)
        pooled = self.model.pooled({self.preprocessor.keypoint_input: seen})
        lengths = _Length(valid, frames)
        (made,) = self.model.classify(pooled, lengths).values()
        return (made.logits[0].float().log_softmax(-1),)

    def example(self, frames: int, clips: int = 1, seed: int = 0) -> tuple[Tensor, ...]:
        """Random points in a box, some of which were not found."""
        generator = torch.Generator().manual_seed(seed)
        points = torch.rand((frames, len(SELECTED_79), 3), generator=generator)
        points[..., 2] *= points[..., 2] > 0.2
        side = float((self.frame_size or (WIDTH,))[0])
        scale = torch.tensor([side, side, 1.0])
        return points * scale, torch.tensor([0.0, 0.0, side, side])
