"""``--cfg-options KEY=VALUE``, with variables of a config followed to their uses."""

import argparse
import difflib
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmsign import registry
from mmsign.config import entries
from mmsign.decoding import CTCBeamSearch
from mmsign.engine.launch.settings import LENGTH, SIGNERS, loop_length, settle
from mmsign.errors import ConfigError
from mmsign.models import SignDataPreprocessor
from mmsign.models.recognizers.stream import Stream

# Variables whose value settings have under another name: (key, type of the part).
_USES: dict[str, tuple[tuple[str, str | None], ...]] = {
    'dataset_type': (('type', None), ('dataset', None)),
    'video_size': (('size', 'ClipResize'),),
}
_BRACKETS = {'(': ')', '[': ']', '{': '}'}
# Settings that are read at the top level of a config; all else there is a variable.
_SETTINGS = {
    *registry.arguments_of(Runner)[0],
    *('compile', 'corpus', 'custom_imports', 'efficient_conv_bn_eval'),
    *('find_unused_parameters', 'model_wrapper_cfg', 'runner_type', 'sync_bn'),
    *('test_pipeline', 'total_batch_size', LENGTH, SIGNERS),
}
# What MMEngine takes out of a part's settings before it builds the part.
_SETTINGS_OF_ANY_PART = {
    *('_delete_', '_scope_', 'type', 'by_epoch', 'constructor', 'init_cfg'),
    *('convert_to_iter_based', 'paramwise_cfg', 'priority'),
}
_LOADER_SETTINGS = registry.arguments_of(DataLoader)[0] | {'num_batch_per_epoch'}
# Of a model's parts without a type.
_PARTS = dict(decoder=CTCBeamSearch, data_preprocessor=SignDataPreprocessor)


class OverrideAction(argparse.Action):
    """MMEngine's DictAction, which keeps spaces and takes quoted values literally.

    ``a.b=1`` is a number, ``a=x,y`` a list, ``a="[x,(1,2)]"`` and ``a="dict(b=1)"``
    what they look like, ``path="/a folder/x"`` a string with its space, and a value
    that is itself in quotes, ``path="'/a,b'"``, a string whatever it holds.
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
            if not equals or not all(key.split('.')):
                parser.error(f'{option_string} takes KEY=VALUE, not {text!r}')
            try:
                options[key] = _parse(value)
            except ValueError as error:
                parser.error(
                    f'{option_string} {text}: {error}; what is to be taken as it is '
                    f'stands in quotes, {key}="\'…\'"'
                )
        setattr(namespace, self.dest, options)


def _parse(text: str) -> Any:
    """A value of the command line.

    Raises:
        ValueError: Its brackets or quotes do not match.
    """
    if len(text) > 1 and text[0] in '\'"' and text.find(text[0], 1) == len(text) - 1:
        return text[1:-1]
    bare = text.strip()
    is_dict = bare.startswith(('dict(', '{'))
    is_bracketed = is_dict or bare.startswith(('(', '['))
    if not is_bracketed and ',' not in bare:
        return DictAction._parse_int_float_bool(text)
    parts = _split(bare)
    if len(parts) > 1:
        return [_parse(part.strip()) for part in parts if part.strip()]
    if bare[-1] != (')' if bare.startswith('dict(') else _BRACKETS.get(bare[0])):
        return text
    inner = bare[bare.index(bare[0] if not bare.startswith('dict') else '(') + 1 : -1]
    items = [part.strip() for part in _split(inner) if part.strip()]
    if not is_dict:
        found = [_parse(item) for item in items]
        return tuple(found) if bare[0] == '(' else found
    separator = ':' if bare[0] == '{' else '='
    pairs = [item.partition(separator) for item in items]
    if not all(key.strip() and sign for key, sign, _ in pairs):
        raise ValueError(f'expected KEY{separator}VALUE in {bare}')
    return {_parse(key.strip()): _parse(value.strip()) for key, _, value in pairs}


def _split(text: str) -> list[str]:
    """At the commas that are not in brackets or quotes."""
    parts, open_brackets, quote, start = [], [], '', 0
    for index, letter in enumerate(text):
        begins = not text[start:index].strip() or text[index - 1] in '([{=: ,'
        if quote:
            quote = '' if letter == quote else quote
        elif letter in '\'"' and begins:  # not an apostrophe
            quote = letter
        elif letter in _BRACKETS:
            open_brackets.append(_BRACKETS[letter])
        elif letter in ')]}':
            if not open_brackets or open_brackets.pop() != letter:
                raise ValueError(f'a {letter!r} without its other half')
        elif letter == ',' and not open_brackets:
            parts.append(text[start:index])
            start = index + 1
    if quote or open_brackets:
        raise ValueError(f'a {quote or open_brackets[-1]!r} is missing')
    return [*parts, text[start:]]


def apply_overrides(cfg: Config, options: dict[str, Any] | None) -> None:
    """Merge ``options`` into ``cfg`` in place.

    A config uses a variable such as ``data_root = 'data/phoenix2014'`` in many places,
    but by the time it can be overridden its value has been copied there. Therefore an
    option that names a variable at the top level of the config is also written to
    every nested key *of the same name that holds the old value*; ``dataset_type`` to
    the types of datasets as well, ``video_size`` to the size of ``ClipResize``. An
    option with the full path of a nested key wins over that. Settings of the whole
    training, whether options or not, reach the parts that go by them: see ``settle``.

    Args:
        cfg: The config as it was read.
        options: ``{'data_root': 'x', 'train_dataloader.batch_size': 2}``.

    Raises:
        ConfigError: An option reaches nothing: a variable that no setting has its
            value from, or a key that the config does not have and that the part it
            is written to does not take. Says which is near.

    Examples:
        >>> model = dict(decoder=dict(beam_width=5), vocab=dict(file='a.txt'))
        >>> cfg = Config(dict(file='a.txt', model=model))
        >>> apply_overrides(cfg, {'file': 'b.txt'})
        >>> cfg.model.vocab.file
        'b.txt'
        >>> apply_overrides(cfg, {'model.decoder.beam_widht': 1})
        Traceback (most recent call last):
        mmsign.errors.ConfigError: --cfg-options model.decoder.beam_widht reaches
        nothing: model.decoder takes no 'beam_widht'; did you mean 'beam_width'?
    """
    options, length = options or {}, loop_length(cfg)
    new: list[tuple[str, str]] = []
    for option, value in options.items():
        _follow(cfg, option, value)
        new += _new_keys(cfg._cfg_dict, '', option.split('.'), value)
    cfg.merge_from_dict(options)
    for where, key in new:
        _check_taken(cfg, where, key)
    settle(cfg, options, length)


def _follow(cfg: Config, option: str, new: Any) -> None:
    """Write a variable to the settings of its name that have its value.

    Raises:
        ConfigError: There are none, and it is no setting itself.
    """
    name, _, below = option.partition('.')
    old = cfg.get(name)

    def is_copy(value: Any) -> bool:
        return name in cfg and type(value) is type(old) and value == old

    def is_use(node: dict, key: str) -> bool:
        uses = ((name, None), *_USES.get(name, ()))
        return any(key == k and kind in (None, node.get('type')) for k, kind in uses)

    places = [
        (place, node, key, is_copy(value))
        for place, node, key, value in entries(cfg._cfg_dict)
        if isinstance(node, dict) and node is not cfg._cfg_dict
    ]
    if not below:
        for _, node, key, copied in places:
            if copied and is_use(node, key):
                node[key] = new
    # Other variables are not read.
    places = [place for place in places if place[0].split('.')[0] in _SETTINGS]
    followed = any(copied and is_use(node, key) for _, node, key, copied in places)
    if name in _SETTINGS or (followed and not below):
        return
    if name in cfg:
        reason = f'{name} is a variable of the config that nothing has its value from'
        near = [place for place, _, _, copied in places if copied and old is not None]
    else:
        reason = f'the config has no {name!r}'
        nested = {key for _, _, key, _ in places}
        (nearest,) = _near(name, nested | {*cfg, *_SETTINGS}) or (None,)
        near = [place for place, _, key, _ in places if key == nearest]
        near = [nearest] if nearest in {*cfg, *_SETTINGS} else near
    raise _reaches_nothing(option, reason, [f'{n}.{below}'.strip('.') for n in near])


def _new_keys(
    node: Any, where: str, keys: Sequence[str], value: Any
) -> list[tuple[str, str]]:
    """(place, key) of what an option adds to a config.

    Raises:
        ConfigError: It leads below something that holds no keys, or out of a list.
    """
    if not keys:
        if not isinstance(node, dict) or not isinstance(value, dict):
            return []
        added = (_new_keys(node, where, [key], item) for key, item in value.items())
        return [found for some in added for found in some]
    key, *rest = keys
    here = f'{where}.{key}'.lstrip('.')
    if isinstance(node, (list, tuple)):
        if not key.isdecimal() or int(key) >= len(node):
            entries = f'{where} has the entries 0 to {len(node) - 1}'
            raise _reaches_nothing(here, entries, [])
        return _new_keys(node[int(key)], here, rest, value)
    if not isinstance(node, dict):
        raise _reaches_nothing(here, f'{where} is {node!r}', [])
    if key not in node:
        return [(where, key)]
    return _new_keys(node[key], here, rest, value)


def _check_taken(cfg: Config, where: str, key: str) -> None:
    """Raise ConfigError if a part of a config takes no setting of that name."""
    if not where or key in _SETTINGS_OF_ANY_PART:
        return
    node = next(x for place, _, _, x in entries(cfg._cfg_dict) if place == where)
    known, any_other = _LOADER_SETTINGS, False
    if not where.endswith('_dataloader'):
        stream = Stream if 'backbone' in node else None
        kind = node.get('type', _PARTS.get(where.split('.')[-1], stream))
        known, any_other = _arguments(kind)
    near = _near(key, known | {*node} - {key}, 0.8 if any_other else 0.6)
    if key not in known and not (any_other and not near):
        raise _reaches_nothing(f'{where}.{key}', f'{where} takes no {key!r}', near)


def _arguments(kind: Any) -> tuple[set[str], bool]:
    """Names of a part's arguments, those it hands on to its bases included.

    Returns:
        The names; and whether it may take others, which cannot be known.
    """
    found = [kind] if callable(kind) else []
    if isinstance(kind, str):
        groups = [r for r in vars(registry).values() if isinstance(r, Registry)]
        found = [part for r in groups if (part := r.get(kind)) is not None]
    taken = [registry.arguments_of(part) for part in found]
    names = {name for known, _ in taken for name in known}
    return names, not found or any(others for _, others in taken)


def _near(name: str, names: set[str], cutoff: float = 0.6) -> list[str]:
    return difflib.get_close_matches(name, sorted(names), 1, cutoff)


def _reaches_nothing(option: str, reason: str, near: Sequence[str]) -> ConfigError:
    advice = ''
    if near:
        names = ', '.join(map(repr, near[:4])) + (', …' if len(near) > 4 else '')
        advice = f'; did you mean {names}?'
    return ConfigError(f'--cfg-options {option} reaches nothing: {reason}{advice}')
