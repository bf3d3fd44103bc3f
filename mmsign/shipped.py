"""Where the configs and the tools that come with the package lie."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# OpenMMLab's place for them in an installed package; setup.py puts them there.
_INSTALLED = _PACKAGE / '.mim'


def shipped(path: str) -> Path:
    """A file or folder under ``configs`` or ``tools``.

    Of a wheel in ``mmsign/.mim``, of a checkout beside the package.

    Args:
        path: Below the root of a checkout, such as ``'tools/train.py'``.

    Examples:
        >>> shipped('tools/train.py').is_file()
        True
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
    return (root / path).resolve()
