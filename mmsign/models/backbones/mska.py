"""Attention between the keypoints of a hand, a face, a body (MSKA, Guan et al. 2024).

Symbols: B clips, T frames, K keypoints of the input, V of a group, C channels, S
subsets of attention, c channels of a query.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.keypoints import NAMES, channels_of
from mmsign.registry import MODELS

from ..layers.sequence import Dropout, PositionEncoding

_LEFT, _RIGHT = (
    tuple(f'{side}_{point}' for point in ('eye', 'ear', 'shoulder', 'elbow', 'wrist'))
    + (f'{side}_hand',)
    for side in ('left', 'right')
)
GROUPS: dict[str, tuple[str, ...]] = dict(
    left=('nose', *_LEFT),
    face=('face', 'mouth'),
    right=('nose', *_RIGHT),
    body=('nose', *_LEFT, *_RIGHT, 'face', 'mouth'),
)
"""The published groups, in the order of the fused features: parts and points by name,
see ``keypoints.channels_of``."""
# Of the first block's convolution over time, and of the others'.
_KERNELS = 7, 3
_SLOPE = 0.1


def _unit(source: int, target: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolution over time and batch norm."""
    sizes = dict(kernel_size=(kernel, 1), stride=(stride, 1), padding=(kernel // 2, 0))
    return nn.Sequential(nn.Conv2d(source, target, **sizes), nn.BatchNorm2d(target))


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, _SLOPE)


class _Block(nn.Module):
    """Attention between the points of a clip, then a convolution over time.

    With q, k linear in x plus the sinusoid over the points, n frames of the clip and
    A_s[u, v] = tanh(Σ_{c, t} q_s[c, t, u]·k_s[c, t, v] / (c·n))·scale_s + prior_s[u, v]
    the points become Σ_u x[u]·A_s[u, v] for each subset s, mixed by a linear layer; one
    map holds for the whole clip.
    """

    def __init__(
        self,
        points: int,
        in_channels: int,
        channels: int,
        kernel: int,
        stride: int,
        subsets: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stride, self.subsets, self.inner = stride, subsets, channels // 4
        self.positions = PositionEncoding(in_channels)
        self.query_key = nn.Conv2d(in_channels, 2 * subsets * self.inner, 1)
        self.scale = nn.Parameter(torch.ones(1, subsets, 1, 1))
        prior = torch.full((1, subsets, points, points), 1 / points)
        self.prior = nn.Parameter(prior)
        self.dropout = Dropout(dropout)
        self.mix = _unit(subsets * in_channels, channels)
        self.feedforward = _unit(channels, channels)
        self.temporal = _unit(channels, channels, kernel, stride)
        self.shortcut1 = self.shortcut2 = self.shortcut_time = nn.Identity()
        if in_channels != channels or stride != 1:
            self.shortcut1 = _unit(in_channels, channels)
            self.shortcut2 = _unit(in_channels, channels)
            self.shortcut_time = _unit(channels, channels, stride=stride)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(B, C, T, V) → (B, C', T', V), T' = ⌈T/stride⌉.

        ``valid`` (B, 1, T, 1) is 1 on a clip's own frames; None if all count.
        """
        y = torch.einsum('bctu,bsuv->bsctv', x, self.attention(x, valid))
        y = _active(self.shortcut1(x) + self.mix(y.flatten(1, 2)))
        y = _active(self.shortcut2(x) + self.feedforward(y))
        # Behind a clip lie zeros, whatever it is batched with.
        own = y if valid is None else y * valid
        return _active(self.shortcut_time(y) + self.temporal(own))

    def attention(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """A (B, S, V, V); arguments as above."""
        y = self.positions(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        both = self.query_key(y).unflatten(1, (2, self.subsets, self.inner))
        query, key = both.unbind(1)
        frames = x.shape[2]
        if valid is not None:
            key = key * valid[:, None]
            frames = valid.sum((1, 2, 3)).clamp(min=1)[:, None, None, None]
        alike = torch.einsum('bsctu,bsctv->bsuv', query, key) / (self.inner * frames)
        return self.dropout(alike.tanh() * self.scale + self.prior)


class _Group(nn.Module):
    """A network of its own on some of the points."""

    def __init__(
        self,
        points: Sequence[int],
        channels: Sequence[int],
        strides: Sequence[int],
        subsets: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.register_buffer('points', torch.tensor(points), persistent=False)
        self.embedding = nn.Sequential(*_unit(3, channels[0]), nn.LeakyReLU(_SLOPE))
        sizes = zip((channels[0], *channels), channels, strides)
        self.blocks = nn.ModuleList(
            _Block(len(points), *pair, _KERNELS[n > 0], stride, subsets, dropout)
            for n, (*pair, stride) in enumerate(sizes)
        )

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(B, 3, T, K) → (B, C, T'), the mean of its points."""
        x = self.embedding(x.index_select(3, self.points))
        for block in self.blocks:
            x = block(x, valid)
            # Step j of a block looks at the frames around j·stride.
            valid = None if valid is None else valid[:, :, :: block.stride]
        return x.mean(3)


@MODELS.register_module()
class MSKA(BaseModule):
    """Multi-stream keypoint attention: one network per group of points.

    Takes ``masked_points`` of the data preprocessor
    (``keypoint_input='masked_points'``). Clips may have any length, and what a clip is
    batched with changes nothing in evaluation. The features of the groups stand side by
    side in the channels; ``GroupHead`` reads them.

    Args:
        in_channels: Of the points: x, y, score, and whether a frame is the clip's.
        keypoints: Which of the 79 the input has, supplied by the stream.
        groups: By name, the parts and points of each, in any order of their own.
        channels: C of each block; its queries have a quarter.
        strides: Of the blocks, in time.
        subsets: S.
        dropout: Probability in the attention.
        count_padding: Whether the frames that a clip is padded with count like its
            own, as in the published code; the network then takes ``points``, and a
            clip's output changes with what it is batched with.

    Attributes:
        group_names: Of the groups, in the order of their channels.

    Raises:
        ConfigError: For another input, for points of a group that the input lacks, or
            sizes that do not fit each other.

    Examples:
        >>> net = MSKA(channels=(8, 8), strides=(2, 2)).eval()
        >>> net(torch.zeros(2, 4, 18, 79, 1)).shape
        torch.Size([2, 32, 5, 1, 1])
    """

    def __init__(
        self,
        in_channels: int = 4,
        keypoints: Sequence[int] = channels_of(None),
        groups: Mapping[str, Sequence[str | int]] = GROUPS,
        channels: Sequence[int] = (64, 64, 128, 128, 256, 256, 256, 256),
        strides: Sequence[int] = (2, 1, 1, 1, 2, 1, 1, 1),
        subsets: int = 6,
        dropout: float = 0.1,
        count_padding: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        kind, expected = ('points', 3) if count_padding else ('masked_points', 4)
        if in_channels != expected:
            raise ConfigError(
                f'MSKA(count_padding={count_padding}) takes {expected} channels of '
                f'data_preprocessor.keypoint_input={kind!r}, not {in_channels}'
            )
        if len(channels) != len(strides) or not channels or min(channels) < 4:
            raise ConfigError(
                'MSKA: channels, 4 at least, and strides are one per block, not '
                f'{tuple(channels)} and {tuple(strides)}'
            )
        self.count_padding, self.group_names = count_padding, tuple(groups)
        settings = channels, strides, subsets, dropout
        self.groups = nn.ModuleDict(
            {
                name: _Group(_places(name, points, keypoints), *settings)
                for name, points in groups.items()
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4, T, K, 1) → (B, groups·C, T', 1, 1), with each stride T' = ⌈T/stride⌉.

        With ``count_padding`` (B, 3, T, K, 1).
        """
        across, down, *rest = x.squeeze(-1).split(1, dim=1)
        valid = None if self.count_padding else rest.pop()[..., :1]
        # The published network's y grows upwards.
        x = torch.cat([across, -down, *rest], dim=1)
        found = [group(x, valid) for group in self.groups.values()]
        return torch.cat(found, dim=1)[..., None, None]


def _places(group: str, points: Sequence[str | int], keypoints: Sequence[int]):
    """Where the points of a group lie among the keypoints of the input."""
    # A group may begin with any of its points: their order is that of the positions.
    listed = (channel for point in points for channel in channels_of(point))
    channels = list(dict.fromkeys(listed))
    missing = [NAMES[channel] for channel in channels if channel not in keypoints]
    if missing or not channels:
        lacking = ', '.join(missing) or 'any point'
        raise ConfigError(
            f'MSKA: the group {group!r} lacks {lacking} among the {len(keypoints)} '
            'keypoints of data_preprocessor.keypoints; choose these too, or name '
            'other groups'
        )
    return [list(keypoints).index(channel) for channel in channels]
