import os

import pytest
import torch
from torch import nn

from mmsign import compat
from mmsign.errors import CheckpointError
from mmsign.models import S3D
from mmsign.models.recognizers.stream import build_backbone
from mmsign.models.weights import Weights, best_checkpoint, load_backbone, load_weights
from mmsign.vocab import GlossVocabulary

SLOWONLY = dict(
    type='ResNet3dSlowOnly', base_channels=4, stage_blocks=(1, 1, 1, 1), depth=50
)


def save(path, net, prefix: str = 'backbone.') -> str:
    state = {f'{prefix}{key}': value for key, value in net.state_dict().items()}
    state['cls_head.fc_cls.weight'] = torch.zeros(4, 8)
    torch.save(dict(meta=dict(epoch=1), state_dict=state), path)
    return str(path)


def randomized(net):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    return net


def test_a_recognizer_of_mmaction2(tmp_path):
    source = randomized(build_backbone(SLOWONLY, 3))
    path = save(tmp_path / 'slowonly.pth', source)
    video = build_backbone(SLOWONLY, 3)
    load_backbone(video, path)
    torch.testing.assert_close(video.state_dict(), source.state_dict())


def test_all_but_the_first_convolution_for_keypoints(tmp_path):
    source = randomized(build_backbone(SLOWONLY, 3))
    path = save(tmp_path / 'slowonly.pth', source)
    net = build_backbone(SLOWONLY, 79)
    before = net.conv1.conv.weight.clone()
    load_backbone(net, path)
    torch.testing.assert_close(net.conv1.conv.weight, before)
    expected = source.state_dict()
    for key, value in net.state_dict().items():
        if key != 'conv1.conv.weight':
            torch.testing.assert_close(value, expected[key], msg=key)


def test_a_graph_of_other_keypoints(tmp_path):
    def stgcn(layout):
        return build_backbone(
            dict(
                type='STGCN',
                gcn_adaptive='init',
                graph_cfg=dict(layout=layout, mode='spatial'),
                base_channels=8,
                num_stages=2,
            ),
            3,
        )

    source, net = randomized(stgcn('coco')), stgcn('nturgb+d')
    adjacency = net.gcn[0].gcn.A.clone()
    load_backbone(net, save(tmp_path / 'stgcn.pth', source))
    torch.testing.assert_close(net.gcn[0].gcn.A, adjacency)
    torch.testing.assert_close(
        net.gcn[1].tcn.state_dict(), source.gcn[1].tcn.state_dict()
    )


def test_s3d(tmp_path):
    source = randomized(S3D(width=0.125))
    net = S3D(in_channels=79, width=0.125)
    torch.save(source.state_dict(), tmp_path / 's3d.pth')
    load_backbone(net, str(tmp_path / 's3d.pth'))
    torch.testing.assert_close(
        net.blocks[1].state_dict(), source.blocks[1].state_dict()
    )


@pytest.mark.parametrize(
    ('changes', 'tensor'),
    [
        (dict(base_channels=8), 'conv1.bn.weight'),
        (dict(stage_blocks=(1, 2, 1, 1)), 'layer2.1'),
    ],
)
def test_another_network_is_refused(tmp_path, changes, tensor):
    path = save(tmp_path / 'slowonly.pth', build_backbone(SLOWONLY, 3))
    with pytest.raises(CheckpointError, match=tensor):
        load_backbone(build_backbone(SLOWONLY | changes, 3), path)


def test_a_url_is_fetched_and_kept(tmp_path, monkeypatch):
    net = S3D(width=0.125)
    calls = []

    def download(url, target, *_):
        calls.append(url)
        torch.save(net.state_dict(), target)

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    for _ in range(2):
        load_backbone(net, 'https://example.invalid/models/net.pth')
    assert calls == ['https://example.invalid/models/net.pth']


def test_loads_what_lies_under_the_prefix(tmp_path):
    path = str(tmp_path / 'a.pth')
    state = {'part.weight': torch.ones(1, 2), 'module.part.bias': torch.zeros(1)}
    compat.write_checkpoint(dict(state_dict=state), path)
    part = nn.Linear(2, 1)
    load_weights(part, path, 'the part', prefix='part.')
    assert part.weight.tolist() == [[1, 1]]
    with pytest.raises(CheckpointError, match='the whole.*bias'):
        load_weights(part, path, 'the whole')
    with pytest.raises(CheckpointError, match=r'weight \(1, 2\)'):
        load_weights(nn.Linear(3, 1), path, 'the part', prefix='part.')
    with pytest.raises(FileNotFoundError):
        load_weights(part, str(tmp_path / 'b.pth'), 'the part')


def test_a_work_folder_means_its_best_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        best_checkpoint(str(tmp_path))
    for time, name in enumerate(('epoch_9.pth', 'best_b.pth', 'best_a.pth')):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
        assert best_checkpoint(str(tmp_path)) == str(tmp_path / name)
    assert best_checkpoint(str(tmp_path / 'epoch_9.pth')).endswith('epoch_9.pth')


def test_another_vocabulary_is_refused():
    meta = dict(gloss_vocab=['B', 'A'], text_vocab=dict(video='t1'))
    weights = Weights.of(dict(meta=meta, state_dict={}), 'a.pth')
    good = GlossVocabulary(['B', 'A'])
    weights.check_vocabularies(good, 't1')
    for glosses, text in ((GlossVocabulary(['A', 'B']), None), (good, 't2')):
        with pytest.raises(CheckpointError, match='a.pth'):
            weights.check_vocabularies(glosses, text)
