"""The paper authors' files of a corpus: annotations, keypoints, gloss vocabulary.

Symbols: N frames of a clip.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import torch

from mmsign.errors import DataError
from mmsign.keypoints import LAYOUT_SIZES

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
    splits = (parts.index(split) for split in _SPLITS if split in parts[:-1])
    parts = parts[next(splits, -1) + 1 :]
    if len(parts) > 1 and parts[-1] == '1':
        parts.pop()
    return '/'.join(parts)


def read_slrt_annotations(path: str | Path) -> list[dict]:
    """Read one split: a gzip pickle, a list with one dict per clip.

    Of each clip ``name``, ``signer``, ``gloss``, ``text`` and ``num_frames`` are
    read; what else there is, such as tensors of features, is passed over. Glosses
    are a string with spaces between them, or a list.

    Returns:
        As ``SignDataset.read_annotations``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file and the entry, if it is laid out otherwise or
            holds more than primitive data.
    """
    content = read_pickle(path)
    if not isinstance(content, list):
        raise DataError(f'{path}: expected a list of dicts, found a {_kind(content)}')
    return [_record(clip, f'{path}, entry {i}') for i, clip in enumerate(content)]


def _kind(value: Any) -> str:
    return type(value).__name__


def _record(clip: Any, where: str) -> dict:
    if not isinstance(clip, dict):
        raise DataError(f'{where}: expected a dict, found a {_kind(clip)}')
    name, glosses, text, frames = map(clip.get, ('name', 'gloss', 'text', 'num_frames'))
    signer = clip.get('signer', '')
    if isinstance(glosses, str):
        glosses = glosses.split()
    try:
        # A number, or an array or tensor of one.
        frames = None if frames is None else int(frames)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        frames = -1
    listed = isinstance(glosses, (list, tuple))
    for key, good in {
        'name': isinstance(name, str),
        'gloss': listed and all(isinstance(gloss, str) for gloss in glosses),
        'text': isinstance(text, (str, NoneType)),
        'signer': isinstance(signer, (str, int)),
        'num_frames': frames is None or frames >= 0,
    }.items():
        if not good:
            raise DataError(f'{where}: {key} cannot be {clip.get(key)!r:.40}')
    record = dict(clip_id=slrt_clip_id(name), glosses=list(glosses), text=text)
    return record | dict(signer=str(signer), num_frames=frames, where=where)


def read_slrt_keypoints(path: str | Path) -> Iterator[tuple[str, Any]]:
    """Read a pickle, gzip or not: a dict name → ``{'keypoints': (N, 133, 3)}``.

    The whole file is in memory while it is read.

    Yields:
        The name of a clip as it is in the file, and its entry for ``slrt_keypoints``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it is laid out otherwise, or holds more than primitive data.
    """
    content = read_pickle(path)
    if not isinstance(content, dict) or not content:
        raise DataError(f'{path}: expected a dict of dicts, found a {_kind(content)}')
    yield from content.items()


def slrt_keypoints(path: str | Path, clip: Any, entry: Any) -> np.ndarray:
    """The (N, 133, 3) of one clip: x and y in pixels of the frame, score.

    Raises:
        DataError: Naming the file and the clip, if the entry is something else.
    """
    points = entry.get('keypoints') if isinstance(entry, dict) else None
    if isinstance(points, torch.Tensor):
        points = points.float().numpy()
    layout = (LAYOUT_SIZES['coco_wholebody_133'], 3)
    numbers = isinstance(points, np.ndarray) and points.dtype.kind in 'fiu'
    if not (isinstance(clip, str) and numbers and points.shape[1:] == layout):
        found = getattr(points, 'shape', _kind(points))
        raise DataError(f'{path}: clip {clip}: keypoints {found}, not (N, 133, 3)')
    return points


def read_slrt_glosses(path: str | Path, spellings: Iterable[str] = ()) -> dict:
    """Read ``gloss2ids.pkl``, a dict gloss → class number.

    The blank is class 0, ``<s>`` or ``<si>``. Where two names have one number,
    the first is the gloss and the other its alias: both are learned as this class.

    Args:
        path: Of the file.
        spellings: Glosses as the corpus writes them. The authors write glosses
            small; a name that differs from one of these in case alone is written
            like it, and further spellings become aliases.

    Returns:
        ``glosses``, ``blank`` and ``aliases`` of a ``GlossVocabulary``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, if it is laid out otherwise: a number is
            missing, the blank is not class 0, a name is no gloss.
    """
    content = read_numbering(path, str)
    names: dict[int, list[str]] = {}
    for gloss, number in content.items():
        names.setdefault(number, []).append(gloss)
    blanks = [blank for blank in names[0] if blank in _BLANKS]
    if not blanks:
        raise DataError(f'{path}: class 0 is {names[0][0]!r}, not the blank {_BLANKS}')
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
    return dict(glosses=glosses, blank=blanks[0], aliases=aliases)


def read_numbering(path: str | Path, key: type) -> dict:
    """Read a pickle of a dict whose values are all of 0, 1, 2, ….

    Args:
        path: Of the file.
        key: Type of the dict's keys.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, if it holds something else.
    """
    return check_numbering(path, read_pickle(path), key)


def check_numbering(path: str | Path, content: Any, key: type) -> dict:
    """Return ``content`` if it is as ``read_numbering`` says."""
    typed = isinstance(content, dict) and all(
        type(name) is key and type(number) is int for name, number in content.items()
    )
    numbers = set(content.values()) if typed else set()
    if missing := set(range(len(numbers) or 1)) - numbers:
        raise DataError(
            f'{path}: expected {key.__name__} → 0, 1, 2, …; {min(missing)} is missing'
        )
    return content


def is_pickle(path: str | Path) -> bool:
    """Whether a file is a pickle rather than a text.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path} does not exist')
    with open(path, 'rb') as file:
        # How a pickle of protocol 2 or later begins; no UTF-8 text does.
        return Path(path).suffix in ('.pkl', '.pickle') or file.read(1) == b'\x80'
