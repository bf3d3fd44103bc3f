"""A package in MMPose's place, for what does not need the real one."""

import sys
import textwrap

import pytest


@pytest.fixture(scope='session')
def standin_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('packages')
    package = folder / 'posestandin'
    configs = package / '.mim' / 'configs' / 'wholebody'
    configs.mkdir(parents=True)
    (package / '__init__.py').write_text('')
    (package / 'datasets.py').write_text('')
    (package / 'models.py').write_text(
        textwrap.dedent(
            """\
            from torch import nn

            from .registry import MODELS


            @MODELS.register_module()
            class Points(nn.Module):
                def __init__(self, size):
                    super().__init__()
                    self.layer = nn.Linear(size, 2)
            """
        )
    )
    (package / 'registry.py').write_text(
        textwrap.dedent(
            """\
            from mmengine.registry import MODELS as ROOT
            from mmengine.registry import Registry

            MODELS = Registry(
                'model', parent=ROOT, scope='posestandin', locations=[]
            )
            """
        )
    )
    (configs / 'small.py').write_text("model = dict(type='Points', size=3)\n")
    (configs / 'other.py').write_text("model = dict(type='Points', size=3)\n")
    (configs / 'small.yml').write_text(
        'Models:\n'
        '- Config: configs/wholebody/small.py\n'
        '  Weights: https://example.org/small.pth\n'
    )
    return folder


@pytest.fixture
def standin(standin_folder, monkeypatch):
    """Name of an importable package with one network and two configs."""
    monkeypatch.syspath_prepend(standin_folder)
    yield 'posestandin'
    for name in [n for n in sys.modules if n.startswith('posestandin')]:
        del sys.modules[name]
    from mmengine.registry import MODELS

    MODELS._children.pop('posestandin', None)
