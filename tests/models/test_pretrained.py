import pytest
import torch

from mmsign.models import S3D
from mmsign.models.backbones.building import build_backbone
from mmsign.models.pretrained import load_pretrained

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
    load_pretrained(video, path)
    torch.testing.assert_close(video.state_dict(), source.state_dict())


def test_all_but_the_first_convolution_for_keypoints(tmp_path):
    source = randomized(build_backbone(SLOWONLY, 3))
    path = save(tmp_path / 'slowonly.pth', source)
    net = build_backbone(SLOWONLY, 79)
    before = net.conv1.conv.weight.clone()
    load_pretrained(net, path)
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
    load_pretrained(net, save(tmp_path / 'stgcn.pth', source))
    torch.testing.assert_close(net.gcn[0].gcn.A, adjacency)
    torch.testing.assert_close(
        net.gcn[1].tcn.state_dict(), source.gcn[1].tcn.state_dict()
    )


def test_s3d(tmp_path):
    source = randomized(S3D(width=0.125))
    net = S3D(in_channels=79, width=0.125)
    torch.save(source.state_dict(), tmp_path / 's3d.pth')
    load_pretrained(net, str(tmp_path / 's3d.pth'))
    torch.testing.assert_close(
        net.blocks[1].state_dict(), source.blocks[1].state_dict()
    )


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(base_channels=8), 'of another shape'),
        (dict(stage_blocks=(1, 2, 1, 1)), r"tensors missing \(first: \['layer2.1"),
    ],
)
def test_another_network_is_refused(tmp_path, changes, message):
    path = save(tmp_path / 'slowonly.pth', build_backbone(SLOWONLY, 3))
    with pytest.raises(ValueError, match=message):
        load_pretrained(build_backbone(SLOWONLY | changes, 3), path)
