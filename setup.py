"""What mmsign asks for, and the configs and tools it brings; all else: pyproject.toml.

Which torch, mmcv and mmaction2: the honest answer depends on what is installed already,
and package metadata cannot say "A, or B if A is absent":

* ``mmcv`` and ``mmcv-lite`` provide the same module. Either will do, but installing one
  over the other breaks both, so an installed one must be kept.
* ``mmaction2`` 1.1.0 is the default, because 1.2.0 as published cannot be imported
  without the help of ``mmsign.compat``; an installed 1.2.0 is kept.
* ``torch`` unpinned pulls several GB of CUDA packages into an empty environment; an
  installed one (2.1 or newer) is kept.

So there are two answers, and the rule is whether the installation is editable:

* ``pip install -e .``, which README and the scripts do, stays with the environment that
  it is made for. The requirements are decided here from what that environment holds.
* A wheel may be passed on, whoever builds it: ``pip wheel .``, ``python -m build``, and
  ``pip install .``, which builds one on its way and cannot be told from them. Its
  requirements are the same wherever it is built: ranges that admit every supported
  version, and no mmcv. That is the extra ``[lite]``, or the user's own; without
  either ``import mmsign`` says what to type.

``requirements/backend.py`` tells this file which of the two is being built.

Configs and tools lie in ``mmsign/.mim`` of an installed package, where OpenMMLab's
``mim`` and ``mmsign.shipped`` look for them: copies in a wheel, links to the checkout
in an editable installation.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import site
import sys
import sysconfig
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / 'requirements'
ANY_TORCH, ANY_MMACTION2 = 'torch>=2.1', 'mmaction2>=1.1.0,<1.3'


def target_site_packages() -> list[str]:
    """Folders where the environment that is installed into keeps its packages.

    pip builds in an isolated environment that hides them from ``sys.path``, but
    runs the target's interpreter, so ``sysconfig`` still names them.
    """
    folders = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
    config = Path(sys.prefix, 'pyvenv.cfg')
    in_venv = config.is_file()
    sees_system = not in_venv or bool(
        re.search(
            r'^include-system-site-packages\s*=\s*true',
            config.read_text(encoding='utf-8'),
            re.IGNORECASE | re.MULTILINE,
        )
    )
    if in_venv and sees_system:
        base = {'base': sys.base_prefix, 'platbase': sys.base_exec_prefix}
        folders += [
            sysconfig.get_path('purelib', vars=base),
            sysconfig.get_path('platlib', vars=base),
        ]
    if sees_system:
        folders.append(site.getusersitepackages())
    return list(dict.fromkeys(folders))


def is_installed(name: str, folders: list[str]) -> bool:
    """Whether ``folders`` hold a distribution of this name, spelled in any way."""

    def normalized(name: str) -> str:
        return re.sub(r'[-_.]+', '-', name).lower()

    return any(
        normalized(distribution.metadata['Name'] or '') == normalized(name)
        for distribution in importlib.metadata.distributions(path=folders)
    )


def read_requirements(name: str) -> list[str]:
    """Requirement lines of ``requirements/<name>.txt`` without comments."""
    text = (REQUIREMENTS / f'{name}.txt').read_text(encoding='utf-8')
    lines = (line.split('#')[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def editable_stack(folders: list[str]) -> list[str]:
    """Requirements on torch, mmcv and mmaction2 that keep what ``folders`` hold."""
    if is_installed('torch', folders):
        torch = ANY_TORCH
    else:
        # The scripts also pass options of pip in MMSIGN_TORCH; these cannot go
        # into metadata.
        pinned = read_requirements('torch')[0]
        torch = os.environ.get('MMSIGN_TORCH', pinned).split()[0]
    if is_installed('mmcv', folders):
        mmcv = 'mmcv>=2.0.0rc4'
    elif is_installed('mmcv-lite', folders):
        mmcv = 'mmcv-lite>=2.0.0rc4'
    else:
        mmcv = 'mmcv-lite==2.0.1'
    installed = is_installed('mmaction2', folders)
    return [torch, mmcv, ANY_MMACTION2 if installed else 'mmaction2==1.1.0']


def requirements(editable: bool) -> list[str]:
    """What an installation needs; see above."""
    stack = [ANY_TORCH, ANY_MMACTION2]
    if editable:
        stack = editable_stack(target_site_packages())
    return [*stack, *read_requirements('core')]


SHIPPED = ('configs', 'tools', 'model-index.yml')


class BuildWithTools(build_py):
    """Also puts what is in ``SHIPPED`` into ``mmsign/.mim``."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            link_shipped(ROOT / 'mmsign' / '.mim')
        else:
            copy_shipped(Path(self.build_lib, 'mmsign', '.mim'))


def copy_shipped(target: Path) -> None:
    """Copy it into a build, which may hold an older copy."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)


def link_shipped(target: Path) -> None:
    """Link to it, where links can be made: without them only ``mim`` misses it."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        target.mkdir()
        for name in SHIPPED:
            (target / name).symlink_to(Path('..', '..', name))
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        print(f'no links in {target}: {error}', file=sys.stderr)


if __name__ == '__main__':
    setup(
        install_requires=requirements('MMSIGN_EDITABLE_INSTALL' in os.environ),
        cmdclass=dict(build_py=BuildWithTools),
    )
