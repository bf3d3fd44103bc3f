"""``--cfg-options KEY=VALUE``, with variables of a config followed to their uses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from numbers import Number
from typing import Any

from mmengine.config import Config, DictAction


class OverrideAction(DictAction):
    """MMEngine's DictAction, which keeps spaces and takes quoted values literally.

    ``a.b=1`` is a number, ``a=x,y`` a list, ``path="/a folder/x"`` a string with its
    space, and a value that is itself in quotes, ``path="'/a,b'"``, a string whatever
    it holds.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str] | None,
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest, None) or {})
        for text in values or ():
            key, equals, value = text.partition('=')
            if not equals or not key:
                parser.error(f'{option_string} takes KEY=VALUE, not {text!r}')
            options[key] = self._parse_value(value)
        setattr(namespace, self.dest, options)

    def _parse_value(self, value: str) -> Any:
        if len(value) > 1 and value[0] == value[-1] and value[0] in '\'"':
            return value[1:-1]
        if value.startswith(('(', '[')) or ',' in value:
            return self._parse_iterable(value)
        return self._parse_int_float_bool(value)


def _is_variable(value: Any) -> bool:
    return isinstance(value, (str, Number)) and not isinstance(value, bool)


def apply_overrides(cfg: Config, options: dict[str, Any] | None) -> None:
    """Merge ``options`` into ``cfg`` in place.

    A config uses a variable such as ``data_root = 'data/phoenix2014'`` in many places,
    but by the time it can be overridden its value has been copied there. Therefore an
    option that names a string or number at the top level of the config is also
    written to every nested key *of the same name that holds the old value*. An option
    with the full path of a nested key wins over that.

    Args:
        cfg: The config as it was read.
        options: ``{'data_root': 'x', 'train_dataloader.batch_size': 2}``.
    """
    options = options or {}
    for key, new in options.items():
        old = cfg.get(key)
        if '.' not in key and _is_variable(old) and _is_variable(new):
            for value in cfg._cfg_dict.values():
                _replace(value, key, old, new)
    cfg.merge_from_dict(options)


def _replace(node: Any, key: str, old: Any, new: Any) -> None:
    if isinstance(node, dict):
        if key in node and type(node[key]) is type(old) and node[key] == old:
            node[key] = new
        children = list(node.values())
    elif isinstance(node, (list, tuple)):
        children = list(node)
    else:
        return
    for child in children:
        _replace(child, key, old, new)
