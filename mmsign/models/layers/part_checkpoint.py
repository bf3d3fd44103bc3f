"""A part of a network from the checkpoint of another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch.nn as nn

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.vocab import GlossVocabulary

# Written into checkpoints by RecognizerCheckpointHook and TranslationCheckHook.
_GLOSSES_KEY = 'gloss_vocab'
_TEXT_KEY = 'text_vocab'


def load_submodule(
    module: nn.Module,
    path: str,
    prefix: str,
    what: str,
    glosses: GlossVocabulary | None = None,
    text: str | None = None,
    optional: Callable[[str], bool] = lambda key: False,
) -> None:
    """Load the tensors of ``module`` from those under ``prefix`` in a checkpoint.

    Args:
        module: Is changed in place.
        path: Of the checkpoint, or of a work folder: see ``best_checkpoint``.
        prefix: ``mbart.``, say; empty takes the names as they are.
        what: Names the module in the error.
        glosses: The vocabulary that the checkpoint must have been trained with, if
            it says; another order of the same glosses would fit, and be wrong.
        text: Fingerprint of the text vocabulary, likewise.
        optional: Tells of a tensor's name whether it may be missing.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the tensors, if the file does not hold all of them in
            these shapes, or is of another vocabulary.
    """
    path = best_checkpoint(path)
    loaded = compat.load_checkpoint(path)
    state = loaded.get('state_dict', loaded)
    own = module.state_dict()
    meta = loaded.get('meta') or {}
    trained_with = meta.get(_GLOSSES_KEY)
    if None not in (glosses, trained_with) and list(trained_with) != list(
        glosses.glosses
    ):
        raise ConfigError(
            f'{path} does not fit {what}: it was trained with another vocabulary, of '
            f'{len(trained_with)} glosses; this one has {len(glosses.glosses)}'
        )
    texts = set((meta.get(_TEXT_KEY) or {}).values())
    if text is not None and texts and text not in texts:
        raise ConfigError(
            f'{path} does not fit {what}: it was trained with another text vocabulary'
        )
    missing = [key for key in own if prefix + key not in state and not optional(key)]
    wrong = [
        f'{key} {tuple(state[prefix + key].shape)} instead of {tuple(value.shape)}'
        for key, value in own.items()
        if prefix + key in state and state[prefix + key].shape != value.shape
    ]
    if missing or wrong:
        raise ConfigError(
            f'{path} does not fit {what}: {len(missing)} tensors missing (first: '
            f'{missing[:3]}), {len(wrong)} of another shape (first: {wrong[:3]})'
        )
    found = {key: state[prefix + key] for key in own if prefix + key in state}
    module.load_state_dict(found, strict=False)


def best_checkpoint(path: str) -> str:
    """The file itself, or the newest best checkpoint of a work folder.

    Raises:
        FileNotFoundError: If the folder has no checkpoint.
    """
    folder = Path(path)
    if not folder.is_dir():
        return path
    best = sorted(folder.glob('best_*.pth'), key=lambda file: file.stat().st_mtime)
    if best:
        return str(best[-1])
    latest = compat.find_latest_checkpoint(folder)
    if latest is None:
        raise FileNotFoundError(f'no checkpoint in {folder}: train it first')
    return latest
