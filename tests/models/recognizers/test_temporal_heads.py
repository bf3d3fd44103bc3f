"""Streams whose head strides itself, alone, together, and beside heads that do not."""

import json

import pytest
import torch
from peer_files import PEERS
from tiny_models import GLOSSES, HEAD, SIZES, network_inputs, s3d, sample
from tiny_run import load_tool

from mmsign.datasets.transforms import SampleRescaled
from mmsign.errors import ConfigError
from mmsign.models import SignRecognizer, SignTranslator
from mmsign.models.inference import prepare_for_inference
from mmsign.models.recognizers.stream import is_auxiliary

TEMPORAL = dict(
    type='TemporalConvLSTMHead',
    hidden_channels=8,
    share_classifier=False,
    distillation=dict(type='TemperatureDistillationLoss'),
)
# Of single frames, and of clips.
FRAMEWISE = dict(
    type='ResNet',
    depth=18,
    pretrained=None,
    num_stages=1,
    out_indices=(0,),
    strides=(1,),
)
FRAMEWISE |= dict(dilations=(1,))


def network(**changes) -> SignRecognizer:
    """Of video, unless keypoints are asked for."""
    torch.manual_seed(0)
    video = dict(backbone=FRAMEWISE, head=TEMPORAL)
    config = dict(vocab=dict(glosses=GLOSSES), data_preprocessor=SIZES, video=video)
    return SignRecognizer(**(config | changes))


def s3d_stream(channels: int, **changes) -> dict:
    settings = dict(backbone=s3d(channels), output_stride=1, head=TEMPORAL)
    return settings | changes


BOTH = dict(video=s3d_stream(3), keypoint=s3d_stream(79))
WHOLE = dict(
    BOTH,
    bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
    pyramid=dict(type='SignPyramid', levels=3),
    joint=TEMPORAL,
    distillation=dict(type='SelfDistillationLoss'),
)
MIXED = dict(
    video=dict(backbone=FRAMEWISE, head=TEMPORAL),
    keypoint=dict(backbone=s3d(79), head=HEAD),
    bilateral=dict(type='BilateralNeck', stages=((0, 1),)),
    joint=dict(type='JointHead', **HEAD),
)
PYRAMID_HEAD = dict(pyramid_head=dict(HEAD))
WHOLE |= {name: BOTH[name] | PYRAMID_HEAD for name in BOTH}


@pytest.mark.parametrize(
    ('changes', 'edge', 'outputs'),
    [
        (dict(), 6, ['video']),
        (BOTH, 6, ['video', 'keypoint']),
        (WHOLE, 6, ['video', 'keypoint', 'joint']),
        (MIXED, 8, ['video', 'keypoint', 'joint']),
    ],
)
def test_a_step_is_as_many_frames_as_the_head_strides(changes, edge, outputs):
    net = network(**changes).train()
    assert net.output_stride == 4
    assert {stream.edge for stream in net.streams.values()} == {edge}
    samples = [sample(12), sample(10)]
    inputs = {
        stream.input_key: network_inputs(frames=12)[stream.input_key]
        for stream in net.streams.values()
    }
    losses = net(inputs, samples, mode='loss')
    temporal = [n for n, head in net.heads.items() if head.time_stride > 1]
    for name in temporal:
        assert {f'loss_ctc_{name}', f'loss_ctc_{name}_convolution'} < losses.keys()
        assert f'loss_distill_{name}_convolution' in losses
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    unused = [n for n, p in net.named_parameters() if p.grad is None]
    assert not unused
    net.eval()
    with torch.no_grad():
        found = net(inputs, samples)
        assert found['lengths'].tolist() == [3, 2]
        for name in outputs:
            assert found[name].shape == (2, 3, 5)
        predicted = net(inputs, samples, mode='predict')
    assert [p.clock.valid_steps for p in predicted] == [3, 2]
    assert predicted[0].clock.span(1, 3) == (4, 12)
    assert net.infeasible([sample(7)]) and not net.infeasible([sample(8)])


def test_a_stream_without_edges_is_as_it_is_alone():
    # Of single frames: nothing but the head's own steps may be left of the held ends.
    head = dict(backbone=FRAMEWISE, output_stride=4, head=HEAD)
    alone = network(video=head).eval()
    both = network(video=head, keypoint=s3d_stream(79)).eval()
    state = {k: v for k, v in alone.state_dict().items() if k.startswith('video.')}
    both.load_state_dict(state, strict=False)
    inputs = network_inputs(frames=20)
    with torch.no_grad():
        torch.testing.assert_close(both(inputs)['video'], alone(inputs)['video'])


def test_a_still_clip_looks_the_same_everywhere():
    # Where nothing moves, ends are held as long as need be: convolutions see no border.
    net = network().eval()
    still = torch.randn(1, 3, 1, 32, 32).expand(-1, -1, 24, -1, -1)
    with torch.no_grad():
        x = net.pooled(dict(video=still))['video']
        convolutions = net.video.head(x).auxiliary['convolution']
    spread = (convolutions - convolutions[:, :1]).abs().max()
    assert convolutions.shape[1] == 6 and spread < 1e-5


RULES = json.loads((PEERS / 'golden_clip_rules.json').read_text())


@pytest.mark.parametrize('rule', [k for k in RULES if k.startswith(('vac', 'corr'))])
def test_the_network_sees_the_frames_that_the_published_ones_see(rule):
    given = rule.partition(':')[2]
    preprocessor = dict(video_mean=(0,) * 3, video_std=(1,) * 3, **SIZES)
    net = network(data_preprocessor=preprocessor)
    sampling = SampleRescaled(test=True)
    clips, samples = [], []
    for count in json.loads(given):
        indices = sampling(dict(num_frames=count))['frame_indices']
        clips.append(torch.from_numpy(indices)[None, :, None, None].to(torch.uint8))
        clips[-1] = clips[-1].expand(3, -1, 32, 32)
        samples.append(sample(len(indices)))
    data = net.data_preprocessor(dict(inputs=dict(video=clips), data_samples=samples))
    seen = net.video.laid_out(data['inputs']['video'])[:, 0, :, 0, 0]
    assert seen.int().tolist() == RULES[rule]['index']
    edge = 2 * net.video.edge
    assert [s.length + edge for s in samples] == RULES[rule]['lengths']


def test_features_of_a_batch_are_cached_with_their_ends(tiny_translator_config):
    extract = load_tool('extract_features')
    translator = SignTranslator(**tiny_translator_config).eval()
    net, samples = translator.recognizer, [sample(20, clip_id='a')]
    samples.append(sample(12, clip_id='b'))
    clips = [torch.randint(0, 256, (3, s.length, 32, 32)).byte() for s in samples]
    batch = dict(inputs=dict(video=clips), data_samples=samples)
    found = extract.features_of(net, batch)
    assert [len(found[n].streams['video']) for n in 'ab'] == [32, 24]
    inputs = dict(
        video_features=[torch.from_numpy(found[n].streams['video']) for n in 'ab']
    )
    cached = dict(inputs=inputs, data_samples=samples)
    outputs = []
    for data in (batch, cached):
        data = translator.data_preprocessor(data)
        with torch.no_grad():
            outputs.append(translator(**data)['video'])
    for row, steps in enumerate((5, 3)):
        whole, of_cache = (x[row, :steps] for x in outputs)
        torch.testing.assert_close(of_cache, whole)


def test_cached_features_are_those_of_the_clip(tiny_translator_config):
    translator = SignTranslator(**tiny_translator_config)
    inputs = network_inputs(frames=20)
    samples = [sample(20), sample(12)]
    with torch.no_grad():
        pooled, frames = translator.eval().pooled(dict(video=inputs['video']))
        assert frames == 20
        cached = dict(video_features=pooled['video'])
        assert translator.pooled(cached)[1] == 20
        for outputs in (translator(dict(video=inputs['video'])), translator(cached)):
            assert outputs['video'].shape == (2, 5, 5)
        whole = translator(dict(video=inputs['video']), samples, mode='predict')
        assert len(whole[0].translations) == 1


@pytest.fixture
def tiny_translator_config() -> dict:
    pytest.importorskip('transformers')
    from tiny_mbart import mbart_config

    recognizer = dict(
        type='SignRecognizer',
        data_preprocessor=SIZES,
        video=dict(backbone=FRAMEWISE, head=TEMPORAL),
    )
    head = dict(mbart=mbart_config(beam_width=2), g2t_checkpoint='')
    return dict(
        vocab=dict(glosses=GLOSSES), recognizer=recognizer, translation=dict(video=head)
    )


def test_what_inference_does_not_need():
    assert is_auxiliary('video.head.convolution_classifier.weight')
    assert is_auxiliary('recognizer.joint_head.convolution_classifier.bias')
    assert is_auxiliary('video.head.pathways.slow.lstm.weight_ih_l0')
    assert not is_auxiliary('video.head.classifier.weight')
    assert not is_auxiliary('video.head.lstm.weight_ih_l0')
    net = network().eval()
    inputs = dict(video=network_inputs()['video'])
    with torch.no_grad():
        before = net(inputs)['average']
        prepare_for_inference(net, torch.float32)
        torch.testing.assert_close(net(inputs)['average'], before)


@pytest.mark.parametrize(
    ('changes', 'named'),
    [
        (dict(video=s3d_stream(3, output_stride=None)), 'video.output_stride=1'),
        (dict(video=s3d_stream(3, output_stride=2)), 'video.output_stride=1'),
        (dict(BOTH, video=s3d_stream(3, output_stride=4, head=HEAD)), None),
        (
            dict(BOTH, video=s3d_stream(3, output_stride=2, head=HEAD)),
            "'video': 2, 'keypoint': 4",
        ),
        (dict(MIXED, bilateral=None, joint=TEMPORAL), 'joint head strides'),
    ],
)
def test_strides_that_do_not_go_together_are_refused(changes, named):
    if named is None:
        assert network(**changes).output_stride == 4
        return
    with pytest.raises(ConfigError, match=named):
        network(**changes)
