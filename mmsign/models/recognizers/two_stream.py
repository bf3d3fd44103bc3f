"""TwoStream-SLR (Chen et al. 2022, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..streams import INPUT_KEYS
from .base import Features, SignRecognizer


@MODELS.register_module()
class TwoStreamRecognizer(SignRecognizer):
    """Video and keypoint streams with bilateral connections and a joint head.

    Args:
        video, keypoint: Configs of the two streams; see ``Stream``.
        bilateral: Config of the connections; None for late fusion.
        joint: Config of the joint head; None averages the two streams.
        distillation: Config of the self-distillation loss; None for CTC alone.
        **kwargs: See ``SignRecognizer``.
    """

    def __init__(
        self,
        video: dict,
        keypoint: dict,
        bilateral: dict | None = None,
        joint: dict | None = None,
        distillation: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(video=video, keypoint=keypoint, **kwargs)
        self.bilateral = self.joint_head = self.distillation = None
        if bilateral is not None:
            self.bilateral = MODELS.build(
                bilateral
                | dict(
                    video_stages=self.video.stage_info,
                    keypoint_stages=self.keypoint.stage_info,
                )
            )
        strides = [s.stage_info[-1].time_stride for s in self.streams.values()]
        if strides[0] != strides[1]:
            raise ValueError(
                'the streams must end at the same time stride to be averaged: '
                f'video has {strides[0]}, keypoint {strides[1]}'
            )
        if joint is not None:
            self.joint_head = MODELS.build(
                joint
                | dict(
                    in_channels=self.keypoint.out_channels + self.video.out_channels,
                    num_classes=len(self.vocab),
                )
            )
        if distillation is not None:
            self.distillation = MODELS.build(distillation)
        self._finish()

    def encode(self, inputs: dict[str, Tensor]) -> Features:
        """Stage outputs of both streams, fused where they are connected."""
        if self.bilateral is None:
            return super().encode(inputs)
        x = {name: inputs[INPUT_KEYS[name]] for name in self.streams}
        stages = {name: stream.stages() for name, stream in self.streams.items()}
        features: Features = {name: [] for name in x}
        for index in range(max(map(len, stages.values()))):
            for name in x:
                if index < len(stages[name]):
                    x[name] = stages[name][index](x[name])
            x['video'], x['keypoint'] = self.bilateral(index, x['video'], x['keypoint'])
            for name in x:
                if index < len(stages[name]):
                    features[name].append(x[name])
        return features

    def head_outputs(
        self, pooled: dict[str, Tensor], lengths: Sequence[int], frames: int
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Outputs of both streams and, with a joint head, of both together."""
        outputs = super().head_outputs(pooled, lengths, frames)
        if self.joint_head is not None:
            both = torch.cat([pooled['keypoint'], pooled['video']], dim=-1)
            valid = self._steps(lengths, frames, both)
            outputs['joint'] = self.joint_head(both, valid)
        return outputs

    def agreement_losses(
        self, logits: dict[str, Tensor], lengths: Sequence[int], frames: int
    ) -> dict[str, Tensor]:
        """Self-distillation of every output (paper, eq. 4)."""
        if self.distillation is None:
            return {}
        valid = self._steps(lengths, frames, logits['video'])
        terms = self.distillation(logits, valid)
        return {f'loss_distill_{name}': term for name, term in terms.items()}
