"""Config files: how they are read, and the glosses that they name."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log

from mmsign import compat
from mmsign.errors import ConfigError, MMSignError
from mmsign.shipped import shipped
from mmsign.vocab import GLOSSES_KEY, build_vocabulary


def find_config(path: str) -> str:
    """A config file by its path, or one of mmsign's own by its name.

    Args:
        path: A file, or below mmsign's ``configs``, with or without ``.py``. A file
            that is there goes first.

    Raises:
        ConfigError: It is neither.

    Examples:
        >>> Path(find_config('ablation/toy/1_video')).name
        '1_video.py'
    """
    if Path(path).is_file():
        return path
    folder = shipped('configs')
    for name in (path, f'{path}.py'):
        if (folder / name).is_file():
            return str(folder / name)
    names = [
        file.relative_to(folder).with_suffix('').as_posix()
        for file in folder.rglob('*.py')
        if '_base_' not in file.parts
    ]
    name = path.removesuffix('.py')
    near = [other for other in names if other.endswith(f'/{name}')]
    near = near or difflib.get_close_matches(name, names, 1)
    advice = f': did you mean {near[0]}?' if near else ''
    raise ConfigError(
        f'config {path} does not exist, nor is it the name of one of mmsign{advice} '
        '(`mmsign configs` lists them)'
    )


class _WrittenOnce(Config):
    """A config whose text is made anew only when the config has changed.

    MMEngine asks for it several times at the start and with every checkpoint, and
    has it formatted each time.
    """

    @property
    def pretty_text(self) -> str:
        """The config as Python code."""
        now = repr(self._cfg_dict)
        before, text = self.__dict__.get('_written', ('', ''))
        if now != before:
            text = super().pretty_text
            # Setting an attribute of a config sets a key.
            object.__setattr__(self, '_written', (now, text))
        return text


def load_config(path: str) -> Config:
    """Read a config file, found by ``find_config``.

    Its ``_base_`` may name mmsign's own as ``mmsign::NAME``.

    Raises:
        ConfigError: it does not exist, is not a config file, or fails as a program.
    """
    path = find_config(path)
    if Path(path).suffix not in ('.py', '.json', '.yaml', '.yml'):
        raise ConfigError(f'config {path} is not a .py, .json or .yaml file')
    try:
        with compat.bases_of('mmsign', find_config):
            cfg = Config.fromfile(path)
            object.__setattr__(cfg, '__class__', _WrittenOnce)
    except (MMSignError, OSError):
        raise
    except Exception as error:
        raise ConfigError(
            f'config {path}, or a base of it, cannot be read: {type(error).__name__}: '
            f'{error} (MMSIGN_TRACEBACK=1 shows where)'
        ) from error
    modules = (cfg.get('custom_imports') or {}).get('imports') or ()
    if cfg.get('default_scope') == 'mmaction' and 'mmsign' in modules:
        # Written when mmsign's parts were in MMAction2's registries; all names that
        # are found there are found from mmsign's scope as well.
        cfg.default_scope = 'mmsign'
    return cfg


def entries(node: Any, where: str = '') -> Iterator[tuple[str, Any, Any, Any]]:
    """Everything in a nesting of dicts and lists: its place, what holds it, key, value.

    Examples:
        >>> [place for place, *_ in entries(dict(a=[1, 2], b=dict(c=3)))]
        ['a', 'a.0', 'a.1', 'b', 'b.c']
    """
    pairs = node.items() if isinstance(node, dict) else ()
    if isinstance(node, (list, tuple)):
        pairs = enumerate(node)
    for key, value in pairs:
        place = f'{where}.{key}'.lstrip('.')
        yield place, node, key, value
        yield from entries(value, place)


def resolve_vocabulary(cfg: Config, checkpoint: str | None = None) -> None:
    """Write the glosses themselves into ``cfg.model.vocab``, in place.

    The config in the work folder and the one inside a checkpoint then describe the
    network completely, also where the corpus is not at hand.

    Args:
        cfg: A config; nothing is done unless it has ``model.vocab``.
        checkpoint: The checkpoint that will be tested. Its vocabulary is taken unless
            the config lists glosses, since the network's classes are those.

    Raises:
        ConfigError: ``model.vocab`` describes a corpus that is not there.
    """
    vocab = (cfg.get('model') or {}).get('vocab')
    if vocab is None or 'glosses' in vocab:
        return
    if checkpoint is not None:
        meta = compat.load_checkpoint(checkpoint, mmap=True).get('meta') or {}
        if glosses := meta.get(GLOSSES_KEY):
            print_log(f'the checkpoint has {len(glosses)} glosses', logger='current')
            cfg.model.vocab = ConfigDict(glosses=list(glosses))
            return
    data_root = vocab.get('data_root')
    if data_root is not None and not Path(data_root).is_dir():
        raise ConfigError(
            f'the vocabulary is that of the corpus in {data_root!r}, which is not a '
            'folder: pass --cfg-options data_root=FOLDER'
        )
    built = build_vocabulary(vocab)
    cfg.model.vocab = ConfigDict(glosses=list(built.glosses))
    if built.aliases:
        cfg.model.vocab.aliases = built.aliases
