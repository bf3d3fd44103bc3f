"""Reading, fitting and writing of the authors' files, on a few tensors."""

from __future__ import annotations

import os

import pytest
import torch

from mmsign.errors import CheckpointError
from mmsign.interop import slrt_checkpoint as slrt
from mmsign.models.layers.sequence import sinusoid

NET = 'recognition_network.'
HEAD = f'{NET}visual_head.'
ONE, TWO = torch.ones(1), torch.ones(2)


def converted(**tensors) -> slrt.Converted:
    return slrt.Converted(tensors, {name: f'their.{name}' for name in tensors}, {})


def test_tensors_are_found_wherever_they_lie(tmp_path):
    path = tmp_path / 'x.pth'
    value = torch.arange(3.0)
    for content in (
        {'model_state': {'a': value}, 'epoch': 3},
        {'state_dict': {'module.a': value}, 'meta': {}},
        {'module.a': value},
    ):
        torch.save(content, path)
        assert list(slrt.read_state(path)) == ['a']
        assert torch.equal(slrt.read_state(path)['a'], value)
    torch.save({'epoch': 3}, path)
    with pytest.raises(CheckpointError, match='x.pth'):
        slrt.read_state(path)


class _Command:
    def __reduce__(self):
        return os.mkdir, ('executed',)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'model_state': {'a': torch.zeros(1)}, 'x': _Command()}, 'x.pth')
    with pytest.raises(CheckpointError, match='x.pth'):
        slrt.read_state('x.pth')
    assert not (tmp_path / 'executed').exists()


def test_every_source_tensor_is_used_or_listed():
    state = {
        f'{HEAD}fc1.weight': torch.ones(2, 3),
        f'{HEAD}pe.pe': sinusoid(50, 8)[None],
        f'{NET}visual_head.what': ONE,
        'translation_network.model.x': ONE,
    }
    result = slrt.convert_recognizer(state)
    assert result.sources == {'video.head.fc.weight': f'{HEAD}fc1.weight'}
    assert set(result.left_out) == set(state) - set(result.sources.values())
    assert result.left_out[f'{HEAD}pe.pe'].startswith('position table')


@pytest.mark.parametrize('change', [lambda t: t + 0.01, lambda t: t[0]])
def test_other_position_tables_are_refused(change):
    table = change(sinusoid(50, 8)[None])
    with pytest.raises(CheckpointError, match=r'pe\.pe'):
        slrt.convert_recognizer({f'{HEAD}pe.pe': table})


def test_two_networks_in_one_file_are_refused():
    state = {
        f'{NET}{backbone}.backbone.base.0.bn_s.bias': ONE
        for backbone in ('visual_backbone', 'visual_backbone_twostream.rgb_stream')
    }
    with pytest.raises(CheckpointError, match='two networks'):
        slrt.convert_recognizer(state)


def test_fitting():
    target = dict(a=ONE, counter_num_batches_tracked=torch.tensor(0), train=TWO)
    state, unused, unfilled = slrt.fit(
        converted(a=ONE, aid=TWO), target, lambda name: name in ('train', 'aid')
    )
    assert set(state) == {'a', 'counter_num_batches_tracked'}
    assert state['a'] is ONE and state['counter_num_batches_tracked'] == 0
    assert set(unused) == {'their.aid'}
    assert set(unfilled) == {'counter_num_batches_tracked', 'train'}


@pytest.mark.parametrize(
    ('source', 'target', 'named'),
    [
        (dict(a=TWO), dict(a=ONE), r'a \(2,\) instead of \(1,\)'),
        (dict(), dict(a=ONE), "'a'"),
        (dict(a=ONE, b=TWO), dict(a=ONE), r'their\.b'),
    ],
)
def test_mismatches_are_named(source, target, named):
    with pytest.raises(CheckpointError, match=named) as error:
        slrt.fit(converted(**source), target, network='NET', source='x.ckpt')
    assert 'NET' in str(error.value) and 'x.ckpt' in str(error.value)


def test_a_backbone_is_taken_out():
    tensors = {'video.backbone.blocks.0.x': ONE, 'video.head.y': ONE}
    result = slrt.select_backbone(converted(**tensors), 'video')
    assert list(result.tensors) == ['blocks.0.x']
    assert result.sources == {'blocks.0.x': 'their.video.backbone.blocks.0.x'}
    assert list(result.left_out) == ['their.video.head.y']
    with pytest.raises(CheckpointError, match='keypoint'):
        slrt.select_backbone(converted(**tensors), 'keypoint')


def test_published_s3d_weights_and_back():
    state = {'base.0.bn_s.bias': ONE, 'base.14.x': TWO}
    assert slrt.is_s3d_state(state | {'fc.0.weight': ONE})
    assert not slrt.is_s3d_state(state | {f'{HEAD}fc1.bias': ONE})
    assert not slrt.is_s3d_state({'fc.0.weight': ONE})
    result = slrt.convert_s3d(state | {'fc.0.weight': ONE})
    assert list(result.left_out) == ['fc.0.weight']
    back = slrt.to_published_s3d(result.tensors)
    assert back == {f'module.{name}': value for name, value in state.items()}


def test_foreign_networks_cannot_be_written():
    for write in (slrt.to_slrt, slrt.to_published_s3d):
        with pytest.raises(CheckpointError, match=r'video\.x'):
            write({'video.x': ONE})
