"""Reading, fitting and writing of the authors' files, on a few tensors."""

from __future__ import annotations

import pytest
import torch

from mmsign.errors import CheckpointError
from mmsign.interop import slrt_checkpoint as slrt
from mmsign.models.layers.positions import sinusoid

NET = 'recognition_network.'
HEAD = f'{NET}visual_head.'


def converted(**tensors) -> slrt.Converted:
    return slrt.Converted(tensors, {name: f'their.{name}' for name in tensors})


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
    with pytest.raises(slrt.CheckpointError, match='x.pth holds no named ten'):
        slrt.read_state(path)


class _Command:
    def __reduce__(self):
        import os

        return os.mkdir, ('executed',)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'model_state': {'a': torch.zeros(1)}, 'x': _Command()}, 'x.pth')
    with pytest.raises(CheckpointError, match='x.pth was refused'):
        slrt.read_state('x.pth')
    assert not (tmp_path / 'executed').exists()


def test_every_source_tensor_is_used_or_listed():
    state = {
        f'{HEAD}fc1.weight': torch.ones(2, 3),
        f'{HEAD}pe.pe': sinusoid(50, 8)[None],
        f'{NET}visual_head.what': torch.ones(1),
        'translation_network.model.x': torch.ones(1),
    }
    result = slrt.convert_recognizer(state, sinusoid)
    assert result.sources == {'video.head.fc.weight': f'{HEAD}fc1.weight'}
    assert set(result.left_out) == set(state) - set(result.sources.values())
    assert result.left_out[f'{HEAD}pe.pe'].startswith('position table')


def test_other_position_tables_are_refused():
    for table in (sinusoid(50, 8)[None] + 0.01, sinusoid(50, 8)):
        with pytest.raises(slrt.CheckpointError, match='pe.pe of shape'):
            slrt.convert_recognizer({f'{HEAD}pe.pe': table}, sinusoid)


def test_two_networks_in_one_file_are_refused():
    state = {
        f'{NET}{backbone}.backbone.base.0.bn_s.bias': torch.ones(1)
        for backbone in ('visual_backbone', 'visual_backbone_twostream.rgb_stream')
    }
    with pytest.raises(slrt.CheckpointError, match='holds two networks'):
        slrt.convert_recognizer(state, sinusoid)


def test_fitting():
    one, two = torch.ones(1), torch.ones(2)
    target = dict(a=one, counter_num_batches_tracked=torch.tensor(0), train=two)
    state, unused, unfilled = slrt.fit(
        converted(a=one, aid=two), target, lambda name: name in ('train', 'aid')
    )
    assert set(state) == {'a', 'counter_num_batches_tracked'}
    assert state['a'] is one and state['counter_num_batches_tracked'] == 0
    assert set(unused) == {'their.aid'}
    assert set(unfilled) == {'counter_num_batches_tracked', 'train'}


def test_mismatches_are_named():
    one, two = torch.ones(1), torch.ones(2)
    for source, target, message in (
        (dict(a=two), dict(a=one), r'their\.a has shape \(2,\), a of NET \(1,\).*conf'),
        (dict(), dict(a=one), r'NET needs 1 tensors that the file lacks: a\. Use'),
        (dict(a=one, b=two), dict(a=one), r'NET has no place for: their\.b\. The'),
    ):
        with pytest.raises(slrt.CheckpointError, match=message):
            slrt.fit(converted(**source), target, network='NET')
    many = {f'n{index}': one for index in range(7)}
    with pytest.raises(slrt.CheckpointError, match='n4 and 2 more'):
        slrt.fit(converted(), many)


def test_a_backbone_is_taken_out():
    tensors = {
        'video.backbone.blocks.0.x': torch.ones(1),
        'video.head.y': torch.ones(1),
    }
    result = slrt.select_backbone(converted(**tensors), 'video')
    assert list(result.tensors) == ['blocks.0.x']
    assert result.left_out == {'their.video.head.y': 'not part of the video backbone'}
    with pytest.raises(slrt.CheckpointError, match='keypoint stream'):
        slrt.select_backbone(converted(**tensors), 'keypoint')


def test_published_s3d_weights_and_back():
    state = {'base.0.bn_s.bias': torch.ones(1), 'base.14.x': torch.ones(2)}
    assert slrt.is_s3d_state(state | {'fc.0.weight': torch.ones(3)})
    assert not slrt.is_s3d_state(state | {f'{HEAD}fc1.bias': torch.ones(3)})
    assert not slrt.is_s3d_state({'fc.0.weight': torch.ones(3)})
    result = slrt.convert_s3d(state | {'fc.0.weight': torch.ones(3)})
    assert list(result.left_out) == ['fc.0.weight']
    back = slrt.to_published_s3d(result.tensors)
    assert back == {f'module.{name}': value for name, value in state.items()}


def test_foreign_networks_cannot_be_written():
    with pytest.raises(slrt.CheckpointError, match=r'1 of 1 tensors: video\.x'):
        slrt.to_slrt({'video.x': torch.ones(1)}, sinusoid)
    with pytest.raises(slrt.CheckpointError, match='has no place for'):
        slrt.to_published_s3d({'x': torch.ones(1)})
