"""With a package in MMDetection's place, whose detector sees grey rectangles."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from mmsign.errors import PoseError
from mmsign.pose import RANDOM_WEIGHTS, SignerDetector

if importlib.util.find_spec('mmdet') is not None:
    pytest.skip('MMDetection itself is installed', allow_module_level=True)

REGISTRY = """
from mmengine import registry


def child(name):
    parent = getattr(registry, name)
    return registry.Registry(
        name.lower(), parent=parent, scope='mmdet', locations=['mmdet.models']
    )


MODELS, TRANSFORMS, DATASETS = map(child, ('MODELS', 'TRANSFORMS', 'DATASETS'))
"""
MODULES = """
import torch
from mmengine.structures import InstanceData

from .registry import DATASETS, MODELS, TRANSFORMS


@DATASETS.register_module()
class CocoDataset:
    METAINFO = dict(classes=('cat', 'person'))


@TRANSFORMS.register_module()
class LoadImageFromNDArray:
    def __call__(self, results):
        assert results.keys() == {'img', 'img_id'}
        return results


@TRANSFORMS.register_module()
class PackDetInputs:
    def __call__(self, results):
        inputs = torch.from_numpy(results['img'])
        return dict(inputs=inputs, data_samples=results['img_id'])


class Sample:
    pass


@MODELS.register_module()
class Rectangles(torch.nn.Module):
    # A rectangle of value 100 c + s is of class c, with a score of s / 100.
    def test_step(self, data):
        assert not torch.is_grad_enabled() and not self.training
        assert data['data_samples'] == list(range(len(data['inputs'])))
        samples = []
        for image in data['inputs']:
            boxes, scores, labels = [], [], []
            for value in image.unique().tolist():
                if value:
                    y, x = torch.nonzero(image[..., 0] == value, as_tuple=True)
                    edges = x.min(), y.min(), x.max() + 1, y.max() + 1
                    boxes.append([float(edge) for edge in edges])
                    scores.append(value % 100 / 100)
                    labels.append(value // 100)
            sample = Sample()
            sample.pred_instances = InstanceData(
                bboxes=torch.tensor(boxes).view(-1, 4),
                scores=torch.tensor(scores),
                labels=torch.tensor(labels, dtype=torch.long),
            )
            samples.append(sample)
        return samples
"""
CONFIG = """
model = dict(type='Rectangles')
test_dataloader = dict(dataset=dict(type='CocoDataset', pipeline=[
    dict(type='LoadImageFromFile'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs'),
]))
"""


@pytest.fixture(scope='module')
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp('packages')
    configs = folder / 'mmdet' / '.mim' / 'configs'
    configs.mkdir(parents=True)
    files = dict(__init__='', datasets='', registry=REGISTRY, models=MODULES)
    for name, content in files.items():
        (folder / 'mmdet' / f'{name}.py').write_text(content)
    (configs / 'rectangles.py').write_text(CONFIG)
    return folder


@pytest.fixture
def mmdet(packages, monkeypatch):
    from mmengine import registry

    monkeypatch.syspath_prepend(packages)
    yield
    for name in [n for n in sys.modules if n.split('.')[0] == 'mmdet']:
        del sys.modules[name]
    for parent in (registry.MODELS, registry.TRANSFORMS, registry.DATASETS):
        parent._children.pop('mmdet', None)


@pytest.fixture
def notices(monkeypatch):
    texts = []
    monkeypatch.setattr('mmsign.pose.boxes.warn', texts.append)
    return texts


def frame(*rectangles: tuple[int, int, int, int, int]) -> np.ndarray:
    """40×30 pixels with rectangles (value, x0, y0, x1, y1)."""
    image = np.zeros((30, 40, 3), np.uint8)
    for value, x0, y0, x1, y1 in rectangles:
        image[y0:y1, x0:x1] = value
    return image


CAT, SIGNER, UNSURE = (95, 0, 0, 20, 20), (170, 20, 5, 30, 25), 125
PERSON = 190


def test_one_person_is_followed_through_the_clip(mmdet, notices):
    detector = SignerDetector('rectangles', RANDOM_WEIGHTS, 'cpu', batch_size=2)
    frames = [
        frame(CAT),
        frame(CAT, SIGNER),
        frame((PERSON, 0, 20, 9, 30), SIGNER),
        frame((PERSON, 0, 20, 9, 30)),
        frame((PERSON, 0, 20, 9, 30), (UNSURE, 20, 0, 40, 30)),
        frame((170, 21, 5, 31, 25)),
    ]
    expected = [(20, 5, 30, 25)] * 5 + [(21, 5, 31, 25)]
    for given in (frames, iter(frames)):
        boxes = detector(given)
        assert boxes.dtype == np.float32
        np.testing.assert_array_equal(boxes, expected)
        assert '2 persons' in notices.pop() and not notices
    np.testing.assert_array_equal(detector(frames[3:4]), [(0, 20, 9, 30)])
    assert np.isnan(detector([frame(CAT), frame()])).all()
    assert not notices and detector.config.endswith('rectangles.py')
    assert detector.checkpoint == RANDOM_WEIGHTS


def test_how_sure_is_for_the_user_to_say(mmdet, notices):
    frames = [frame((UNSURE, 20, 0, 40, 30), (PERSON, 1, 2, 3, 4))]
    for threshold, expected in ((0.2, (20, 0, 40, 30)), (0.95, [np.nan] * 4)):
        detector = SignerDetector('rectangles', RANDOM_WEIGHTS, 'cpu', threshold)
        np.testing.assert_array_equal(detector(frames), [expected])


def with_classes(path: Path, classes: str) -> Path:
    own = f'test_dataloader["dataset"]["metainfo"] = dict(classes={classes})'
    path.write_text(f'{CONFIG}\n{own}\n')
    return path


@pytest.mark.parametrize('classes', ["('person', 'dog')", "'person'"])
def test_a_config_may_have_classes_of_its_own(mmdet, tmp_path, classes):
    path = with_classes(tmp_path / 'own.py', classes)
    detector = SignerDetector(path, RANDOM_WEIGHTS, 'cpu')
    np.testing.assert_array_equal(detector([frame(CAT, SIGNER)]), [(0, 0, 20, 20)])


def test_a_detector_of_other_things_is_refused(mmdet, tmp_path):
    path = with_classes(tmp_path / 'cars.py', "('car', 'bus')")
    with pytest.raises(PoseError, match=r'cars\.py .*person.*car.*bus'):
        SignerDetector(path, RANDOM_WEIGHTS, 'cpu')


def test_weights_and_configs_that_are_nowhere(mmdet):
    with pytest.raises(PoseError, match=r'known for .*rectangles\.py: name a check'):
        SignerDetector('rectangles', device='cpu')
    with pytest.raises(PoseError, match='no config circles'):
        SignerDetector('circles', RANDOM_WEIGHTS, 'cpu')


def test_without_mmdetection():
    with pytest.raises(PoseError, match=r'mmdet cannot be .*tools/install_pose\.sh'):
        SignerDetector()
