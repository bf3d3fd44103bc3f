"""Make ``import mmaction.models`` work on every MMAction2 that people have.

Three faults of MMAction2 1.2.0 and one limit of both releases are answered. None
of it touches an installation that imports by itself.

============================ ================================ =================
fault                        answer                           can go when
============================ ================================ =================
1.2.0 as published lacks     an empty stand-in, where the     a release contains
``models/localizers/drn``    real one is not there            it
(upstream issue 2714)
---------------------------- -------------------------------- -----------------
1.2.0's                      the package imports empty and    a release imports
``models/multimodal``        its classes say why when used    with transformers
fails to import with a                                        5 and without timm
recent transformers
---------------------------- -------------------------------- -----------------
1.2.0 imports                the standard library's           a release uses the
``importlib_metadata``       ``importlib.metadata`` in its    standard library
without requiring it         place while it is imported
---------------------------- -------------------------------- -----------------
1.1.0 refuses mmcv 2.1 and   its version check is passed and  the check admits
2.2, 1.2.0 refuses 2.2       a warning says so once           mmcv 2.2
============================ ================================ =================
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from mmsign.errors import MissingPackageError

DRN = 'mmaction.models.localizers.drn'
MULTIMODAL = 'mmaction.models.multimodal'
# The classes that MMAction2 registers from the multimodal package.
MULTIMODAL_MODELS = 'VindLURetrieval', 'VindLURetrievalMC', 'VindLUVQA'
# What to type where a package is missing; requirements/lite.txt says the same.
_ADVICE = {
    'mmcv': 'pip install "mmcv-lite>=2.0.1,<2.2" (the extra mmsign[lite]), or your own '
    'build of mmcv',
    'mmaction': 'pip install "mmaction2>=1.1.0,<1.3"',
}
# Highest mmcv that the parts mmsign uses were seen to work with (exclusive).
MMCV_CEILING = (2, 3)


def make_mmaction_importable() -> None:
    """Give the answers above and import ``mmaction.models``. Idempotent.

    Raises:
        MissingPackageError: MMAction2 or mmcv is missing, with what to install.
    """
    for package, advice in _ADVICE.items():
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise MissingPackageError(
                f'mmsign needs {package}, which is not installed: {advice}'
            )
    if not any(isinstance(finder, _MultimodalFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _MultimodalFinder())
    with _standard_importlib_metadata(), warnings.catch_warnings():
        # mmcv-lite says on every import which of mmcv's operators it lacks.
        warnings.filterwarnings('ignore', message='Fail to import', module='mmcv')
        _import_past_version_check()
        _stand_in_for_drn()
        importlib.import_module('mmaction.models')


def _import_past_version_check() -> None:
    """``import mmaction``, also where it refuses a later but working mmcv."""
    try:
        importlib.import_module('mmaction')
        return
    except AssertionError as refusal:
        import mmcv

        installed = mmcv.__version__
        version = tuple(map(int, re.findall(r'\d+', installed)[:2]))
        if 'MMCV' not in str(refusal) or not (2, 1) <= version < MMCV_CEILING:
            raise
    mmcv.__version__ = '2.0.1'
    try:
        mmaction = importlib.import_module('mmaction')
    finally:
        mmcv.__version__ = installed
    warnings.warn(
        f'mmaction2 {mmaction.__version__} asks for an older mmcv than the installed '
        f'{installed}; its check was passed over, since the parts that mmsign uses '
        'work with it.',
        stacklevel=2,
    )


def _stand_in_for_drn() -> None:
    """Two modules in place of a package that was left out of the release."""
    root = Path(sys.modules['mmaction'].__file__).parent
    if DRN in sys.modules or (root / 'models' / 'localizers' / 'drn').exists():
        return
    for name in (DRN, f'{DRN}.drn'):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].DRN = unavailable(
            'DRN',
            'the installed mmaction2 was published without '
            'mmaction/models/localizers/drn; install it from its repository',
        )


def unavailable(name: str, reason: str) -> type:
    """A class called ``name`` whose construction raises MissingPackageError."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise MissingPackageError(f'{name} cannot be used: {reason}')

    return type(name, (), {'__init__': refuse, '__doc__': reason})


class _MultimodalFinder(importlib.abc.MetaPathFinder):
    """Has ``mmaction.models.multimodal`` loaded leniently: it goes first."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != MULTIMODAL:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(_load, spec.loader.exec_module)
        return spec


def _load(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    """Load a package; where it cannot be imported its classes say why when used."""
    try:
        load(module)
        return
    # transformers wraps some import failures in RuntimeError.
    except (ImportError, RuntimeError) as error:
        reason = (
            f'{module.__name__} of mmaction2 did not import with the installed '
            f'transformers ({type(error).__name__}: {error})'
        )
    from mmaction.registry import MODELS

    for name in [name for name in sys.modules if name.startswith(f'{MULTIMODAL}.')]:
        del sys.modules[name]
    for name in MULTIMODAL_MODELS:
        placeholder = unavailable(name, reason)
        setattr(module, name, placeholder)
        # Some may have been registered before the import failed.
        MODELS.register_module(name=name, module=placeholder, force=True)
    module.__all__ = list(MULTIMODAL_MODELS)


@contextmanager
def _standard_importlib_metadata() -> Iterator[None]:
    """``import importlib_metadata`` gives the standard library's, if absent."""
    name = 'importlib_metadata'
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        yield
        return
    sys.modules[name] = importlib.metadata
    try:
        yield
    finally:
        del sys.modules[name]
