"""Bilateral lateral connections between the two streams (paper, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ..stages import StageInfo

# Kernel in time and in space. The paper's; wider in time than in space.
KERNEL = (7, 3, 3)


@MODELS.register_module()
class BilateralNeck(BaseModule):
    """Exchange features between the streams after chosen stages.

    After stage i both directions are computed from the un-fused features and
    added: video + ConvTranspose3d(keypoint), keypoint + Conv3d(video). The
    convolutions have no bias and no norm; their spatial stride is the ratio of
    the two feature maps' sizes.

    Args:
        stages: Indices of the stages, counted from 0.
        init_gain: Factor of the Kaiming-normal initialisation; 1 is the paper's.
            Smaller ones disturb streams that are trained already less.
        video_stages, keypoint_stages: What the streams put out; supplied by
            the recognizer.

    Raises:
        ValueError: At build time, for a stage that does not exist or two
            stages whose sizes cannot be matched.
    """

    def __init__(
        self,
        video_stages: Sequence[StageInfo],
        keypoint_stages: Sequence[StageInfo],
        stages: Sequence[int] = (0, 1, 2),
        init_gain: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.to_keypoint = nn.ModuleDict()
        self.to_video = nn.ModuleDict()
        pad = tuple(k // 2 for k in KERNEL)
        available = min(len(video_stages), len(keypoint_stages))
        for index in stages:
            if not 0 <= index < available:
                raise ValueError(
                    f'bilateral connection at stage {index}: the streams have '
                    f'the stages 0 to {available - 1} in common'
                )
            video, keypoint = video_stages[index], keypoint_stages[index]
            ratio = self._ratio(index, video, keypoint)
            shape = dict(kernel_size=KERNEL, stride=(1, ratio, ratio), padding=pad)
            self.to_keypoint[str(index)] = nn.Conv3d(
                video.channels, keypoint.channels, bias=False, **shape
            )
            self.to_video[str(index)] = nn.ConvTranspose3d(
                keypoint.channels,
                video.channels,
                bias=False,
                output_padding=(0, ratio - 1, ratio - 1),
                **shape,
            )
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data.mul_(init_gain)

    @staticmethod
    def _ratio(index: int, video: StageInfo, keypoint: StageInfo) -> int:
        ratio = video.size[0] // max(1, keypoint.size[0])
        same = video.size == (keypoint.size[0] * ratio, keypoint.size[1] * ratio)
        if not same or ratio not in (1, 2) or video.time_stride != keypoint.time_stride:
            raise ValueError(
                f'bilateral connection at stage {index}: the video stage has size '
                f'{video.size} at time stride {video.time_stride}, the keypoint '
                f'stage {keypoint.size} at {keypoint.time_stride}; the time '
                'strides must be equal and the video stage as large as the '
                'keypoint stage or twice as large (choose video_size and '
                'heatmap_size accordingly)'
            )
        return ratio

    def forward(
        self, index: int, video: Tensor, keypoint: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Fuse the outputs of stage ``index``.

        Args:
            video: (B, C_v, T, H, W).
            keypoint: (B, C_k, T, H/r, W/r).

        Returns:
            The fused pair, same shapes; unchanged at stages not connected.
        """
        key = str(index)
        if key not in self.to_video:
            return video, keypoint
        return (
            video + self.to_video[key](keypoint),
            keypoint + self.to_keypoint[key](video),
        )
