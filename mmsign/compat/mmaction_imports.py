"""Make ``import mmaction.models`` work on every MMAction2 that people have.

Three faults of MMAction2 1.2.0 and one limit of both releases are answered. None
of it touches an installation that imports by itself.

============================ ================================ =================
fault                        answer                           can go when
============================ ================================ =================
1.2.0 as published lacks     an empty stand-in, found only    a release contains
``models/localizers/drn``    when the real one is not there   it
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

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from mmsign.errors import MissingPackageError

DRN = 'mmaction.models.localizers.drn'
MULTIMODAL = 'mmaction.models.multimodal'
# The classes that MMAction2 registers from the multimodal package.
MULTIMODAL_MODELS = ('VindLURetrieval', 'VindLURetrievalMC', 'VindLUVQA')
# What to type where a package is missing; requirements/lite.txt says the same.
_ADVICE = {
    'mmcv': 'pip install "mmcv-lite>=2.0.1,<2.2" (the extra mmsign[lite]), or your own '
    'build of mmcv',
    'mmaction': 'pip install "mmaction2>=1.1.0,<1.3"',
}
# Highest mmcv that the parts mmsign uses were seen to work with (exclusive).
MMCV_CEILING = (2, 3)


def unavailable(name: str, reason: str) -> type:
    """A class called ``name`` whose construction raises ImportError(reason)."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise MissingPackageError(f'{name} cannot be used: {reason}')

    return type(name, (), {'__init__': refuse, '__doc__': reason})


class _DRNStandIn(importlib.abc.Loader):
    """Loads an empty package (or the module in it that defines ``DRN``)."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__['DRN'] = unavailable(
            'DRN',
            'the installed mmaction2 was published without '
            'mmaction/models/localizers/drn; install it from its repository',
        )
        module.__dict__['__all__'] = ['DRN']


class MissingDRNFinder(importlib.abc.MetaPathFinder):
    """Finds ``localizers.drn`` when nobody else did: it goes last."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == DRN or fullname == f'{DRN}.drn':
            return importlib.machinery.ModuleSpec(
                fullname, _DRNStandIn(), is_package=fullname == DRN
            )
        return None


class _LenientLoader(importlib.abc.Loader):
    """Runs a package's real loader; an ImportError leaves the package empty."""

    def __init__(self, real: importlib.abc.Loader) -> None:
        self.real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        try:
            self.real.exec_module(module)
        except (ImportError, RuntimeError) as error:
            # transformers wraps some import failures in RuntimeError.
            reason = (
                f'{module.__name__} of mmaction2 did not import with the installed '
                f'transformers ({type(error).__name__}: {error})'
            )
            prefix = f'{module.__name__}.'
            for name in [name for name in sys.modules if name.startswith(prefix)]:
                del sys.modules[name]
            _fill_with_placeholders(module, reason)


def _fill_with_placeholders(module: ModuleType, reason: str) -> None:
    from mmaction.registry import MODELS

    for name in MULTIMODAL_MODELS:
        placeholder = unavailable(name, reason)
        module.__dict__[name] = placeholder
        # Some may have been registered before the import failed.
        MODELS.register_module(name=name, module=placeholder, force=True)
    module.__dict__['__all__'] = list(MULTIMODAL_MODELS)


class MultimodalFinder(importlib.abc.MetaPathFinder):
    """Wraps the loader of ``mmaction.models.multimodal``: it goes first."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != MULTIMODAL:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _LenientLoader(spec.loader)
        return spec


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


def _version_tuple(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split('+')[0].split('.')[:2]:
        numbers.append(int(''.join(c for c in part if c.isdigit()) or 0))
    return tuple(numbers)


def _import_past_version_check() -> None:
    """``import mmaction``, also where it refuses a later but working mmcv."""
    try:
        importlib.import_module('mmaction')
        return
    except AssertionError as refusal:
        import mmcv

        installed = mmcv.__version__
        version = _version_tuple(installed)
        if 'MMCV' not in str(refusal) or not (2, 1) <= version < MMCV_CEILING:
            raise
    mmcv.__version__ = '2.0.1'
    try:
        importlib.import_module('mmaction')
    finally:
        mmcv.__version__ = installed
    warnings.warn(
        f'mmaction2 {importlib.import_module("mmaction").__version__} asks for an '
        f'older mmcv than the installed {installed}; its check was passed over, '
        'since the parts that mmsign uses work with it.',
        stacklevel=2,
    )


def make_mmaction_importable() -> None:
    """Install the answers above and import ``mmaction.models``. Idempotent.

    Raises:
        ImportError: MMAction2 or mmcv is missing, with what to install.
    """
    for package, advice in _ADVICE.items():
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise MissingPackageError(
                f'mmsign needs {package}, which is not installed: {advice}'
            )
    finders = {type(finder) for finder in sys.meta_path}
    if MultimodalFinder not in finders:
        sys.meta_path.insert(0, MultimodalFinder())
    if MissingDRNFinder not in finders:
        sys.meta_path.append(MissingDRNFinder())
    with _standard_importlib_metadata(), warnings.catch_warnings():
        # mmcv-lite says on every import which of mmcv's operators it lacks.
        warnings.filterwarnings('ignore', message='Fail to import', module='mmcv')
        _import_past_version_check()
        importlib.import_module('mmaction.models')
