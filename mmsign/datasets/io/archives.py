"""Read frames out of large zip archives.

A corpus packed in one zip has a million members. Python's ``zipfile`` keeps half a
kilobyte of objects for each, in every worker process; here a member costs its name
and 40 bytes, and the index is inherited by forked workers without being touched.
Only what frames need is supported: stored or deflated members, ZIP64 included.
"""

import os
import struct
import threading
import zlib
from array import array

from mmsign.errors import FrameReadError, explain
from mmsign.files import file_stamp
from mmsign.vocab import composed

from .images import IMAGE_SUFFIXES

_END = struct.Struct('<4s4H2LH')
_END64_LOCATOR = struct.Struct('<4sLQL')
_END64 = struct.Struct('<4sQ2H2L4Q')
_MEMBER = struct.Struct('<4s4x2H4x3L3H8xL')
_LOCAL = struct.Struct('<4s5H3L2H')
_LARGEST_COMMENT = 1 << 16
_ENCRYPTED = 1
_WIDE = 0xFFFFFFFF  # the value is in the member's ZIP64 field
_IMAGE_ENDS = tuple(suffix.encode() for suffix in IMAGE_SUFFIXES)
_STORED, _DEFLATED = 0, 8
# What the index keeps of a member: position, compressed size, checksum, method.
_FIELDS = 4


def safe_member(name: str) -> bool:
    """Whether a name inside an archive stays inside it."""
    name = name.replace('\\', '/')
    return not name.startswith('/') and '..' not in name.split('/')


class Archive:
    """Index of the images of a zip archive, and access to them.

    May be pickled, forked and used from several threads: each process and thread
    reads through a file handle of its own.

    Args:
        path: Of the zip file.

    Raises:
        FrameReadError: If the file is missing, no zip archive, truncated, or has
            members with unsafe names.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._folders: dict[str, tuple[bytearray, array]] = {}
        self._local = threading.local()
        text = f'{path}: its index cannot be read, copy or pack the zip archive again'
        with explain(FrameReadError, text, struct.error, EOFError, OSError):
            self._index()

    def __reduce__(self) -> tuple:
        return Archive, (self.path,)

    def folders(self) -> list[str]:
        """Names of the folders that images lie in directly, sorted; '' is the top."""
        return sorted(self._folders)

    def images(self, folder: str) -> dict[str, tuple[int, ...]]:
        """Images that lie directly in a folder: names → where to find them.

        Raises:
            FrameReadError: If there are none.
        """
        if folder not in self._folders:
            forms = {composed(name): name for name in self._folders}
            folder = forms.get(composed(folder), folder)
        if folder not in self._folders:
            text = f'{self.path} has no images in its folder {folder!r}, but in: '
            raise FrameReadError(text + ', '.join([*self.folders()[:3], '…']))
        names, values = self._folders[folder]
        members = zip(*[iter(values)] * _FIELDS)
        return dict(zip(names.decode(errors='backslashreplace').split('\0'), members))

    def read(self, member: tuple[int, ...], name: str) -> bytes:
        """Content of a member.

        Args:
            member: From ``images``.
            name: For the error.

        Raises:
            FrameReadError: If the member is damaged, encrypted or compressed in
                an unusual way.
        """
        position, size, checksum, method = member
        file = self._file()
        # Where bytes are missing at the front, a member lies before the beginning.
        file.seek(max(0, position))
        header = file.read(_LOCAL.size)
        damaged = f'{name}: a damaged member of a zip archive; pack it again'
        if position < 0 or len(header) < _LOCAL.size or header[:4] != b'PK\x03\x04':
            raise FrameReadError(damaged)
        *_, name_length, extra_length = _LOCAL.unpack(header)
        file.seek(name_length + extra_length, os.SEEK_CUR)
        data = file.read(size)
        if method not in (_STORED, _DEFLATED):
            text = 'encrypted, or not deflated; pack the archive without compression'
            raise FrameReadError(f'{name}: {text}')
        if method == _DEFLATED:
            with explain(FrameReadError, damaged, zlib.error):
                data = zlib.decompress(data, -zlib.MAX_WBITS)
        if zlib.crc32(data) != checksum:
            raise FrameReadError(damaged)
        return data

    def _file(self):
        # A forked process must not share the position of its parent's handle.
        if getattr(self._local, 'pid', None) != os.getpid():
            self._local.file = open(self.path, 'rb')  # noqa: SIM115  kept open
            self._local.pid = os.getpid()
        return self._local.file

    def _index(self) -> None:
        """Fill the index from the central directory; about 2 s for a million."""
        directory, shift = self._central_directory()
        folder, at = None, 0
        while at < len(directory):
            fields = _MEMBER.unpack_from(directory, at)
            signature, flags, method, checksum, size, plain_size, *rest = fields
            name_length, extra_length, comment_length, position = rest
            if signature != b'PK\x01\x02':
                raise EOFError(f'no member where one should be, at byte {at}')
            name_end = at + _MEMBER.size + name_length
            path = directory[at + _MEMBER.size : name_end].removeprefix(b'./')
            if b'/' not in path:  # some packers on Windows write the other one
                path = path.replace(b'\\', b'/')
            at = name_end + extra_length + comment_length
            risky = b'..' in path or path.startswith(b'/')
            if risky and not safe_member(_text(path)):
                text = f'member {_text(path)!r} lies outside; pack it by relative names'
                raise FrameReadError(f'{self.path}: refused, its {text}')
            parent, _, name = path.rpartition(b'/')
            if not path.lower().endswith(_IMAGE_ENDS) or name.startswith(b'.'):
                continue
            if parent != folder:
                folder, empty = parent, (bytearray(), array('q'))
                names, values = self._folders.setdefault(_text(parent), empty)
            fields = (plain_size, size, position)
            if _WIDE in fields:
                extra = directory[name_end : name_end + extra_length]
                _, size, position = _wide_fields(extra, fields)
            if flags & _ENCRYPTED:
                method = -1
            names += name + b'\0'
            values.extend((position + shift, size, checksum, method))

    def _central_directory(self) -> tuple[bytes, int]:
        """The list of members, and how far positions in the file are shifted."""
        with open(self.path, 'rb') as file:
            length = file.seek(0, os.SEEK_END)
            tail_start = max(0, length - _END.size - _LARGEST_COMMENT)
            file.seek(tail_start)
            tail = file.read()
            found = tail.rfind(b'PK\x05\x06')
            if found < 0:
                raise EOFError('not a zip archive, or its end is missing')
            *_, size, start, _ = _END.unpack_from(tail, found)
            end = tail_start + found
            locator = end - _END64_LOCATOR.size
            if locator >= 0:
                file.seek(locator)
                fields = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
                if fields[0] == b'PK\x06\x07':
                    end = locator - _END64.size
                    file.seek(end)
                    fields = _END64.unpack(file.read(_END64.size))
                    if fields[0] != b'PK\x06\x06':
                        raise EOFError('the ZIP64 end is missing')
                    size, start = fields[-2:]
            if end < size:
                raise EOFError('the list of members is incomplete')
            file.seek(end - size)
            return file.read(size), end - size - start


def _text(path: bytes) -> str:
    try:
        return path.decode('utf-8')  # also written without the flag that says so
    except UnicodeDecodeError:
        return path.decode('cp437')


def _wide_fields(extra: bytes, fields: tuple[int, ...]) -> list[int]:
    """A member's sizes and position, those that did not fit from its ZIP64 field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from('<2H', extra, at)
        if kind == 1:
            # Holds, in this order, only the values that did not fit.
            values = iter(struct.unpack_from(f'<{length // 8}Q', extra, at + 4))
            return [next(values, old) if old == _WIDE else old for old in fields]
        at += 4 + length
    raise EOFError('a ZIP64 member without its sizes')


_ARCHIVES: dict[tuple[str, int, int], Archive] = {}


def open_archive(path: str) -> Archive:
    """The ``Archive`` of a path; indexed once per process and file version.

    Raises:
        FrameReadError: See ``Archive``.
    """
    text = f'no zip archive {path}, name its path in `frames` of the dataset'
    with explain(FrameReadError, text, OSError):
        stamp = file_stamp(path)
    return _ARCHIVES.get(stamp) or _ARCHIVES.setdefault(stamp, Archive(path))
