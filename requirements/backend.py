"""The build backend of pyproject.toml: setuptools', which tells setup.py what is built.

``pip install -e .`` asks for the metadata of an editable installation, for which
setup.py looks at the environment; every other hook builds what may be passed on.
setuptools makes both sorts of metadata with one command, so that setup.py alone could
not tell them apart.
"""

from __future__ import annotations

import os

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  the other hooks

EDITABLE = 'MMSIGN_EDITABLE_INSTALL'


def prepare_metadata_for_build_editable(*arguments) -> str:
    """See PEP 660."""
    os.environ[EDITABLE] = '1'
    return build_meta.prepare_metadata_for_build_editable(*arguments)


def build_editable(*arguments) -> str:
    """See PEP 660."""
    os.environ[EDITABLE] = '1'
    return build_meta.build_editable(*arguments)
