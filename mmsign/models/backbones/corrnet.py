"""CorrNet (Hu et al. 2023, "Continuous Sign Language Recognition with Correlation
Network"): a ResNet-18 on every frame, whose features look at the frames next to them.

Symbols: B clips, C channels, T frames, N = H·W positions of a frame, r = C/16.

With x_t (N, C) the features of a frame and y_t = W·x_t, the correlation is

    F_t = Σ_{n = t+1, t−1} w_n · (σ(x_t·y_nᵀ) − ½)·y_n,

where the first and the last frame are their own neighbours. Three depth-wise 9×3×3
convolutions, dilated by 1, 2 and 3 in space, of r channels say where it matters: with
m = W_back·Σ_d v_d·K_d(W_down·x), the network adds α·F·(σ(m) − ½) to x. α starts at 0,
and the network as a plain ResNet.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
import torch.nn as nn
import torch.utils.checkpoint
from torch import Tensor

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..layers.shifts import at_least_float32
from ..layers.volume import Conv3d, convolve
from ..stages.convolutional import chain, torchvision_to_mmaction
from .resnet3d import ResNet3d

LAYERS = (2, 3, 4)
DILATIONS = (1, 2, 3)
KERNEL = (9, 3, 3)
# Affinities of so many pairs of positions are in memory at a time: 64 MB of float32.
_PAIRS_AT_ONCE = 2**24


def correlate(x: Tensor, near: Tensor) -> Tensor:
    """(σ(x·nearᵀ) − ½)·near of each frame, in float32 at least.

    The affinities, N² of each frame, are computed for some frames at a time, and again
    for the gradient. They are sums over all channels, the result one over all
    positions: in 16 bit both would overflow, or lose what they tell.

    Args:
        x: (F, N, C) of F frames.
        near: (F, N, C) of the frames next to them.

    Returns:
        (F, N, C).
    """
    dtype = at_least_float32(x.dtype)
    with compat.without_autocast(x.device.type):
        if torch.onnx.is_in_onnx_export():
            return _correlated(x.to(dtype), near.to(dtype))
        count = max(1, _PAIRS_AT_ONCE // x.shape[1] ** 2)
        parts = []
        for some in zip(x.split(count), near.split(count)):
            some = [part.to(dtype) for part in some]
            if torch.is_grad_enabled():
                again = dict(use_reentrant=False, preserve_rng_state=False)
                part = torch.utils.checkpoint.checkpoint(_correlated, *some, **again)
            else:
                part = _correlated(*some)
            parts.append(part)
        return torch.cat(parts)


def _correlated(x: Tensor, near: Tensor) -> Tensor:
    # σ(a) − ½ = ½·tanh(a/2), of which the gradient needs no more than the result.
    return torch.bmm(torch.bmm(x / 2, near.transpose(1, 2)).tanh(), near) / 2


class Correlation(nn.Module):
    """F·(σ(m) − ½), as above.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        reduced = max(1, channels // 16)
        self.neighbour_weights = nn.Parameter(torch.full((2,), 0.5))
        self.project = Conv3d(channels, channels, 1, bias=False)
        self.reduce = Conv3d(channels, reduced, 1, bias=False)
        self.scale_weights = nn.Parameter(torch.full((3,), 1 / 3))
        self.scales = nn.ModuleList(
            nn.Conv3d(reduced, reduced, KERNEL, dilation=(1, d, d), groups=reduced)
            for d in DILATIONS
        )
        self.expand = Conv3d(reduced, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W), the same, in float32 at least."""
        return self._neighbours(x) * (self._weighted(x).sigmoid() - 0.5)

    def _neighbours(self, x: Tensor) -> Tensor:
        """F (B, C, T, H, W)."""
        # (B, T, N, C), in the order of memory.
        rows, y = (z.permute(0, 2, 3, 4, 1) for z in (x, self.project(x)))
        size = rows.shape
        rows, y = rows.flatten(2, 3), y.flatten(2, 3)
        following = torch.cat([y[:, 1:], y[:, -1:]], 1)
        before = torch.cat([y[:, :1], y[:, :-1]], 1)
        total = 0
        for weight, near in zip(self.neighbour_weights, (following, before)):
            total = total + weight * correlate(rows.flatten(0, 1), near.flatten(0, 1))
        return total.view(size).permute(0, 4, 1, 2, 3)

    def _weighted(self, x: Tensor) -> Tensor:
        """m (B, C, T, H, W)."""
        x = self.reduce(x)
        kernel, bias = self._kernel()
        padding = [k // 2 for k in kernel.shape[2:]]
        return self.expand(convolve(x, kernel, padding) + bias.view(-1, 1, 1, 1))

    def _kernel(self) -> tuple[Tensor, Tensor]:
        """The three dilated kernels as one (r, r, 9, 7, 7) for all channels, and bias.

        So few channels are computed faster with those of the others, times 0.
        """
        widest = max(DILATIONS)
        frames, *space = KERNEL
        side = [widest * (k - 1) + 1 for k in space]
        first = self.scales[0].weight
        kernel, bias = first.new_zeros(len(first), frames, *side), 0
        for weight, conv in zip(self.scale_weights, self.scales):
            d = conv.dilation[1]
            at = slice(widest - d, widest + d + 1, d)
            kernel[:, :, at, at] += weight * conv.weight[:, 0]
            bias = bias + weight * conv.bias
        own = torch.eye(len(first), dtype=first.dtype, device=first.device)
        return own[:, :, None, None, None] * kernel, bias


@MODELS.register_module()
class CorrNet(ResNet3d):
    """ResNet-18 per frame with correlations between neighbouring frames.

    Its stages are the stem and the four layers, each with the correlation behind it.

    Args:
        in_channels: Channels of the input: 3 for video, K for heatmaps.
        base_channels: Of the stem; 64 is the published width.
        correlated: Behind which of the layers 1 to 4 there is a correlation.
        with_cp: Recompute the activations of each residual block in backward.

    Examples:
        >>> net = CorrNet(base_channels=8)
        >>> net(torch.zeros(1, 3, 4, 32, 32)).shape  # T, H/32, W/32
        torch.Size([1, 64, 4, 1, 1])
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        correlated: Sequence[int] = LAYERS,
        with_cp: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            depth=18,
            in_channels=in_channels,
            base_channels=base_channels,
            conv1_kernel=(1, 7, 7),
            inflate=(0, 0, 0, 0),
            zero_init_residual=False,
            with_cp=with_cp,
            init_cfg=init_cfg,
        )
        if set(correlated) - set(range(1, self.num_stages + 1)):
            raise ConfigError(f'CorrNet has the layers 1 to 4, not {correlated=}')
        self.correlations = nn.ModuleDict(
            {str(i): Correlation(base_channels * 2 ** (i - 1)) for i in correlated}
        )
        self.gains = nn.Parameter(torch.zeros(len(self.correlations)))

    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        """The stem, then one per layer."""
        stages = super().stages()
        for index, layer in enumerate(self.correlations):
            add = partial(self._add, index, self.correlations[layer])
            stages[int(layer)] = chain(stages[int(layer)], add)
        return stages

    def _add(self, index: int, correlation: Correlation, x: Tensor) -> Tensor:
        return (x + self.gains[index] * correlation(x)).to(x.dtype)

    def convert_checkpoint(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Our names for the tensors of an image network, or a published CorrNet's.

        The correlations, which an image network does not have, stay as they are.
        """
        own = self.state_dict().items()
        result = {k: v for k, v in own if k.startswith(('correlations.', 'gains'))}
        for name, x in state.items():
            x = x.unsqueeze(2) if x.dim() == 4 else x
            result[corrnet_name(name.removeprefix('conv2d.'))] = x
        return result


_CORRELATION = re.compile(r'corr(\d)\.(\w+)(.*)')
_PARTS = dict(
    weights='scale_weights',
    weights2='neighbour_weights',
    down_conv='reduce',
    down_conv2='project',
    conv_back='expand',
    **{f'spatial_aggregation{i + 1}': f'scales.{i}' for i in range(len(DILATIONS))},
)


def corrnet_name(name: str) -> str:
    """Our name of a tensor of the published backbone, or of torchvision's ResNet-18.

    Examples:
        >>> corrnet_name('corr1.down_conv2.weight')
        'correlations.2.project.weight'
    """
    if match := _CORRELATION.fullmatch(name):
        # The first is behind the second layer.
        return f'correlations.{int(match[1]) + 1}.{_PARTS[match[2]]}{match[3]}'
    return 'gains' if name == 'alpha' else torchvision_to_mmaction(name)
