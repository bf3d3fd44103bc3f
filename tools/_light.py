"""For tools that need no network: parts of mmsign without PyTorch."""

from __future__ import annotations

import sys
import types
from pathlib import Path


def import_lightly(*folders: str) -> None:
    """Let modules of ``mmsign`` and of its ``folders`` be imported alone.

    ``import mmsign`` and ``import mmsign.evaluation`` load PyTorch and MMAction2 to
    register their parts: seconds, for a script that only compares words. Empty packages
    take their place.

    Args:
        folders: Of the package, such as ``'engine.launch'``.
    """
    root = Path(__file__).resolve().parents[1]
    if not (root / 'mmsign').is_dir():
        root = root.parents[1]  # installed, in mmsign/.mim
    for name in ('mmsign', *(f'mmsign.{folder}' for folder in folders)):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split('.')))]
        sys.modules[name] = package
