import argparse

import torch
from tiny_run import TOOLS


def test_the_baseline_gets_the_same_input(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    from _plain import preprocess_per_pixel
    from training_step import batch, network

    args = argparse.Namespace(
        width=0.125, size=64, frames=20, batch_size=2, checkpointing=False
    )
    net = network(args)
    data = batch(args, net)
    data['data_samples'][1].set_metainfo(dict(crop_box=(11.0, 17.0, 190.0, 201.0)))
    ours = net.data_preprocessor(data, True)['inputs']
    plain = preprocess_per_pixel(net, data, True)['inputs']
    assert ours.keys() == plain.keys()
    assert torch.equal(ours['video'], plain['video'])
    # One is resized after it is drawn, the other drawn through the resizing.
    torch.testing.assert_close(ours['heatmaps'], plain['heatmaps'], atol=0.02, rtol=0)
    assert ours['heatmaps'].std() > 0.1
