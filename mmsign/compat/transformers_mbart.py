"""mBART of any transformers from 4.38 on, 5.x included.

What differs between versions, and is settled here:

* The decoder's cache is a tuple of tuples up to about 4.52 and an object after; from
  5.24 on it is called ``cache`` instead of ``past_key_values``.

transformers is imported when a network is built, not before.
"""

import inspect
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmsign.errors import ConfigError, optional_import
from mmsign.files import read_json

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
    if unknown := sorted(config.keys() - known.keys()):
        raise ConfigError(f'{", ".join(unknown)}: no setting of an MBartConfig')
    # As mBART-large-cc25 has it; transformers' own default differs.
    config = dict(scale_embedding=True) | config
    config = transformers.MBartConfig(vocab_size=vocab_size, **config)
    return transformers.MBartForConditionalGeneration(config)


def read_mbart_config(folder: str | os.PathLike) -> dict[str, Any]:
    """``config.json`` of an mBART directory.

    Raises:
        FileNotFoundError: If there is none.
        DataError: If it cannot be read.
        ConfigError: If it is not that of an mBART.
    """
    path = Path(folder, 'config.json')
    if not path.is_file():
        raise FileNotFoundError(
            f'no {path}: an mBART directory holds config.json, model.safetensors (or '
            'pytorch_model.bin) and sentencepiece.bpe.model'
        )
    config = read_json(path)
    if config.get('model_type') != 'mbart':
        kind = config.get('model_type')
        raise ConfigError(f"{path} describes a model of type {kind!r}, not 'mbart'")
    return config


def load_mbart(folder: str | os.PathLike, **config: Any) -> nn.Module:
    """The mBART of a directory, with its weights in float32.

    Args:
        folder: Local; nothing is downloaded.
        **config: Fields of ``MBartConfig`` to override, such as ``dropout``.

    Raises:
        FileNotFoundError, ConfigError, DataError: If the directory holds no mBART.
    """
    read_mbart_config(folder)
    network = optional_import(*_TRANSFORMERS).MBartForConditionalGeneration
    options = dict(local_files_only=True, output_loading_info=True)
    try:
        model, found = network.from_pretrained(os.fspath(folder), **options, **config)
    except OSError as error:
        first = str(error).strip().splitlines()[0]
        raise FileNotFoundError(f'{folder} has no weights of mBART: {first}') from error
    # transformers would fill them with random numbers and only warn.
    if missing := sorted(found['missing_keys']):
        raise ConfigError(
            f'{folder}: {len(missing)} tensors of mBART are missing from its weights '
            f'(first: {missing[:3]})'
        )
    return model.float().train()


class NextTokens:
    """What follows the beams of a running search: see ``decoding.text_beam``.

    Args:
        network: An mBART.
        states: (B·K, S, D) outputs of its encoder for B sentences of K beams.
        mask: (B·K, S), 1 where they are valid.
    """

    def __init__(self, network: nn.Module, states: Tensor, mask: Tensor) -> None:
        self.network = network
        self.source = dict(encoder_hidden_states=states, encoder_attention_mask=mask)
        known = inspect.signature(type(network.get_decoder()).forward).parameters
        self.name = 'cache' if 'cache' in known else 'past_key_values'
        self.cache = None

    @torch.no_grad()
    def __call__(self, tokens: Tensor, order: Tensor | None) -> Tensor:
        """Log-probabilities (B·K, V) of what follows ``tokens`` (B·K,).

        Args:
            tokens: The last token of each beam.
            order: (B·K,) the beam of the previous call that each one continues,
                of the same sentence; None at the first call.
        """
        if order is not None:
            self._reorder(order)
        output = self.network.get_decoder()(
            input_ids=tokens[:, None],
            use_cache=True,
            **self.source,
            **{self.name: self.cache},
        )
        self.cache = output[self.name]
        logits = self.network.lm_head(output[0][:, -1]) + self.network.final_logits_bias
        return logits.float().log_softmax(-1)

    def _reorder(self, order: Tensor) -> None:
        # Keys and values of the cross-attention are the same for every beam of a
        # sentence: those of the self-attention alone move.
        if isinstance(self.cache, tuple):
            self.cache = tuple(
                (*(x.index_select(0, order) for x in layer[:2]), *layer[2:])
                for layer in self.cache
            )
        else:
            self.cache.self_attention_cache.reorder_cache(order)
