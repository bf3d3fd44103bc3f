"""Tiny translators and their samples."""

from __future__ import annotations

import torch
from tiny_mbart import mbart_config
from tiny_models import GLOSSES, HEAD, SIZES, sample, stream
from tiny_text import TEXTS

from mmsign.models import SignTranslator


def recognizer_config(**changes) -> dict:
    return (
        dict(
            type='TwoStreamRecognizer',
            data_preprocessor=SIZES,
            video=stream(3),
            keypoint=stream(79),
            bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
            joint=dict(type='JointHead', **HEAD),
            distillation=dict(type='SelfDistillationLoss'),
        )
        | changes
    )


def build_translator(*outputs: str, **changes) -> SignTranslator:
    torch.manual_seed(3)
    heads = {name: dict(mbart=mbart_config(beam_width=2)) for name in outputs}
    config = dict(
        vocab=dict(glosses=GLOSSES), recognizer=recognizer_config(), translation=heads
    )
    return SignTranslator(**(config | changes))


def samples():
    found = [sample(16, clip_id='a'), sample(8, ['WIND'], clip_id='b')]
    for one, text in zip(found, TEXTS):
        one.set_field(text, 'text', field_type='metainfo')
    return found
