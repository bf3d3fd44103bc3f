"""Convolutions over time on the keypoints themselves: small, for corpora that are.

Symbols: B clips, T frames, K = 79 keypoints, F numbers that describe a frame, C
channels.

A frame is described by where the body is and what the hands and the face look like by
themselves: each part relative to its own root and in its own size, so that neither the
signer's place nor the proportions of a body matter much.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.keypoints import ARMS, CONFIDENT, NOSE, PARTS, SELECTED_79
from mmsign.registry import MODELS

from ..stages import Stage

_BODY = PARTS['upper_body']
_FACE = (PARTS['face'], PARTS['mouth'])
# The roots of four fingers: open or closed, a hand is as large as its palm.
_PALM = slice(5, 18, 4)
# A part is at least this large, in units of half the crop box: a hand seen from its
# tips is no point.
_SMALLEST = 0.02
# Between two frames things move by a few hundredths of the shoulders' width.
_MOTION = 10.0


class _StepNorm(nn.LayerNorm):
    """Layer norm of each step's channels, (B, C, T) → same.

    Unlike those of a batch norm its statistics are those of one step: neither the other
    clips of a batch nor padding nor the dropout of training goes into them.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class _Block(nn.Module):
    """x + dropout(ReLU(norm(conv(x)))), (B, C, T) → same."""

    def __init__(
        self, channels: int, kernel_size: int, dilation: int, dropout: float
    ) -> None:
        super().__init__()
        # Not padding='same', which ONNX has for no dilation.
        padding = dilation * (kernel_size // 2)
        self.conv = nn.Conv1d(
            channels, channels, kernel_size, padding=padding, dilation=dilation
        )
        self.norm = _StepNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(F.relu(self.norm(self.conv(x))))


@MODELS.register_module()
class KeypointTCN(BaseModule):
    """Describe every frame by its keypoints, then convolve over time.

    Takes ``points`` of the data preprocessor (``keypoint_input='points'``). A keypoint
    without a score counts as missing, of hands and face also one whose score is below
    the threshold: its numbers are 0. Flags say which points of the body, which hands
    (or their wrists) and whether the face was found.

    Args:
        in_channels: Of the points: x, y, score.
        channels: C.
        depths: Residual blocks before and behind each halving of the frames. Each
            looks twice as far as the one before it: to say a sign once, a step has to
            see the whole of it.
        kernel_size: Of the convolutions, in steps; odd.
        dropout: Probability behind each block.
        score_threshold: From which score on a keypoint of hands and face is there.

    Examples:
        >>> net = KeypointTCN(channels=8, depths=(1, 1)).eval()
        >>> net(torch.zeros(2, 3, 16, 79, 1)).shape
        torch.Size([2, 8, 8, 1, 1])
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: int = 128,
        depths: Sequence[int] = (2, 3),
        kernel_size: int = 5,
        dropout: float = 0.5,
        score_threshold: float = CONFIDENT,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if in_channels != 3 or not depths or kernel_size % 2 == 0:
            raise ConfigError(
                "KeypointTCN takes x, y and score of keypoint_input='points', depths "
                f'of at least one part and an odd kernel_size, not {in_channels} '
                f'channels, {tuple(depths)} and {kernel_size}'
            )
        self.score_threshold = score_threshold
        size = describe(torch.zeros(1, 3, 1, len(SELECTED_79)), 0.5).shape[1]
        self.embedding = nn.Sequential(
            nn.Conv1d(size, channels, 1),
            _StepNorm(channels),
            nn.ReLU(),
            nn.Dropout(dropout / 4),
        )
        self.layers = nn.ModuleList(
            nn.Sequential(
                *(_Block(channels, kernel_size, 2**i, dropout) for i in range(n))
            )
            for n in depths
        )

    def stages(self) -> list[Stage]:
        """(B, 3, T, K, 1) → (B, C, T, 1, 1) → half the steps with every further one."""

        def first(x: Tensor) -> Tensor:
            if x.shape[3] != len(SELECTED_79):
                raise ConfigError(
                    f'KeypointTCN describes all {len(SELECTED_79)} keypoints, not '
                    f'{x.shape[3]}; what is missing has score 0'
                )
            described = describe(x.squeeze(-1), self.score_threshold)
            return self.layers[0](self.embedding(described))[..., None, None]

        def later(layer: nn.Module) -> Stage:
            def run(x: Tensor) -> Tensor:
                x = F.max_pool1d(x.flatten(2), 2, ceil_mode=True)
                return layer(x)[..., None, None]

            return run

        return [first, *(later(layer) for layer in self.layers[1:])]

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, K, 1) → (B, C, ⌈T/2^(n−1)⌉, 1, 1) for n depths."""
        for stage in self.stages():
            x = stage(x)
        return x


def describe(points: Tensor, score_threshold: float) -> Tensor:
    """(B, 3, T, K) points in the crop box → (B, F, T).

    Places of the body, relative to the box; of each hand the place of its root, or else
    of the wrist, and the way from the nose to it; hands and face relative to their
    roots in their own size; what moved since the frame before; and what was found.
    """
    score = points[:, 2].float()
    # Where it sees no hand and no face, an estimator puts them anywhere; what it says
    # of a body's points out of sight is still a good guess.
    least = score.new_full((len(SELECTED_79),), score_threshold)
    least[_BODY] = 0
    seen = (score >= least) & (score > 0)
    found = seen[:, None].float()
    # What is missing may lie anywhere, also at infinity.
    xy = torch.where(seen[:, None], points[:, :2].float(), 0)
    nose, nose_found = xy[..., NOSE : NOSE + 1], found[..., NOSE : NOSE + 1]
    places, there, shapes = [2 * xy[..., _BODY]], [found[..., _BODY]], []
    for _, _, wrist, hand in ARMS:
        # Where no hand is found, the body may know the wrist.
        lost = found[..., hand][..., :1] == 0
        at_wrist = slice(wrist, wrist + 1)
        root = torch.where(lost, xy[..., at_wrist], xy[..., hand][..., :1])
        root_found = torch.where(lost, found[..., at_wrist], found[..., hand][..., :1])
        places.append(2 * root)
        there.append(root_found)
        shapes.append(2 * (root - nose) * root_found * nose_found)
        shapes.append(_shape(xy[..., hand], found[..., hand], root, root_found, _PALM))
    face = torch.cat([xy[..., part] for part in _FACE], -1)
    face_found = torch.cat([found[..., part] for part in _FACE], -1)
    shapes.append(_shape(face, face_found, nose, nose_found))
    place, placed = torch.cat(places, -1), torch.cat(there, -1)
    # Of what was found in both frames.
    both = placed[:, :, 1:] * placed[:, :, :-1]
    motion = F.pad((place[:, :, 1:] - place[:, :, :-1]) * both, (0, 0, 1, 0)) * _MOTION
    parts = [place, *shapes, motion, placed, face_found[..., :1]]
    return torch.cat([part.transpose(2, 3).flatten(1, 2) for part in parts], 1)


def _shape(
    xy: Tensor,
    found: Tensor,
    root: Tensor,
    root_found: Tensor,
    measured: slice = slice(None),
) -> Tensor:
    """Points (B, 2, T, n) relative to a root (B, 2, T, 1), in the part's size.

    That is the mean distance of the ``measured`` points from the root, or of all that
    were found if none of these was.
    """
    found = found * root_found
    apart = (xy - root) * found
    counted = torch.zeros_like(found)
    counted[..., measured] = found[..., measured]
    counted = torch.where(counted.any(-1, keepdim=True), counted, found)
    if torch.onnx.is_in_onnx_export():
        far = apart.square().sum(1, keepdim=True).sqrt()
    else:  # Its gradient is not needed, and hypot is the fastest there is.
        far = torch.hypot(*apart.split(1, dim=1))
    size = (far * counted).sum(-1, keepdim=True)
    size = size / counted.sum(-1, keepdim=True).clamp(min=1)
    return apart / size.clamp(min=_SMALLEST)
