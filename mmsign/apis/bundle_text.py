"""The part of a bundle that writes sentences: mBART's settings and text vocabulary.

A bundle of a network that translates has two members more:

=================== ===========================================================
sentencepiece.model the pieces of the text vocabulary
text.json           the ids that it keeps of them, or null for all
=================== ===========================================================

Its config names no folder of an mBART: the network is made from plain settings and
gets all its weights from the bundle. What the settings may be is a list, since
transformers' own would let a file name code to be fetched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from mmsign.errors import ConfigError
from mmsign.models import SignTranslator
from mmsign.models.heads.translation_head import MBartTranslationHead
from mmsign.text import TextVocabulary

PIECES, KEPT = 'sentencepiece.model', 'text.json'
TEXT_MEMBERS = (PIECES, KEPT)

_SEARCH = ('beam_width', 'length_penalty', 'max_length')
_SIZES = (
    'd_model',
    'encoder_layers',
    'decoder_layers',
    'encoder_attention_heads',
    'decoder_attention_heads',
    'encoder_ffn_dim',
    'decoder_ffn_dim',
    'max_position_embeddings',
    'scale_embedding',
    'init_std',
)
_NAMES = ('language', 'activation_function')


def translation_config(model: SignTranslator) -> dict[str, dict]:
    """The config of every translation head, with nothing but plain settings.

    Raises:
        ValueError: If a head is of a class of its own.
    """
    heads = {}
    for output, head in model.translation.items():
        if type(head) is not MBartTranslationHead:
            raise ConfigError(
                f'the translation head of {output!r} is a {type(head).__name__}, which '
                'no reader of a bundle has; pass on config and checkpoint'
            )
        mbart = head.mbart
        known = mbart.network.config.to_dict()
        settings = {key: known[key] for key in (*_SIZES, _NAMES[1]) if key in known}
        settings |= {key: getattr(mbart, key) for key in (*_SEARCH, _NAMES[0])}
        heads[output] = dict(mbart=settings)
    return heads


def text_members(model: SignTranslator) -> dict[str, bytes]:
    """Name → content of the two members."""
    text = model.text_vocabulary
    return {PIECES: text.model, KEPT: json.dumps(text.kept).encode()}


def check_translation(heads: object) -> None:
    """Refuse translation heads with other settings than those above.

    Raises:
        ValueError: Naming what is refused.
    """
    if not isinstance(heads, dict):
        raise ConfigError('its translation is no dict of heads')
    for output, head in heads.items():
        settings = head.get('mbart') if isinstance(head, dict) else None
        if not isinstance(settings, dict) or set(head) != {'mbart'}:
            raise ConfigError(f'its translation head {output!r} is no plain mBART')
        for key, value in settings.items():
            number = key in (*_SIZES, *_SEARCH) and isinstance(value, (int, float))
            if not number and not (key in _NAMES and isinstance(value, str)):
                raise ConfigError(f'its mBART may not set {key!r} to {value!r}')


def with_text(model: dict, contents: Mapping[str, bytes], name: str) -> dict:
    """The config of a translator with the bundle's text vocabulary in its heads.

    Args:
        model: Checked.
        contents: Of the two members.
        name: Of the bundle.

    Raises:
        ValueError: If they hold no text vocabulary.
    """
    text = TextVocabulary(contents[PIECES], _kept(contents[KEPT]), name)
    heads = {
        output: dict(mbart=head['mbart'] | dict(vocabulary=text))
        for output, head in model['translation'].items()
    }
    return model | dict(translation=heads)


def _kept(content: bytes) -> list[int] | None:
    try:
        kept = json.loads(content)
    except RecursionError as error:
        raise ConfigError(f'{KEPT} is no list of ids') from error
    if kept is None:
        return None
    if not isinstance(kept, list) or not all(type(i) is int for i in kept):
        raise ConfigError(f'{KEPT} is no list of ids')
    return kept
