"""Each fault of MMAction2 is played by a small fake package in its own process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import mmsign.compat.mmaction_imports as under_test

# Loaded by path, below an empty package: the fakes are enough for this module, not for
# all of mmsign.
LOAD = f"""
import importlib.util, pathlib, sys, types, warnings
package = sys.modules['mmsign'] = types.ModuleType('mmsign')
package.__path__ = [str(pathlib.Path({under_test.__file__!r}).parents[1])]
spec = importlib.util.spec_from_file_location('under_test', {under_test.__file__!r})
under_test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(under_test)
"""
REGISTRY = """
class Registry(dict):
    def register_module(self, name, module, force=False):
        assert force or name not in self, name
        self[name] = module
MODELS = Registry()
"""
VERSION_CHECK = """
import mmcv
__version__ = '1.2.0'
assert mmcv.__version__ < '2.2.0', f'MMCV=={mmcv.__version__} is incompatible'
"""
GOOD = {
    'mmcv/__init__.py': "__version__ = '2.0.1'",
    'mmaction/__init__.py': VERSION_CHECK,
    'mmaction/registry.py': REGISTRY,
    'mmaction/models/__init__.py': 'from . import localizers, multimodal',
    'mmaction/models/localizers/__init__.py': 'from .drn.drn import DRN',
    'mmaction/models/localizers/drn/__init__.py': '',
    'mmaction/models/localizers/drn/drn.py': 'class DRN:\n    real = True',
    'mmaction/models/multimodal/__init__.py': 'from .vindlu import *',
    'mmaction/models/multimodal/vindlu.py': """
        from mmaction.registry import MODELS
        class VindLUVQA:
            real = True
        MODELS.register_module('VindLUVQA', VindLUVQA)
    """,
}


@pytest.fixture
def run(tmp_path):
    """Write fake packages and run code beside them, with the module loaded."""

    def run(files: dict[str, str | None], code: str) -> str:
        for name, content in {**GOOD, **files}.items():
            if content is None:
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        script = LOAD + textwrap.dedent(code)
        done = subprocess.run(
            [sys.executable, '-S', '-c', script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


def test_a_working_installation_is_left_alone(run):
    out = run(
        {},
        """
        warnings.simplefilter('error')
        under_test.make_mmaction_importable()
        from mmaction.registry import MODELS
        from mmaction.models.localizers import DRN
        print(DRN.real, MODELS['VindLUVQA'].real, len(sys.meta_path))
        under_test.make_mmaction_importable()
        print(len(sys.meta_path))
        """,
    ).split()
    assert out[:2] == ['True', 'True'] and out[2] == out[3]


def test_missing_drn(run):
    out = run(
        {
            'mmaction/models/localizers/drn/__init__.py': None,
            'mmaction/models/localizers/drn/drn.py': None,
        },
        """
        under_test.make_mmaction_importable()
        from mmaction.models.localizers import DRN
        try:
            DRN(depth=3)
        except ImportError as error:
            print(error)
        """,
    )
    assert 'DRN cannot be used' in out and 'from its repository' in out


@pytest.mark.parametrize(
    'failure',
    [
        'from timm import layers',
        'raise RuntimeError("Failed to import transformers.x")',
    ],
)
def test_multimodal_that_does_not_import(failure, run):
    out = run(
        {
            'mmaction/models/multimodal/__init__.py': (
                f'from .vindlu import *\n{failure}\nfrom .more import VindLURetrieval'
            )
        },
        """
        under_test.make_mmaction_importable()
        from mmaction.registry import MODELS
        print(sorted(MODELS), 'mmaction.models.multimodal.vindlu' in sys.modules)
        for name in MODELS:
            try:
                MODELS[name](1)
            except ImportError as error:
                print(error)
        """,
    )
    assert "['VindLURetrieval', 'VindLURetrievalMC', 'VindLUVQA'] False" in out
    reason = 'timm' if 'timm' in failure else 'Failed to import transformers.x'
    assert out.count('cannot be used') == 3 and reason in out


def test_other_errors_of_multimodal_are_not_hidden(run):
    with pytest.raises(AssertionError, match='ZeroDivisionError'):
        run(
            {'mmaction/models/multimodal/__init__.py': '1 / 0'},
            'under_test.make_mmaction_importable()',
        )


def test_importlib_metadata_is_borrowed_for_the_import_only(run):
    out = run(
        {
            'mmaction/models/multimodal/vindlu.py': (
                'from importlib_metadata import PackageNotFoundError, distribution'
            )
        },
        """
        under_test.make_mmaction_importable()
        import mmaction.models.multimodal.vindlu as vindlu, importlib.metadata
        print(vindlu.distribution is importlib.metadata.distribution)
        print('importlib_metadata' in sys.modules)
        """,
    )
    assert out.split() == ['True', 'False']


def test_a_later_mmcv_passes_the_check_with_a_warning(run):
    code = """
        under_test.make_mmaction_importable()
        import mmcv
        print(mmcv.__version__)
    """
    out = run({'mmcv/__init__.py': "__version__ = '2.2.0'"}, code)
    assert '2.2.0' in out and 'asks for an older mmcv than the installed 2.2.0' in out


@pytest.mark.parametrize('version', ['1.7.0', '2.3.0', '3.0.0'])
def test_an_unknown_mmcv_is_still_refused(version, run):
    check = VERSION_CHECK.replace('assert', "assert mmcv.__version__ > '2' and")
    with pytest.raises(AssertionError, match='is incompatible'):
        run(
            {
                'mmcv/__init__.py': f"__version__ = '{version}'",
                'mmaction/__init__.py': check,
            },
            'under_test.make_mmaction_importable()',
        )


def test_the_installed_mmaction_imports():
    import mmaction.models

    assert Path(mmaction.models.__file__).is_file()
