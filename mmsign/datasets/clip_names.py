"""What a clip is called, and which of many names a path means.

A clip is called by its path within the folder that is looked through, without the
suffix of a video or of a file of keypoints; dots in it stay. The other way round a
path means, of the names that there are, the longest that is an end of it: ``sub/a.mp4``
means ``sub/a`` before it means ``a``. Names are compared as Unicode has them, not as a
file system or an editor happened to write them (NFC).
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePath

from mmsign.errors import DataError
from mmsign.vocab import composed

from .io.listing import split_archive
from .io.videos import VIDEO_SUFFIXES

# Embeddings, overrides and isolates of the reading direction; the byte order mark.
_DISTURBING = frozenset('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff')
_SUFFIXES = (
    *VIDEO_SUFFIXES,
    *('.zip', '.mmpose.json', '.json', '.csv', '.npy', '.npz', '.pose'),
)
_SUFFIX = re.compile(
    f'(?<=.)({"|".join(map(re.escape, _SUFFIXES))})$', re.IGNORECASE | re.DOTALL
)


def clip_name(path: str | os.PathLike, root: str | os.PathLike | None = None) -> str:
    """The name of a clip.

    Args:
        path: Of a video, a folder, ``ARCHIVE.zip@FOLDER`` or a file of keypoints.
        root: The folder that is looked through; None names it by its last part, and
            a folder in an archive by its path in there.

    Examples:
        >>> clip_name('corpus/sub/rec.2024.MP4', 'corpus')
        'sub/rec.2024'
        >>> clip_name('a/rec.2024.de'), clip_name('corpus.zip@train/a')
        ('rec.2024.de', 'train/a')
    """
    path = os.fspath(path)
    file, folder = split_archive(path) or (path, '')
    if folder.strip('/'):
        return folder.strip('/')
    name = os.path.relpath(file, root or os.path.dirname(os.path.abspath(file)))
    return PurePath(name if os.path.isdir(path) else _SUFFIX.sub('', name)).as_posix()


def is_legible(name: str) -> bool:
    """Whether a name has something to read and nothing that disturbs reading.

    Format characters that languages need, such as ZWNJ and ZWJ, are letters; controls,
    ends of lines and what turns the reading direction are not.
    """
    unwanted = {'Cc', 'Cs', 'Zl', 'Zp'} & set(map(unicodedata.category, name))
    return bool(name.strip()) and not unwanted and _DISTURBING.isdisjoint(name)


class ClipNames:
    """Find among many names the one that a path means.

    Args:
        names: Of clips.
        where: Named in errors.

    Examples:
        >>> names = ClipNames(['a', 'sub/a', 'rec.2024'], 'keypoints')
        >>> names.find('/data/sub/a.mp4'), names.find('/data/other/a.mp4')
        ('sub/a', 'a')
        >>> names.find('/data/rec.2024.de') is None
        True
    """

    def __init__(self, names: Iterable[str], where: str) -> None:
        self._where = where
        self._names: dict[str, list[str]] = {}
        for name in names:
            self._names.setdefault(composed(name), []).append(name)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._names.values())

    def exact(self, name: str) -> str | None:
        """The name that is this one, in whatever form of Unicode."""
        return self._only([name], name)

    def find(self, path: str | os.PathLike) -> str | None:
        """The longest name that is an end of a path; None if none is.

        Raises:
            DataError: If two names are meant equally.
        """
        path = os.fspath(path)
        every = (self._only(ends, path) for ends in _ends(path))
        return next(filter(None, every), None)

    def _only(self, spellings: Iterable[str], path: str) -> str | None:
        forms = dict.fromkeys(map(composed, spellings))
        found = [name for form in forms for name in self._names.get(form, ())]
        if len(found) > 1:
            names = ' and '.join(map(repr, found))
            raise DataError(f'{path}: may mean {names} of {self._where}; rename one')
        return found[0] if found else None


def _ends(path: str) -> Iterator[tuple[str, str]]:
    """The ends of a path, longest first: each with the file's suffix and without."""
    archive, folder = split_archive(path) or (path, '')
    whole = PurePath(os.path.abspath(archive)).as_posix()
    if folder.strip('/'):
        whole = f'{_SUFFIX.sub("", whole)}/{folder.strip("/")}'
    parts = whole.strip('/').split('/')
    for start in range(len(parts)):
        end = '/'.join(parts[start:])
        yield end, end if folder or os.path.isdir(path) else _SUFFIX.sub('', end)
