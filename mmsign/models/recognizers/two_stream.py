"""TwoStream-SLR (Chen et al. 2022, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

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
            if self.keypoint.input_key == 'points':
                raise ConfigError(
                    'bilateral connections need maps in both streams, a graph on '
                    'keypoints has none; leave bilateral out'
                )
            self.bilateral = MODELS.build(
                bilateral
                | dict(
                    video_stages=self.video.stage_info,
                    keypoint_stages=self.keypoint.stage_info,
                )
            )
        strides = [s.output_stride for s in self.streams.values()]
        if strides[0] != strides[1]:
            raise ConfigError(
                'the streams must end at the same time stride to be averaged: '
                f'video has {strides[0]}, keypoint {strides[1]}; name the same '
                'output_stride in both'
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
        x = {name: inputs[stream.input_key] for name, stream in self.streams.items()}
        stages = {name: stream.stages() for name, stream in self.streams.items()}
        features: Features = {name: [] for name in x}
        ends = dict(zip(x, map(len, stages.values())))
        # Both streams up to a connection, the exchange, and on.
        for connection in (*self.bilateral.connections, None):
            for name in x:
                last = ends[name] - 1 if connection is None else connection[name]
                while len(features[name]) <= last:
                    x[name] = stages[name][len(features[name])](x[name])
                    features[name].append(x[name])
            if connection is not None:
                fused = self.bilateral(tuple(connection.values()), *x.values())
                for name, y in zip(x, fused):
                    x[name] = features[name][-1] = y
        return features

    def pool(self, features: Features) -> dict[str, Tensor]:
        """Last features of each stream averaged over space, (B, T', C) each.

        At a length that the strides do not divide, backbones round up or down;
        both streams then get the smaller number of steps.
        """
        pooled = super().pool(features)
        steps = min(x.shape[1] for x in pooled.values())
        for name, x in pooled.items():
            if x.shape[1] > steps:
                x = F.adaptive_avg_pool1d(x.transpose(1, 2), steps)
                pooled[name] = x.transpose(1, 2)
        return pooled

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
