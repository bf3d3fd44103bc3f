"""``_base_`` of a config that names configs of a package of one's own.

Answered fault of MMEngine 0.10: it reads ``PACKAGE::NAME`` of the packages alone that
it lists. Can go when a package can register itself there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmengine.config import Config


@contextmanager
def bases_of(package: str, find: Callable[[str], str]) -> Iterator[None]:
    """While configs are read, let ``_base_`` name those of a package.

    Args:
        package: What stands before ``::``.
        find: From what stands behind it to the file; its errors reach the reader.
    """
    theirs = Config._get_cfg_path

    def found(base: str, filename: str) -> tuple[str, str | None]:
        named, _, name = base.partition('::')
        if named == package and name:
            return find(name.removesuffix('.py')), None
        return theirs(base, filename)

    Config._get_cfg_path = staticmethod(found)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(theirs)
