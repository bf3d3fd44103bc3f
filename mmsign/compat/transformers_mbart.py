"""mBART of any transformers from 4.38 on, 5.x included.

What differs between versions, and is settled here:

* The decoder's cache is a tuple of tuples up to about 4.52 and an object after; from
  5.24 on it is called ``cache`` instead of ``past_key_values``.

transformers is imported when a network is built, not before.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mmsign.errors import ConfigError, optional_import

_DEFAULTS = dict(
    # mBART-large-cc25's, where transformers' own defaults differ.
    scale_embedding=True,
    normalize_before=True,
    add_final_layer_norm=True,
    dropout=0.3,
    attention_dropout=0.1,
)
# Module and the extra that brings it.
_TRANSFORMERS = 'transformers', 'translation'


def new_mbart(vocab_size: int, **config: Any) -> nn.Module:
    """An mBART with random weights.

    Args:
        vocab_size: Ids of the text vocabulary.
        **config: Fields of transformers' ``MBartConfig``.

    Raises:
        ConfigError: If a name is no field of it.
    """
    transformers = optional_import(*_TRANSFORMERS)
    known = transformers.MBartConfig().to_dict()
    unknown = sorted(set(config) - set(known))
    if unknown:
        raise ConfigError(f'{", ".join(unknown)}: no setting of an MBartConfig')
    config = {k: value for k, value in _DEFAULTS.items() if k in known} | config
    return transformers.MBartForConditionalGeneration(
        transformers.MBartConfig(vocab_size=vocab_size, **config)
    )


def read_mbart_config(folder: str | os.PathLike) -> dict[str, Any]:
    """``config.json`` of an mBART directory.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not that of an mBART.
    """
    path = Path(folder) / 'config.json'
    if not path.is_file():
        raise FileNotFoundError(
            f'no {path}: an mBART directory holds config.json, model.safetensors (or '
            'pytorch_model.bin) and sentencepiece.bpe.model'
        )
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'{path} is not JSON: {error}') from error
    if config.get('model_type') != 'mbart':
        raise ConfigError(
            f'{path} describes a model of type {config.get("model_type")!r}; expected '
            "'mbart'"
        )
    return config


def load_mbart(folder: str | os.PathLike, **config: Any) -> nn.Module:
    """The mBART of a directory, with its weights in float32.

    Args:
        folder: Local; nothing is downloaded.
        **config: Fields of ``MBartConfig`` to override, such as ``dropout``.

    Raises:
        FileNotFoundError, ValueError: If the directory holds no mBART.
    """
    read_mbart_config(folder)
    transformers = optional_import(*_TRANSFORMERS)
    try:
        model, found = transformers.MBartForConditionalGeneration.from_pretrained(
            os.fspath(folder), local_files_only=True, output_loading_info=True, **config
        )
    except OSError as error:
        first = str(error).strip().splitlines()[0]
        raise FileNotFoundError(
            f'{folder} holds no weights of mBART: {first}'
        ) from error
    # transformers would fill them with random numbers and only warn.
    missing = sorted(found['missing_keys'])
    if missing:
        raise ConfigError(
            f'{folder}: {len(missing)} tensors of mBART are missing from its weights '
            f'(first: {missing[:3]})'
        )
    return model.float().train()


def decode_step(
    decoder: nn.Module, tokens: Tensor, states: Tensor, mask: Tensor, cache: Any
) -> tuple[Tensor, Any]:
    """What the decoder computes for one more token of each row.

    Args:
        decoder: Of an mBART.
        tokens: (B,) ids.
        states: (B, S, D) outputs of the encoder.
        mask: (B, S), 1 where they are valid.
        cache: Of the tokens before; None for the first.

    Returns:
        (B, D); and the cache with these tokens.
    """
    name = 'cache' if 'cache' in _parameters(type(decoder)) else 'past_key_values'
    output = decoder(
        input_ids=tokens[:, None],
        encoder_hidden_states=states,
        encoder_attention_mask=mask,
        use_cache=True,
        **{name: cache},
    )
    return output[0][:, -1], output[name]


@functools.cache
def _parameters(decoder: type[nn.Module]) -> frozenset[str]:
    return frozenset(inspect.signature(decoder.forward).parameters)


def reorder_cache(cache: Any, order: Tensor) -> Any:
    """The decoder's cache with its rows taken in ``order``.

    Only the keys and values of the self-attention move: those of the
    cross-attention are the same for every beam of a sentence, and beams move only
    within their sentence.
    """
    if isinstance(cache, tuple):
        return tuple(
            tuple(x.index_select(0, order) for x in layer[:2]) + tuple(layer[2:])
            for layer in cache
        )
    cache.self_attention_cache.reorder_cache(order)
    return cache
