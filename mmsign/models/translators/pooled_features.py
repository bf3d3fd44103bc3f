"""The frozen part of a translator, and inputs that were computed by it before.

Symbols: B clips, T' steps, C channels of a stream.
"""

from __future__ import annotations

import hashlib

import torch
from mmengine.model import BaseDataPreprocessor
from torch import nn
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
        inputs = {k: pad_sequence(rows, True) for k, rows in data['inputs'].items()}
        return dict(inputs=inputs, data_samples=data['data_samples'])


def is_features(inputs: dict) -> bool:
    """Whether a batch holds cached features."""
    return bool(inputs) and all(name.endswith(FEATURES_SUFFIX) for name in inputs)


def trained_heads(recognizer: SignRecognizer) -> dict[str, nn.Module]:
    """The heads of a recognizer by output: all of it that translation trains."""
    heads = {name: stream.head for name, stream in recognizer.streams.items()}
    joint = recognizer.joint_head
    return heads if joint is None else heads | dict(joint=joint)


def freeze(recognizer: SignRecognizer) -> None:
    """Stop everything but the heads from being trained."""
    heads = trained_heads(recognizer).values()
    trained = {parameter for head in heads for parameter in head.parameters()}
    for parameter in recognizer.parameters():
        if parameter not in trained:
            parameter.requires_grad_(False)


def fingerprint(recognizer: SignRecognizer) -> str:
    """Names the weights that pooled features depend on.

    Two recognizers with the same fingerprint compute the same features of the same
    clip, whatever their heads.
    """
    heads = tuple(f'{stream}.head.' for stream in recognizer.streams)
    digest = hashlib.sha256()
    for key, value in sorted(recognizer.state_dict().items()):
        of_head = key.startswith((*heads, 'joint_head.'))
        if not of_head and not is_auxiliary(key) and 'num_batches_tracked' not in key:
            digest.update(f'{key} {tuple(value.shape)} '.encode())
            plain = value.detach().to('cpu', torch.float32).contiguous()
            digest.update(plain.numpy().tobytes())
    return digest.hexdigest()[:32]
