"""Bilateral lateral connections between the two streams (paper, section 3.2).

Symbols: B clips, C channels, T steps, H×W pixels of a stage's output.
"""

from collections.abc import Sequence

import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..layers.volume import Conv3d, ConvTranspose3d
from ..stages import StageInfo

# Kernel in time and in space. The paper's; wider in time than in space.
KERNEL = (7, 3, 3)
DIRECTIONS = ('to_keypoint', 'to_video')
Triple = tuple[int, int, int]


@MODELS.register_module()
class BilateralNeck(BaseModule):
    """Exchange features between the streams after chosen stages.

    Both directions are computed from the un-fused features and added. A direction
    is one 7×3×3 convolution without bias and norm whose stride is the ratio of the
    two outputs in time and space: a convolution towards the smaller one, a
    transposed one towards the larger one. A kernel is widened where it would skip
    something between two strides; what a stride does not reach exactly is resized
    to the nearest neighbour.

    Args:
        stages: After which stages, counted from 0: an index stands for this stage
            of both streams, a pair (i, j) for stage i of the video and stage j of
            the keypoint stream. Increasing in both.
        directions: ``to_keypoint``, ``to_video`` or both.
        init_gain: Factor of the Kaiming-normal initialisation; 1 is the paper's.
            Smaller ones disturb streams that are trained already less.
        video_stages, keypoint_stages: What the streams put out; supplied by
            the recognizer.

    Attributes:
        connections: Per connection the stage of each stream, in order.

    Raises:
        ValueError: At build time, for a stage that does not exist, connections
            that cross or an unknown direction.
    """

    def __init__(
        self,
        video_stages: Sequence[StageInfo],
        keypoint_stages: Sequence[StageInfo],
        stages: Sequence[int | Sequence[int]] = (0, 1, 2),
        directions: Sequence[str] = DIRECTIONS,
        init_gain: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        directions = (directions,) if isinstance(directions, str) else directions
        if not directions or set(directions) - set(DIRECTIONS):
            raise ConfigError(
                f'bilateral directions must be some of {DIRECTIONS}, not {directions}'
            )
        self.to_keypoint, self.to_video = nn.ModuleDict(), nn.ModuleDict()
        self.connections: list[dict[str, int]] = []
        for stage in stages:
            i, j = _pair(stage)
            self._check(stage, i, j, len(video_stages), len(keypoint_stages))
            self.connections.append(dict(video=i, keypoint=j))
            ends = video_stages[i], keypoint_stages[j]
            for name, (source, target) in zip(DIRECTIONS, (ends, ends[::-1])):
                if name in directions:
                    step = _step(source, target, to_larger=name == 'to_video')
                    layer = self.layer(source.channels, target.channels, *step)
                    getattr(self, name)[_key(stage)] = layer
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data.mul_(init_gain)

    def _check(self, stage, i: int, j: int, videos: int, keypoints: int) -> None:
        if not (0 <= i < videos and 0 <= j < keypoints):
            raise ConfigError(
                f'bilateral connection at stage {stage}: expected stages of video 0 to '
                f'{videos - 1}, keypoint 0 to {keypoints - 1}'
            )
        before = self.connections[-1] if self.connections else {}
        if i <= before.get('video', -1) or j <= before.get('keypoint', -1):
            raise ConfigError(
                f'bilateral connection at stage {stage} must lie behind the one before '
                f'it, at {tuple(before.values())}, in both streams'
            )

    def layer(self, source: int, target: int, stride: Triple, upwards: bool):
        """One direction of one connection.

        Args:
            source, target: Channels.
            stride: Ratio of the two outputs in time, height and width.
            upwards: Whether the target is the larger one.
        """
        return convolution(source, target, KERNEL, stride, upwards)

    def transfer(self, layer: nn.Module, source: Tensor, target: Tensor) -> Tensor:
        """``layer`` of ``source``, in the shape of ``target``."""
        size = target.shape[2:]
        x = source
        for conv in layer if isinstance(layer, nn.Sequential) else (layer,):
            goals = _within_reach(conv, x.shape[2:], size)
            x = conv(x) if goals is None else conv(x, output_size=goals)
        return x if x.shape[2:] == size else F.interpolate(x, size, mode='nearest')

    def forward(
        self, stage: int | Sequence[int], video: Tensor, keypoint: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Fuse the outputs of a connected pair of stages.

        Args:
            stage: An index or a pair (i, j), as in ``stages``.
            video: (B, C_v, T_v, H_v, W_v).
            keypoint: (B, C_k, T_k, H_k, W_k).

        Returns:
            The fused pair, same shapes; unchanged at stages not connected.
        """
        key = _key(stage)
        ways = (self.to_video, keypoint, video), (self.to_keypoint, video, keypoint)
        fused = []
        for layers, source, target in ways:
            if key in layers:
                target = target + self.transfer(layers[key], source, target)
            fused.append(target)
        return tuple(fused)


@MODELS.register_module()
class SeparableBilateralNeck(BilateralNeck):
    """Bilateral connections in two convolutions each, in space and in time.

    Towards the smaller output 1×3×3 with the stride in space, then 7×1×1 with the
    stride in time; towards the larger one the transposed of both in reverse, so
    that the one in time is always computed where the maps are small. The rest is
    as in ``BilateralNeck``.
    """

    def layer(self, source: int, target: int, stride: Triple, upwards: bool):
        time, space = (KERNEL[0], 1, 1), (1, *KERNEL[1:])
        order = (time, source, space) if upwards else (space, target, time)
        first, inside, last = order
        return nn.Sequential(
            convolution(source, inside, first, stride, upwards),
            convolution(inside, target, last, stride, upwards),
        )


@MODELS.register_module()
class PointwiseBilateralNeck(BilateralNeck):
    """Bilateral connections that look at one position each: 1×1×1 and a resize.

    Where the target is smaller, features are averaged before the convolution;
    where it is larger, the convolution's output is repeated. The rest is as in
    ``BilateralNeck``.
    """

    def layer(self, source: int, target: int, stride: Triple, upwards: bool):
        return Conv3d(source, target, 1, bias=False)

    def transfer(self, layer: nn.Module, source: Tensor, target: Tensor) -> Tensor:
        size = target.shape[2:]
        smaller = tuple(map(min, source.shape[2:], size))
        x = source
        if x.shape[2:] != smaller:
            x = F.adaptive_avg_pool3d(x, smaller)
        x = layer(x)
        return x if x.shape[2:] == size else F.interpolate(x, size, mode='nearest')


def convolution(
    source: int, target: int, kernel: Triple, stride: Triple, upwards: bool
) -> Conv3d | ConvTranspose3d:
    """A convolution that strides along the axes its kernel looks along.

    It is transposed if it leads upwards, to a larger target.
    """
    stride = tuple(s if k > 1 else 1 for k, s in zip(kernel, stride))
    # So wide that every position is reached from both neighbouring strides.
    kernel = tuple(max(k, 2 * s - 1) for k, s in zip(kernel, stride))
    shape = dict(kernel_size=kernel, stride=stride, bias=False)
    shape['padding'] = tuple(k // 2 for k in kernel)
    if not upwards:
        return Conv3d(source, target, **shape)
    more = tuple(s - 1 for s in stride)
    return ConvTranspose3d(source, target, output_padding=more, **shape)


def _within_reach(
    conv: nn.Module, given: Sequence[int], wanted: Sequence[int]
) -> list[int] | None:
    """Output size nearest to ``wanted``; None where it is the convolution's own.

    A transposed convolution makes (n−1)·stride + 1 to n·stride positions of n, by
    itself the most. An axis without stride leaves no choice and is not looked at.
    """
    axes = list(zip(given, wanted, conv.stride))
    own = all(stride == 1 or n * stride == goal for n, goal, stride in axes)
    if own or not isinstance(conv, nn.ConvTranspose3d):
        return None
    return [
        n if stride == 1 else min(max(goal, (n - 1) * stride + 1), n * stride)
        for n, goal, stride in axes
    ]


def _step(source: StageInfo, target: StageInfo, to_larger: bool) -> tuple[Triple, bool]:
    """Ratio of two outputs in time, height and width, and whether it leads upwards.

    It does if the target is larger along some axis and smaller along none; if all
    ratios are 1, if ``to_larger``. The ratio is 1 along axes that go the other way.
    """
    times = 1 / source.time_stride, 1 / target.time_stride
    extents = [times, *zip(source.size, target.size)]
    down = tuple(max(1, round(a / b)) for a, b in extents)
    up = tuple(max(1, round(b / a)) for a, b in extents)
    upwards = max(down) == 1 and (max(up) > 1 or to_larger)
    return up if upwards else down, upwards


def _pair(stage: int | Sequence[int]) -> tuple[int, int]:
    return (stage, stage) if isinstance(stage, int) else tuple(stage)


def _key(stage: int | Sequence[int]) -> str:
    i, j = _pair(stage)
    return str(i) if i == j else f'{i}_{j}'
