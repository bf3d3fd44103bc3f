"""Settings of a whole training, written to every part of a config that has them."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmsign import compat
from mmsign.config import entries
from mmsign.datasets.signer_splits import names_of
from mmsign.errors import ConfigError

LENGTH = 'max_epochs'
SIGNERS = 'signers'
_LOOP_LENGTH = f'train_cfg.{LENGTH}'
# Hooks that MMEngine has in any case; None takes them out.
_ENGINE_HOOKS = {
    *('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler'),
    'checkpoint',
}


def loop_length(cfg: Config) -> int | None:
    """Epochs of the training loop as a config has it."""
    return (cfg.get('train_cfg') or {}).get(LENGTH)


def settle(cfg: Config, options: Mapping[str, Any], before: int | None) -> None:
    """Write the settings of the top level to the parts that go by them, in place.

    They may come from a config that has another one as its base, whose parts were
    written before; therefore this is done when all is merged.

    - ``max_epochs`` becomes that of ``train_cfg``. What was as long as the training
      (``val_interval``, ``T_max`` and ``end`` of a schedule by epochs) stays as long
      as it, and ``val_begin`` within it; other schedules stay as they are.
    - ``signers`` becomes that of every dataset, and of the vocabulary that is taken
      from a corpus: see ``SignDataset``.
    - A hook of ``default_hooks`` that is None is left out; of hooks that it has not in
      any case, MMEngine wants none of that.

    Args:
        cfg: With the options in it.
        options: Of the command line. A place that they name keeps what they say.
        before: ``loop_length`` before they were merged.

    Raises:
        ConfigError: Two lengths are given; a length is no number of epochs, or the
            training is counted in iterations; signers are named for no split.

    Examples:
        >>> cfg = Config(dict(max_epochs=5, train_cfg=dict(max_epochs=9)))
        >>> settle(cfg, {}, 9)
        >>> cfg.train_cfg.max_epochs
        5
    """
    _set_length(cfg, options, before)
    signers = cfg.get(SIGNERS)
    if not isinstance(signers or {}, Mapping):
        raise ConfigError(
            f'{SIGNERS}={signers!r} says of no split: write {SIGNERS}=dict(test=[…]), '
            f'or {SIGNERS}.test=[…] in --cfg-options'
        )
    if signers is not None or SIGNERS in options:
        for place, part in _corpora(cfg):
            if not _named(options, f'{place}.{SIGNERS}'):
                part[SIGNERS] = signers and dict(signers)
    hooks = cfg.get('default_hooks') or {}
    for name in set(hooks) - _ENGINE_HOOKS:
        if hooks[name] is None:
            del hooks[name]


def keep_signers(cfg: Config, checkpoint: str) -> None:
    """Test with the splits by signer that a checkpoint was trained with, in place.

    If the config says others, it goes by the config, with a warning: who is tested may
    have been trained on. The dataset is told what the network was trained with, so that
    scores say of whom this is so.
    """
    meta = compat.load_checkpoint(checkpoint, mmap=True).get('meta') or {}
    trained = (meta.get('dataset_meta') or {}).get(SIGNERS)
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    given = dataset.get(SIGNERS)
    if trained is None or _plain(given or {}) == _plain(trained):
        return
    if given is None:
        print_log(f'{SIGNERS}={trained}, as in training', logger='current')
        cfg[SIGNERS] = trained
        settle(cfg, {}, loop_length(cfg))
        return
    dataset['trained_with'] = dict(trained)
    print_log(
        f'tested with {SIGNERS}={dict(given)}, but trained with '
        f'{trained or "the splits of the annotations"}: the network may have been '
        'trained on who is tested',
        logger='current',
        level=logging.WARNING,
    )


def _plain(signers: Mapping[str, Any]) -> dict[str, list[str]]:
    return {split: sorted(names_of(names)) for split, names in signers.items()}


def _set_length(cfg: Config, options: Mapping[str, Any], before: int | None) -> None:
    loop, length = cfg.get('train_cfg') or {}, cfg.get(LENGTH)
    if _named(options, _LOOP_LENGTH):
        if LENGTH in options and length != loop[LENGTH]:
            raise ConfigError(
                f'{LENGTH}={length} and {_LOOP_LENGTH}={loop[LENGTH]}: give one number '
                f'of epochs, {LENGTH}'
            )
        length = loop[LENGTH]
        if LENGTH in cfg:
            cfg[LENGTH] = length
    if length is None or not loop:
        return
    if loop.get('by_epoch') is False or 'max_iters' in loop:
        raise ConfigError(
            f'{LENGTH}={length} reaches nothing: train_cfg counts iterations '
            f'(max_iters={loop.get("max_iters")})'
        )
    if not isinstance(length, int) or length < 1:
        raise ConfigError(f'{LENGTH} must be 1 or more epochs, not {length!r}')
    loop[LENGTH] = length
    if before in (None, length):
        return
    if loop.get('val_interval') == before and not _named(
        options, 'train_cfg.val_interval'
    ):
        loop.val_interval = length
    if loop.get('val_begin', 1) > length:
        loop.val_begin = length
    for place, _, _, part in entries(cfg.get('param_scheduler')):
        if not isinstance(part, dict) or not part.get('by_epoch', True):
            continue
        for key in ('T_max', 'end'):
            where = f'param_scheduler.{place}.{key}'
            if part.get(key) == before and not _named(options, where):
                part[key] = length


def _named(options: Mapping[str, Any], place: str) -> bool:
    """Whether an option is that place, or a part of the config with it inside."""
    for option, value in options.items():
        inside = place.removeprefix(option)
        if inside == '':
            return True
        if inside != place and inside[0] == '.' and isinstance(value, (dict, list)):
            keys: Any = value
            for key in inside[1:].split('.'):
                keys = keys.get(key) if isinstance(keys, dict) else None
            if keys is not None:
                return True
    return False


def _corpora(cfg: Config) -> Iterator[tuple[str, dict]]:
    """What reads a corpus: datasets, wherever in a loader, and the vocabulary."""
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        for place, _, _, part in entries(cfg.get(loader)):
            if isinstance(part, dict) and {'type', 'split', 'data_root'} <= set(part):
                yield f'{loader}.{place}', part
    vocab = (cfg.get('model') or {}).get('vocab')
    if isinstance(vocab, dict) and 'dataset' in vocab:
        yield 'model.vocab', vocab
