"""Broken files: bytes of a good one with pieces changed, and a watch on what is done.

``MMSIGN_FUZZ_EXAMPLES=20000 pytest tests/fuzz`` runs for minutes, with new draws each
time; hypothesis prints what reproduces a failure and keeps it in ``.hypothesis``.
Without the variable the draws are few and always the same. Files that once broke a
reader are kept in the tests as ``@example``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get('MMSIGN_FUZZ_EXAMPLES', '0'))
FUZZ = settings(
    max_examples=EXAMPLES or 15,
    derandomize=not EXAMPLES,
    # A loaded machine is slow; what takes longer than this hangs.
    deadline=30_000,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
# Names in a file that would run something, were they followed.
_PIECES = (
    b'cos\nsystem\n(S"exit 1"\ntR.',
    b'\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x06exit 1\x85R.',
    b'c__builtin__\neval\n(S"1/0"\ntR.',
    b'../../x',
    b'\xff\xff\xff\xff\xff\xff\xff\x7f',
    b'\x00' * 8,
    b'\n',
    b'|',
    b'"',
    b',',
    b'\xfc',  # 'ü' in latin-1
    b'nan',
    b'1e999',
    b'[' * 2000,
    b'{"',
)
_EDIT = st.tuples(
    st.integers(0, 1 << 30),
    st.integers(0, 12),
    st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8)),
)


@st.composite
def broken(draw, good: bytes) -> bytes:
    """``good`` with some bytes replaced, cut out or inserted; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(good)
    for position, length, piece in draw(st.lists(_EDIT, min_size=1, max_size=4)):
        start = position % (len(data) + 1)
        data[start : start + length] = piece
    if draw(st.integers(0, 4)) == 0:
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


_events: list[str] | None = None
_FORBIDDEN = (
    'os.system',
    'os.exec',
    'os.posix_spawn',
    'os.fork',
    'os.remove',
    'os.rename',
    'subprocess.Popen',
    'socket.connect',
    'shutil.rmtree',
)


def _watch(event: str, arguments: tuple) -> None:
    if _events is None:
        return
    writes = event == 'open' and isinstance(arguments[1], str) and arguments[1] != 'r'
    if event in _FORBIDDEN or (writes and set(arguments[1]) & set('wax+')):
        _events.append(f'{event}{arguments}'[:200])


sys.addaudithook(_watch)


@contextmanager
def nothing_is_done() -> Iterator[None]:
    """Fail if a process is started, a file written or removed, an address called."""
    global _events
    _events = events = []
    try:
        yield
    finally:
        _events = None
    assert not events


def read_broken(
    path: Path, data: bytes, read: Callable, errors: tuple[type[Exception], ...]
) -> None:
    """Read a file; all that may happen is a result or one of the declared errors.

    The message must name the file.
    """
    path.write_bytes(data)
    with nothing_is_done():
        try:
            read(path)
        except errors as error:
            assert path.name in str(error), repr(error)
