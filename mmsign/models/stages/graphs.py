"""Stages of MMAction2's graph networks on keypoints.

Symbols: B clips, C channels, T frames, K keypoints. The grid of the contract is
(K, 1): (B, C, T, K, 1). MMAction2's networks take (B, M, T, K, C) with M people;
there is one signer.
"""

from mmaction.models.backbones import AAGCN, STGCN
from torch import Tensor

from .contract import Stage, stage_adapter
from .convolutional import chain


def _per_keypoint(name: str) -> bool:
    """Tensors with one entry per keypoint: the input's norm, adjacencies, and
    AAGCN's attention over the keypoints."""
    last = name.rpartition('.')[2]
    return name.startswith('data_bn.') or last in ('A', 'PA') or '.conv_sa.' in name


def _graph_stages(net: STGCN | AAGCN) -> list[Stage]:
    """Blocks of equal width and stride; the first stage opens with the norm."""
    # MMAction2 counts the blocks from 1; one is missing where the first has
    # nothing to change.
    shift = 1 if net.in_channels != net.base_channels else 2
    cuts = sorted({*net.inflate_stages, *net.down_stages})
    bounds = [0, *(c - shift for c in cuts if 0 < c - shift < len(net.gcn))]
    bounds.append(len(net.gcn))

    def stage(begin: int, end: int) -> Stage:
        def run(x: Tensor) -> Tensor:
            x = x.squeeze(-1)
            x = _normalised(net, x) if begin == 0 else x
            return chain(*net.gcn[begin:end])(x).unsqueeze(-1)

        return run

    return [stage(begin, end) for begin, end in zip(bounds, bounds[1:])]


def _normalised(net: STGCN | AAGCN, x: Tensor) -> Tensor:
    """The input's batch norm over (keypoint, channel), (B, C, T, K) → same."""
    clips, channels, frames, keypoints = x.shape
    x = x.permute(0, 3, 1, 2).reshape(clips, keypoints * channels, frames)
    x = net.data_bn(x).view(clips, keypoints, channels, frames)
    return x.permute(0, 2, 3, 1).contiguous()


stage_adapter(STGCN, input_tensors=_per_keypoint)(_graph_stages)
stage_adapter(AAGCN, input_tensors=_per_keypoint)(_graph_stages)
