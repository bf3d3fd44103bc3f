"""Which signers a config's corpus has, and how one of them is left out."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config

import mmsign.datasets  # noqa: F401  registers the corpora
from mmsign.datasets.signer_splits import names_of
from mmsign.engine.launch import OverrideAction, apply_overrides, load_config
from mmsign.errors import ConfigError, DataError
from mmsign.evaluation.signers import familiar_signers
from mmsign.registry import DATASETS


@functools.lru_cache(maxsize=64)
def read_config(path: Path, options: tuple[str, ...]) -> Config:
    """A config with the options ``KEY=VALUE`` of a command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction)
    given = parser.parse_args(['--cfg-options', *options] if options else [])
    cfg = load_config(str(path))
    apply_overrides(cfg, given.cfg_options)
    return cfg


def _corpus(path: Path, options: Sequence[str]) -> tuple[Any, dict]:
    """The class of the tested corpus, and where it is."""
    dataset = read_config(path, tuple(options)).test_dataloader.dataset
    kind = DATASETS.get(dataset.get('type', ''))
    if not hasattr(kind, 'all_annotations'):
        raise ConfigError(f'{path}: its test dataset has no signers to go by')
    names = 'data_root', 'ann_file', 'signers'
    return kind, {name: dataset[name] for name in names if dataset.get(name)}


def signers_of(path: Path, options: Sequence[str]) -> list[str]:
    """Everybody who signs in the corpus of a config, in order of the names.

    Raises:
        ConfigError: They are less than two.
    """
    kind, where = _corpus(path, options)
    where.pop('signers', None)
    clips = [clip for found in kind.all_annotations(**where).values() for clip in found]
    names = sorted({clip['signer'] for clip in clips} - {''})
    if len(names) < 2:
        raise ConfigError(
            f'{where["data_root"]} has {len(names)} named signer(s): to leave one out '
            'takes two'
        )
    return names


def leave_out(signer: str | None, path: Path, options: Sequence[str]) -> list[str]:
    """Options that test on a signer and train on the others.

    Other splits keep the signers whom ``signers`` names for them, but this one.
    """
    if signer is None:
        return []
    named = dict(read_config(path, tuple(options)).get('signers') or {})
    named = {s: [x for x in names_of(n) if x != signer] for s, n in named.items()}
    named['test'] = [signer]
    return [f'signers.{split}={names!r}' for split, names in named.items()]


def notices(
    tests: Iterable[tuple[Path, str | None]], options: Sequence[str]
) -> list[str]:
    """What tested splits say about people whom the network has not seen.

    Args:
        tests: Configs, and who is left out.
        options: Of all of them.

    Returns:
        A sentence each; nothing of a corpus that is not at hand.
    """
    said: dict[str, None] = {}
    for path, signer in dict.fromkeys(tests):
        with suppress(FileNotFoundError, DataError, ConfigError):
            own = [*options, *leave_out(signer, path, options)]
            kind, where = _corpus(path, own)
            tested, trained = (
                {clip['signer'] for clip in kind.load_annotations(split=split, **where)}
                for split in ('test', 'train')
            )
            said[familiar_signers(tested, trained - {''})] = None
    return list(filter(None, said))
