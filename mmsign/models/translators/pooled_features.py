"""The frozen part of a translator, and inputs that were computed by it before.

Symbols: B clips, T' steps, C channels of a stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
import torch.nn as nn
from mmengine.model import BaseDataPreprocessor
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmsign.structures import FEATURES_SUFFIX

from ..recognizers.recognizer import SignRecognizer
from ..recognizers.stream import is_auxiliary


class FeaturePreprocessor(BaseDataPreprocessor):
    """Pad cached features; leave frames and keypoints to the recognizer's.

    Args:
        clips: Data preprocessor of the recognizer.
    """

    def __init__(self, clips: BaseDataPreprocessor) -> None:
        super().__init__()
        self.clips = clips

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` with lists ``{stream}_features`` of (T', C), or what
                the recognizer's preprocessor takes; ``data_samples``.
            training: Whether it is a training step.

        Returns:
            ``inputs`` with ``{stream}_features`` (B, T', C), zero after the end;
            ``data_samples``.
        """
        if not is_features(data['inputs']):
            return self.clips(data, training)
        data = self.cast_data(data)
        inputs = {
            name: pad_sequence(rows, batch_first=True)
            for name, rows in data['inputs'].items()
        }
        return dict(inputs=inputs, data_samples=data['data_samples'])


def is_features(inputs: dict) -> bool:
    """Whether a batch holds cached features."""
    return bool(inputs) and all(name.endswith(FEATURES_SUFFIX) for name in inputs)


def stream_features(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Cached features by stream."""
    return {name.removesuffix(FEATURES_SUFFIX): x for name, x in inputs.items()}


def trained_heads(recognizer: SignRecognizer) -> list[nn.Module]:
    """The heads of a recognizer: all of it that translation trains."""
    joint = recognizer.joint_head
    heads = [stream.head for stream in recognizer.streams.values()]
    return heads if joint is None else [*heads, joint]


def frozen_parts(recognizer: SignRecognizer) -> Iterator[tuple[str, nn.Module]]:
    """Names and modules that hold none of the trained heads, outermost first."""
    heads = trained_heads(recognizer)
    inside = {id(part) for head in heads for part in head.modules()}
    around = {
        id(part)
        for part in recognizer.modules()
        if any(head is below for head in heads for below in part.modules())
    }
    done: list[str] = []
    for name, part in recognizer.named_modules():
        if id(part) in around or id(part) in inside:
            continue
        if not any(name.startswith(f'{prefix}.') for prefix in done):
            done.append(name)
            yield name, part


def freeze(recognizer: SignRecognizer) -> None:
    """Stop everything but the heads from being trained."""
    for _, part in frozen_parts(recognizer):
        part.requires_grad_(False)


def fingerprint(recognizer: SignRecognizer) -> str:
    """Names the weights that pooled features depend on.

    Two recognizers with the same fingerprint compute the same features of the same
    clip, whatever their heads.
    """
    digest = hashlib.sha256()
    state = recognizer.state_dict()
    for name, _ in sorted(frozen_parts(recognizer)):
        for key in sorted(k for k in state if k.startswith(f'{name}.')):
            value = state[key]
            if is_auxiliary(key) or key.endswith('num_batches_tracked'):
                continue
            digest.update(f'{key} {tuple(value.shape)} '.encode())
            plain = value.detach().to('cpu', torch.float32).contiguous()
            digest.update(plain.numpy().tobytes())
    return digest.hexdigest()[:32]
