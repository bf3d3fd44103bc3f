import pytest
import torch
from golden import golden_inputs, golden_weights
from tiny_models import HEAD, SIZES, network_inputs, sample, single_stream, stream

from mmsign.models import SingleStreamRecognizer


@pytest.mark.parametrize(('kind', 'name'), [('rgb', 'video'), ('kp', 'keypoint')])
def test_agrees_with_the_authors_network(kind, name):
    inputs, expected = golden_inputs(kind)
    golden = torch.from_numpy(expected['gloss_logits'])
    channels = 3 if name == 'video' else 79
    net = SingleStreamRecognizer(
        vocab=dict(glosses=[f'g{i}' for i in range(1, golden.shape[-1])]),
        **{name: dict(backbone=dict(type='S3D', in_channels=channels))},
    ).eval()
    net.load_state_dict(golden_weights(kind), strict=True)
    samples = [
        sample(int(length), [f'g{index}' for index in labels[:count]])
        for length, labels, count in zip(
            expected['lens'], expected['labels'], expected['label_lens'], strict=True
        )
    ]
    with torch.no_grad():
        logits = net(inputs, samples)[name]
        losses = net(inputs, samples, mode='loss')
    assert (logits - golden).abs().max() < 1e-4 * golden.abs().max()
    assert set(losses) == {f'loss_ctc_{name}'}
    total = float(expected['recognition_loss'])
    assert float(losses[f'loss_ctc_{name}']) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize('name', ['video', 'keypoint'])
def test_outputs_are_the_stream_and_the_average(name):
    net = single_stream(name).eval()
    with torch.no_grad():
        out = net(network_inputs())
        (predicted, _) = net(network_inputs(), [sample(16), sample(8)], 'predict')
    assert set(out) == {name, 'average', 'lengths'}
    torch.testing.assert_close(out['average'], out[name].softmax(-1))
    assert set(predicted.predictions) == {name, 'average'}


def test_a_pyramid_trains_a_single_stream_too():
    net = single_stream(
        'video',
        video=stream(3) | dict(pyramid_head=dict(HEAD, loss_weight=0.3)),
        pyramid=dict(type='SignPyramid'),
    )
    losses = net(network_inputs(), [sample(16), sample(16)], mode='loss')
    assert set(losses) == {
        'loss_ctc_video',
        'loss_ctc_video_pyramid0',
        'loss_ctc_video_pyramid1',
    }
    assert net.video.pyramid_head.loss_weight == 0.3


@pytest.mark.parametrize('streams', [{}, dict(video=stream(3), keypoint=stream(79))])
def test_exactly_one_stream(streams):
    with pytest.raises(ValueError, match='exactly one of video and keypoint'):
        SingleStreamRecognizer(
            vocab=dict(glosses=['A']), data_preprocessor=SIZES, **streams
        )
