import pytest
import torch
from families import build

from mmsign.models.stages import backbone_stages, describe_stages, input_tensors

GRAPH = dict(
    graph_cfg=dict(layout='coco', mode='spatial'),
    base_channels=8,
    num_person=1,
    num_stages=4,
    inflate_stages=[2, 4],
    down_stages=[2, 4],
)


@pytest.mark.parametrize(
    ('network', 'first'), [('STGCN', 3), ('AAGCN', 3), ('STGCN', 8)]
)
def test_stages_are_the_network(network, first):
    net = build(dict(type=network, in_channels=first, **GRAPH))
    x = torch.randn(2, first, 8, 17, 1)
    y = x
    with torch.no_grad():
        for stage in backbone_stages(net):
            y = stage(y)
        # MMAction2's order: clip, person, frame, keypoint, channel.
        whole = net(x.permute(0, 4, 2, 3, 1).contiguous())
    torch.testing.assert_close(y, whole.permute(0, 2, 3, 4, 1))
    infos = [
        (i.channels, i.time_stride, i.size)
        for i in describe_stages(net, first, (17, 1))
    ]
    stages = [(8, 1, (17, 1)), (16, 2, (17, 1)), (32, 4, (17, 1))]
    # Without a first block there is nothing before the first cut.
    assert infos == (stages if first == 3 else stages[1:])


def test_tensors_that_follow_from_the_keypoints():
    names = input_tensors(build(dict(type='STGCN', in_channels=3, **GRAPH)))
    assert {'data_bn.weight', 'data_bn.running_mean', 'gcn.0.gcn.PA'} <= names or {
        'data_bn.weight',
        'gcn.0.gcn.A',
    } <= names
    assert not any('.tcn.' in name for name in names)
