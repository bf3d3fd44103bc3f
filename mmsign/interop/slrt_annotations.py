"""The paper authors' annotation files and gloss vocabularies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from mmsign.errors import DataError
from mmsign.vocab import GlossVocabulary

from .restricted_pickle import read_pickle

_SPLITS = ('train', 'dev', 'test')
_BLANKS = ('<s>', '<si>')


def slrt_clip_id(name: str) -> str:
    """The corpus' own name of a clip.

    The authors put the split in front of it and, for Phoenix-2014, the folder of
    the camera behind: ``train/NAME`` or ``fullFrame-210x260px/train/NAME/1``.

    Examples:
        >>> slrt_clip_id('fullFrame-210x260px/train/01April_2010/1')
        '01April_2010'
    """
    parts = [part for part in name.split('/') if part]
    for split in _SPLITS:
        if split in parts[:-1]:
            parts = parts[parts.index(split) + 1 :]
            break
    if len(parts) > 1 and parts[-1] == '1':
        parts.pop()
    return '/'.join(parts)


def read_slrt_annotations(path: str | os.PathLike) -> list[dict]:
    """Read one split: a gzip pickle, a list with one dict per clip.

    Of each clip ``name``, ``signer``, ``gloss``, ``text`` and ``num_frames`` are
    read; what else there is, such as tensors of features, is passed over. Glosses
    are a string with spaces between them, or a list.

    Returns:
        As ``SignDataset.read_annotations``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file and the entry, if it is laid out otherwise or
            holds more than plain data.
    """
    content = read_pickle(path)
    name = os.fspath(path)
    if not isinstance(content, list):
        raise DataError(
            f"{name}: expected the authors' annotations, a list of dicts, found a "
            f'{type(content).__name__}'
        )
    return [
        _record(clip, f'{name}, entry {number}') for number, clip in enumerate(content)
    ]


def _record(clip: Any, where: str) -> dict:
    if not isinstance(clip, dict):
        raise DataError(f'{where}: expected a dict, found a {type(clip).__name__}')
    name, glosses, text = (clip.get(key) for key in ('name', 'gloss', 'text'))
    if isinstance(glosses, str):
        glosses = glosses.split()
    listed = isinstance(glosses, (list, tuple))
    if not listed or not all(isinstance(gloss, str) for gloss in glosses):
        raise DataError(f'{where}: expected glosses, a string, under the key gloss')
    if not isinstance(name, str) or not isinstance(text, (str, type(None))):
        raise DataError(f'{where}: expected strings under the keys name and text')
    return dict(
        clip_id=slrt_clip_id(name),
        glosses=list(glosses),
        text=text,
        signer=_text(clip.get('signer', ''), where),
        num_frames=_count(clip.get('num_frames'), where),
        where=where,
    )


def _text(value: Any, where: str) -> str:
    if isinstance(value, (str, int)):
        return str(value)
    raise DataError(f'{where}: expected a name under the key signer')


def _count(value: Any, where: str) -> int | None:
    if value is None:
        return None
    try:
        count = int(value)  # a number, or an array or tensor of one
    except (TypeError, ValueError, OverflowError, RuntimeError):
        count = -1
    if count < 0:
        raise DataError(f'{where}: expected a number of frames under num_frames')
    return count


def read_slrt_vocabulary(
    path: str | os.PathLike, spellings: Iterable[str] = ()
) -> GlossVocabulary:
    """Read ``gloss2ids.pkl``, a dict gloss → class number.

    The blank is class 0, ``<s>`` or ``<si>``. Where two names have one number,
    the first is the gloss and the other its alias: both are learned as this class.

    Args:
        path: Of the file.
        spellings: Glosses as the corpus writes them. The authors write glosses
            small; a name that differs from one of these in case alone is written
            like it, and further spellings become aliases.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file, if it is laid out otherwise: a number is
            missing, the blank is not class 0, a name is no gloss.
    """
    name = os.fspath(path)
    content = read_pickle(path)
    if not isinstance(content, dict) or not content:
        raise DataError(f"{name}: expected the authors' vocabulary, a dict gloss → id")
    names: dict[int, list[str]] = {}
    for gloss, number in content.items():
        if not isinstance(gloss, str) or type(number) is not int or number < 0:
            raise DataError(
                f'{name}: expected glosses and their class numbers from 0 on, found '
                f'an entry of {type(gloss).__name__} and {type(number).__name__}'
            )
        names.setdefault(number, []).append(gloss)
    missing = [n for n in range(len(names)) if n not in names]
    if missing:
        raise DataError(
            f'{name}: no gloss has the class number {missing[0]}, but {max(names)} is '
            'in use; class numbers must be 0, 1, 2, …'
        )
    blanks = [blank for blank in names[0] if blank in _BLANKS]
    if not blanks:
        raise DataError(
            f'{name}: class 0 is {names[0][0]!r}; expected the blank, '
            f'{" or ".join(_BLANKS)}'
        )
    corpus: dict[str, list[str]] = {}
    for spelling in dict.fromkeys(spellings):
        if spelling not in content:
            corpus.setdefault(spelling.lower(), []).append(spelling)
    glosses, aliases = [], {}
    for number in range(1, len(names)):
        found = [s for n in names[number] for s in corpus.get(n.lower(), ())]
        gloss, *others = dict.fromkeys(found + names[number])
        glosses.append(gloss)
        aliases.update(dict.fromkeys(others, gloss))
    try:
        return GlossVocabulary(glosses, blank=blanks[0], aliases=aliases)
    except ValueError as error:
        raise DataError(f'{name}: {error}') from error
