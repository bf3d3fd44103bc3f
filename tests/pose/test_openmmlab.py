import sys

import pytest
import torch
from mmengine.registry import DefaultScope

from mmsign.errors import PoseError
from mmsign.pose import RANDOM_WEIGHTS
from mmsign.pose.openmmlab import (
    build_model,
    find_config,
    import_package,
    load_weights,
    published_weights,
)

CONFIG = dict(type='Points', size=3)


def test_a_missing_package_names_the_script_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmpose', None)
    with pytest.raises(PoseError, match=r'mmpose cannot be.*tools/install_pose\.sh'):
        import_package('mmpose')


def test_a_package_that_refuses_its_surroundings_is_reported(standin, standin_folder):
    broken = standin_folder / 'brokenstandin'
    broken.mkdir(exist_ok=True)
    (broken / '__init__.py').write_text("assert False, 'mmcv==2.9 is too new'")
    with pytest.raises(PoseError, match=r'mmcv==2\.9 is too new'):
        import_package('brokenstandin')


@pytest.mark.parametrize('name', ['small', 'small.py'])
def test_a_config_is_found_by_name(standin, name):
    path = find_config(standin, name)
    assert path.name == 'small.py' and path.parent.name == 'wholebody'


def test_a_config_is_found_by_path_without_the_package(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('')
    assert find_config('no_such_package', path) == path


@pytest.mark.parametrize('name', ['absent', 'folder/small.py'])
def test_a_config_that_is_nowhere_is_an_error(standin, name):
    with pytest.raises(PoseError, match=f'no config {name}'):
        find_config(standin, name)


def test_published_weights_are_those_of_the_config(standin):
    url = published_weights(find_config(standin, 'small'))
    assert url == 'https://example.org/small.pth'
    with pytest.raises(PoseError, match='name a checkpoint'):
        published_weights(find_config(standin, 'other'))


def test_random_weights_are_always_the_same_and_use_no_ones_random_numbers(standin):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    assert torch.rand(1) == expected
    second = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    assert torch.equal(first.layer.weight, second.layer.weight)
    assert not first.training


def test_a_network_is_found_whatever_the_default_scope(standin):
    with DefaultScope.overwrite_default_scope('mmaction'):
        build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
        assert DefaultScope.get_current_instance().scope_name == 'mmaction'


def test_weights_come_from_a_checkpoint_as_saved_by_several_processes(
    standin, tmp_path
):
    model = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    state = {
        f'module.{name}': torch.full_like(value, 0.5)
        for name, value in model.state_dict().items()
    }
    torch.save(dict(state_dict=state, meta={}), tmp_path / 'x.pth')
    load_weights(model, tmp_path / 'x.pth')
    assert all((p == 0.5).all() for p in model.parameters())


@pytest.mark.parametrize(
    ('state', 'message'),
    [
        ({'layer.weight': torch.zeros(2, 3)}, 'lacks 1 weights.*layer.bias'),
        (
            {'layer.weight': torch.zeros(2, 9), 'layer.bias': torch.zeros(2)},
            r'size mismatch for layer\.weight',
        ),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(standin, tmp_path, state, message):
    model = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    torch.save(state, tmp_path / 'x.pth')
    with pytest.raises(PoseError, match=rf'(?s)x\.pth does not fit.*{message}'):
        load_weights(model, tmp_path / 'x.pth')


def test_tensors_without_a_place_are_listed(standin, tmp_path):
    model = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    torch.save({**model.state_dict(), 'extra': torch.zeros(1)}, tmp_path / 'x.pth')
    with pytest.warns(UserWarning, match='1 tensors have no place.*extra'):
        load_weights(model, tmp_path / 'x.pth')


def test_a_checkpoint_that_cannot_be_had_is_an_error(standin, tmp_path):
    model = build_model(standin, CONFIG, RANDOM_WEIGHTS, 'cpu')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        load_weights(model, tmp_path / 'absent.pth')
