"""Tell one version of a file from the next, for caches within a process."""

from __future__ import annotations

import os


def file_stamp(path: str) -> tuple[str, int, int]:
    """Path, modification time in ns and size in bytes.

    Raises:
        OSError: If there is no such file.
    """
    status = os.stat(path)
    return path, status.st_mtime_ns, status.st_size
