"""Install mmsign; see the README for the two ways to do it.

Most of this file answers one question: which torch, mmcv and mmaction2 should
``pip install`` ask for? The honest answer depends on what is installed already,
and package metadata cannot say "A, or B if A is absent":

* ``mmcv`` and ``mmcv-lite`` provide the same module. Either will do, but
  installing one over the other breaks both, so an installed one is kept.
* ``mmaction2`` 1.1.0 is the default, because 1.2.0 as published cannot be
  imported without the help of ``mmsign.compat``; an installed 1.2.0 is kept.
* ``torch`` unpinned pulls several GB of CUDA packages into an empty
  environment; an installed one (2.1 or newer) is kept.

So the requirements are decided here, when pip runs this file, from what the
target environment holds. A wheel carries the decision of the environment it was
built for, so mmsign is handed on as source; pip keeps no wheels of a checkout.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import site
import sys
import sysconfig
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


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


def installed_version(name: str, folders: list[str]) -> str | None:
    """Version of distribution ``name`` in ``folders``, ``None`` if absent."""
    wanted = re.sub(r'[-_.]+', '-', name).lower()
    for dist in importlib.metadata.distributions(path=folders):
        found = dist.metadata['Name']
        if found and re.sub(r'[-_.]+', '-', found).lower() == wanted:
            return dist.version
    return None


def read_requirements(name: str) -> list[str]:
    """Requirement lines of ``requirements/<name>.txt`` without comments."""
    text = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    lines = (line.split('#')[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def stack_requirements(folders: list[str]) -> list[str]:
    """Requirements on torch, mmcv and mmaction2 that keep what is installed."""
    if installed_version('torch', folders):
        torch = 'torch>=2.1'
    else:
        pinned = read_requirements('torch')[0]
        # The scripts also pass options of pip in MMSIGN_TORCH; these cannot go
        # into metadata.
        torch = os.environ.get('MMSIGN_TORCH', pinned).split()[0]
    if installed_version('mmcv', folders):
        mmcv = 'mmcv>=2.0.0rc4'
    elif installed_version('mmcv-lite', folders):
        mmcv = 'mmcv-lite>=2.0.0rc4'
    else:
        mmcv = 'mmcv-lite==2.0.1'
    if installed_version('mmaction2', folders):
        mmaction2 = 'mmaction2>=1.1.0,<1.3'
    else:
        mmaction2 = 'mmaction2==1.1.0'
    return [torch, mmcv, mmaction2]


def read_version() -> str:
    text = (ROOT / 'mmsign' / 'version.py').read_text(encoding='utf-8')
    return re.search(r"__version__ = '([^']+)'", text).group(1)


def read_readme() -> str:
    readme = ROOT / 'README.md'
    return readme.read_text(encoding='utf-8') if readme.is_file() else ''


if __name__ == '__main__':
    translation = read_requirements('translation')
    tests = read_requirements('tests')
    export = read_requirements('export')
    setup(
        name='mmsign',
        version=read_version(),
        description='Continuous sign language recognition on top of MMAction2',
        long_description=read_readme(),
        long_description_content_type='text/markdown',
        license='Apache-2.0',
        packages=find_packages(include=['mmsign', 'mmsign.*']),
        package_data={'mmsign.visualization.html_report': ['*.css', '*.html', '*.js']},
        python_requires='>=3.10',
        install_requires=[
            *stack_requirements(target_site_packages()),
            *read_requirements('core'),
        ],
        extras_require={
            'translation': translation,
            'export': export,
            'tests': tests,
            'all': sorted({*translation, *export, *tests}),
        },
        classifiers=[
            'Programming Language :: Python :: 3',
            'Operating System :: OS Independent',
            'Topic :: Scientific/Engineering :: Image Recognition',
        ],
        zip_safe=False,
    )
