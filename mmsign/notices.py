"""Notices for the user: in the log of a run, or on the console."""

import logging
import mmap
import zlib
from functools import partial

from mmengine.logging import print_log

warn = partial(print_log, logger='current', level=logging.WARNING)

# A byte per notice, found by its checksum, in memory that forked processes share:
# every epoch has new workers, to whom all that was said before would be new. Of so many
# that two notices hardly meet in one; those that are not touched take no memory.
_SLOTS = 1 << 24
_said = mmap.mmap(-1, _SLOTS)


def warn_once(text: str, subject: str | None = None) -> None:
    """Warn, unless this process, or a worker that it has forked, has said so before.

    Args:
        text: The notice.
        subject: What it is about, where the text names the first case of several;
            None if the text is all.
    """
    slot = zlib.crc32((subject or text).encode()) % _SLOTS
    if not _said[slot]:
        _said[slot] = 1
        warn(text)
