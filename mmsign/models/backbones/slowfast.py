"""SlowFast (Feichtenhofer et al. 2019) whose paths add to each other, as in
SlowFastSign (Ahn et al. 2024, "SlowFast Network for Continuous Sign Language
Recognition").

Symbols: B clips, T frames, α frames of the fast path per frame of the slow one, β
channels of the slow path per channel of the fast one, C channels of a stage of the slow
path.

The slow path sees the frames 0, α, 2α, …, the fast one all. Behind the stem and each
layer but the last one, both from what the paths put out,

    slow ← slow + v_s · ReLU(BN(conv(fast))),
    fast ← fast + v_f · ReLU(BN(conv(slow)))

with a convolution of 5 frames and stride α, and one of 1 frame, repeated α times. v_s
and v_f start at 0, and the paths as two networks.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
import torch.nn as nn
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..stages.convolutional import chain
from .resnet3d import LAYERS, ResNet3d

DEPTHS = (50, 101, 152)
FUSION_KERNEL = 5
# Blocks of the third layer that look at three frames, in networks of any depth.
BLOCKS_IN_TIME = 6


class _Fusion(nn.Module):
    """Exchange between the paths behind one stage; the equations above."""

    def __init__(self, slow: int, fast: int, speed_ratio: int) -> None:
        super().__init__()
        in_time = dict(
            stride=(speed_ratio, 1, 1), padding=(FUSION_KERNEL // 2, 0, 0), bias=False
        )
        kernel = (FUSION_KERNEL, 1, 1)
        self.to_slow = ConvModule(fast, slow, kernel, **in_time, **LAYERS)
        self.to_fast = ConvModule(slow, fast, 1, bias=False, **LAYERS)
        self.slow_gain = nn.Parameter(torch.zeros(1))
        self.fast_gain = nn.Parameter(torch.zeros(1))
        self.speed_ratio = speed_ratio

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, ⌈T/α⌉, H, W) and (B, C/β, T, H, W), the same."""
        to_fast = repeated(self.to_fast(slow), self.speed_ratio, fast.shape[2])
        to_slow = self.to_slow(fast)
        # By numbers, not vectors, which would have 16 bit become 32.
        slow = slow + self.slow_gain[0] * to_slow
        return slow, fast + self.fast_gain[0] * to_fast


def repeated(x: Tensor, times: int, frames: int) -> Tensor:
    """(B, C, ⌈T/times⌉, H, W) → (B, C, T, H, W): each frame several times."""
    # In the order of memory.
    x = x.permute(0, 2, 3, 4, 1).repeat_interleave(times, dim=1)
    return x[:, :frames].permute(0, 4, 1, 2, 3)


@MODELS.register_module()
class BidirectionalSlowFast(BaseModule):
    """SlowFast with additive fusion in both directions.

    Its stages are the stem and the four layers, each with the fusion behind it. A stage
    puts out both paths as one: the channels of the slow path, whose frames are repeated
    to the length of the fast one, then the channels of the fast path. The next one
    takes every α-th frame of the former.

    Args:
        depth: 50, 101 or 152, of both paths.
        in_channels: Channels of the input: 3 for video, K for heatmaps.
        base_channels: Of the slow path's stem; 64 is the published width.
        speed_ratio: α.
        channel_ratio: β.
        stage_blocks: Blocks of each of the four layers; the depth's unless given.
        with_cp: Recompute the activations of each residual block in backward.

    Raises:
        ConfigError: For another depth, or channels that the ratio does not divide.

    Attributes:
        pathway_channels: Of ``slow`` and ``fast``, in what the network puts out.

    Examples:
        >>> net = BidirectionalSlowFast(base_channels=8, stage_blocks=(1, 1, 1, 1))
        >>> net(torch.zeros(1, 3, 8, 32, 32)).shape, net.pathway_channels
        (torch.Size([1, 288, 8, 1, 1]), {'slow': 256, 'fast': 32})
    """

    def __init__(
        self,
        depth: int = 101,
        in_channels: int = 3,
        base_channels: int = 64,
        speed_ratio: int = 4,
        channel_ratio: int = 8,
        stage_blocks: Sequence[int] | None = None,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if depth not in DEPTHS or base_channels % channel_ratio:
            raise ConfigError(
                f'BidirectionalSlowFast: depth={depth} must be one of {DEPTHS}, '
                f'base_channels={base_channels} a multiple of {channel_ratio=}'
            )
        self.speed_ratio, self.with_cp = speed_ratio, with_cp
        blocks = stage_blocks or ResNet3d.arch_settings[depth][1]
        third = tuple(int(i < BLOCKS_IN_TIME) for i in range(blocks[2]))
        common = dict(
            depth=depth,
            in_channels=in_channels,
            stage_blocks=tuple(blocks),
            with_cp=with_cp,
        )
        self.slow_path = ResNet3d(
            base_channels=base_channels,
            conv1_kernel=(1, 7, 7),
            inflate=(0, 0, third, 1),
            **common,
        )
        self.fast_path = ResNet3d(
            base_channels=base_channels // channel_ratio,
            conv1_kernel=(5, 7, 7),
            inflate=(1, 1, third, 1),
            **common,
        )
        widths = [_widths(path) for path in (self.slow_path, self.fast_path)]
        self._slow_channels, _ = widths
        self.pathway_channels = dict(slow=widths[0][-1], fast=widths[1][-1])
        self.fusions = nn.ModuleList(
            _Fusion(*pair, speed_ratio) for pair in list(zip(*widths))[:-1]
        )

    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        """The stem, then one per layer."""
        pairs = zip(self.slow_path.stages(), self.fast_path.stages())
        return [partial(self._run, i, *pair) for i, pair in enumerate(pairs)]

    def _run(self, index: int, slow_stage, fast_stage, x: Tensor) -> Tensor:
        slow = fast = x
        if index:
            slow, fast = x.tensor_split((self._slow_channels[index - 1],), dim=1)
        slow, fast = slow_stage(slow[:, :, :: self.speed_ratio]), fast_stage(fast)
        if index < len(self.fusions):
            slow, fast = self.fusions[index](slow, fast)
        slow = repeated(slow, self.speed_ratio, fast.shape[2])
        paths = [path.permute(0, 2, 3, 4, 1) for path in (slow, fast)]
        return torch.cat(paths, dim=-1).permute(0, 4, 1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → features of the last stage."""
        return chain(*self.stages())(x)

    def convert_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Our names for tensors of MMAction2's SlowFast, a published network, or ours.

        Where the fast path is one of the inputs of the slow one, its channels are left
        out; a kernel over three frames, where ours looks at one, is summed over them;
        and fusions that the file does not have stay as they are.
        """
        own = self.state_dict()
        result = {k: v for k, v in own.items() if k.startswith('fusions.')}
        for name, x in state.items():
            name = slowfast_name(name.removeprefix('conv2d.'))
            if name in own and x.dim() == 5:
                shape = own[name].shape
                x = x[:, : shape[1]]
                if shape[2] == 1:
                    x = x.sum(2, keepdim=True)
            result[name] = x
        return result


def _widths(path: ResNet3d) -> list[int]:
    """Channels that each stage of a path puts out."""
    layers = (getattr(path, name) for name in path.res_layers)
    last = (layer[-1].conv3.out_channels for layer in layers)
    return [path.conv1.out_channels, *last]


_PATHS = ('slow_path', 'fast_path')
_LAYER = re.compile(r's(\d)\.pathway(\d)_(?:stem|res(\d+))\.(.+)\.(\w+)')
_LAYER_PARTS = {
    'conv': 'conv1.conv',
    'bn': 'conv1.bn',
    'branch1': 'downsample.conv',
    'branch1_bn': 'downsample.bn',
    **{f'branch2.{x}': f'conv{i}.conv' for i, x in enumerate('abc', 1)},
    **{f'branch2.{x}_bn': f'conv{i}.bn' for i, x in enumerate('abc', 1)},
}
_FUSION = re.compile(r's(\d)_fuse\.(\w+)(.*)')
_FUSION_PARTS = dict(
    weight_s='slow_gain',
    weight_f='fast_gain',
    conv_f2s='to_slow.conv',
    bn='to_slow.bn',
    conv_s2f='to_fast.conv',
    bn2='to_fast.bn',
)


def slowfast_name(name: str) -> str:
    """Our name of a tensor of SlowFastSign's backbone.

    Examples:
        >>> slowfast_name('s2.pathway0_res1.branch2.a_bn.bias')
        'slow_path.layer1.1.conv1.bn.bias'
    """
    if match := _LAYER.fullmatch(name):
        stage, path, block, part, tensor = match.groups()
        where = '' if block is None else f'layer{int(stage) - 1}.{block}.'
        return f'{_PATHS[int(path)]}.{where}{_LAYER_PARTS[part]}.{tensor}'
    if match := _FUSION.fullmatch(name):
        stage, part, rest = match.groups()
        return f'fusions.{int(stage) - 1}.{_FUSION_PARTS[part]}{rest}'
    return name
