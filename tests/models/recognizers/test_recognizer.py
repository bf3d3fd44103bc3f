"""The network: golden numbers, its modes, and parts that can be left out."""

import copy
import math

import numpy as np
import pytest
import torch
from golden import golden_inputs, golden_weights
from tiny_models import (
    GLOSSES,
    HEAD,
    network_inputs,
    sample,
    single_stream,
    stream,
    two_stream,
)

from mmsign.errors import CheckpointError, ConfigError, UnknownGlossError
from mmsign.models import SignRecognizer
from mmsign.models.layers.sequence import ClipLengths

LOSSES = {f'loss_ctc_{name}' for name in ('video', 'keypoint', 'joint')}
PYRAMID_LOSSES = {
    f'loss_ctc_{name}_pyramid{level}'
    for name in ('video', 'keypoint')
    for level in (0, 1)
}
DISTILLATION = {f'loss_distill_{name}' for name in ('video', 'keypoint', 'joint')}


def relative(ours: torch.Tensor, golden) -> float:
    golden = torch.as_tensor(golden)
    return float((ours - golden).abs().max() / golden.abs().max())


def labelled(expected) -> list:
    """The golden files' clips as data samples."""
    return [
        sample(int(length), [f'g{index}' for index in labels[:count]])
        for length, labels, count in zip(
            expected['lens'], expected['labels'], expected['label_lens'], strict=True
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize(('kind', 'name'), [('rgb', 'video'), ('kp', 'keypoint')])
def test_one_stream_agrees_with_the_authors_network(kind, name):
    inputs, expected = golden_inputs(kind)
    golden = torch.from_numpy(expected['gloss_logits'])
    channels = 3 if name == 'video' else 79
    net = SignRecognizer(
        vocab=dict(glosses=[f'g{i}' for i in range(1, golden.shape[-1])]),
        **{name: dict(backbone=dict(type='S3D', in_channels=channels))},
    ).eval()
    net.load_state_dict(golden_weights(kind), strict=True)
    samples = labelled(expected)
    with torch.no_grad():
        logits = net(inputs, samples)[name]
        losses = net(inputs, samples, mode='loss')
    assert (logits - golden).abs().max() < 1e-4 * golden.abs().max()
    assert set(losses) == {f'loss_ctc_{name}'}
    total = float(expected['recognition_loss'])
    assert float(losses[f'loss_ctc_{name}']) == pytest.approx(total, rel=1e-4)


@pytest.mark.slow
def test_agrees_with_the_authors_network():
    inputs, expected = golden_inputs('two')
    classes = expected['rgb_gloss_logits'].shape[-1]
    glosses = [f'g{index}' for index in range(1, classes)]
    net = SignRecognizer(
        vocab=dict(glosses=glosses),
        video=dict(backbone=dict(type='S3D', in_channels=3, frozen_blocks=1)),
        keypoint=dict(backbone=dict(type='S3D', in_channels=79)),
        bilateral=dict(type='BilateralNeck'),
        pyramid=dict(type='SignPyramid'),
        joint=dict(type='JointHead'),
        distillation=dict(type='SelfDistillationLoss'),
    ).eval()
    net.load_state_dict(golden_weights('two'), strict=True)
    samples = labelled(expected)
    with torch.no_grad():
        # One pass for everything; the modes that a user calls are tested below.
        features = net.encode(inputs)
        pooled = net.pool(features)
        lengths = ClipLengths(expected['lens'].tolist(), int(expected['T']))
        outputs = net.classify(pooled, lengths)
        logits = {name: output.logits for name, output in outputs.items()}
        levels = {n: s.pyramid(features[n]) for n, s in net.streams.items()}
        net.pooled, net.pooled_levels = lambda _: pooled, lambda _: (pooled, levels)
        tensors = net(inputs, samples)
        losses = {k: float(v) for k, v in net(inputs, samples, mode='loss').items()}
        auxiliary = {
            n: s.pyramid_head(levels[n], [torch.tensor([8, 8])] * 2)
            for n, s in net.streams.items()
        }
    for ours, theirs in dict(video='rgb', keypoint='keypoint', joint='fuse').items():
        assert relative(logits[ours], expected[f'{theirs}_gloss_logits']) < 1e-4
        torch.testing.assert_close(tensors[ours], logits[ours])
        distilled = expected[f'ensemble_last_teaches_{theirs}_loss']
        assert losses[f'loss_distill_{ours}'] == pytest.approx(distilled, rel=1e-4)
        recognition = sum(v for k, v in losses.items() if f'ctc_{ours}' in k)
        golden = expected[f'recognition_loss_{theirs}']
        assert recognition == pytest.approx(golden, rel=1e-4)
    for ours, theirs in dict(video='rgb', keypoint='keypoint').items():
        assert relative(pooled[ours], expected[f'head_{theirs}_input']) < 1e-4
        for level in (0, 1):
            golden = expected[f'aux_{theirs}_{level}']
            shown = auxiliary[ours][level][..., : golden.shape[-1]]
            assert relative(shown, golden) < 1e-4
    average = expected['ensemble_last_gloss_probabilities']
    assert relative(tensors['average'], average) < 1e-4
    assert tensors['lengths'].tolist() == expected['valid_len_out'].tolist()
    total = expected['recognition_loss']
    assert sum(losses.values()) == pytest.approx(float(total), rel=1e-4)


@pytest.mark.slow
def test_a_short_clip_has_gradients_in_bfloat16():
    # Shorter than kernels are; see compat.patch_small_convolutions.
    gradients = []
    for low in (False, True):
        net = two_stream().eval()
        with torch.autocast('cpu', torch.bfloat16, enabled=low):
            losses = net(network_inputs(2, 8), [sample(8), sample(6)], mode='loss')
        sum(losses.values()).backward()
        gradients.append({name: p.grad for name, p in net.named_parameters()})
    exact, found = gradients
    assert all(grad is not None for grad in exact.values())
    # Rounding moves maxima of max pooling, so that the few entries of a batch norm's
    # gradient may differ much: layers are compared with all that is in them.
    layers = {name: '.'.join(name.split('.')[:5]) for name in exact}
    for layer in set(layers.values()):
        names = [name for name in layers if layers[name] == layer]
        pair = [torch.cat([of[n].flatten() for n in names]) for of in (exact, found)]
        norms = [vector.norm() for vector in pair]
        assert pair[0] @ pair[1] / (norms[0] * norms[1]) > 0.95, layer
        assert 0.9 < norms[1] / norms[0] < 1.1, layer


def test_tensor_mode(full_network):
    inputs = network_inputs()
    with torch.no_grad():
        out = full_network(inputs, [sample(16), sample(8)])
        whole = full_network(inputs)
    assert set(out) == {'video', 'keypoint', 'joint', 'average', 'lengths'}
    assert out['video'].shape == (2, 4, len(GLOSSES) + 1)
    assert out['lengths'].tolist() == [4, 2] and whole['lengths'].tolist() == [4, 4]
    mean = sum(out[name].softmax(-1) for name in ('video', 'keypoint', 'joint')) / 3
    torch.testing.assert_close(out['average'], mean)


def test_every_term_of_the_loss_trains_its_parts():
    net = two_stream().train()
    losses = net(network_inputs(), [sample(16), sample(12)], mode='loss')
    assert set(losses) == LOSSES | PYRAMID_LOSSES | DISTILLATION
    sum(losses.values()).backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None]
    assert not silent


@pytest.mark.parametrize(
    ('left_out', 'gone'),
    [
        ('pyramid', PYRAMID_LOSSES),
        ('joint', {'loss_ctc_joint', 'loss_distill_joint'}),
        ('distillation', DISTILLATION),
        ('bilateral', set()),
    ],
)
def test_parts_can_be_left_out(left_out, gone):
    net = two_stream(**{left_out: None})
    losses = net(network_inputs(), [sample(16), sample(12)], mode='loss')
    assert set(losses) == (LOSSES | PYRAMID_LOSSES | DISTILLATION) - gone
    if left_out == 'bilateral':
        assert not any('bilateral' in key for key in net.state_dict())


def test_inference_neither_runs_nor_needs_the_pyramid(full_network):
    lean = two_stream(pyramid=None).eval()
    lean.load_state_dict(full_network.required_state(), strict=True)
    for stream_part in full_network.streams.values():
        assert stream_part.pyramid is not None
    blind = copy.deepcopy(full_network)
    for part in blind.streams.values():
        part.pyramid.forward = part.pyramid_head.forward = None
    inputs, samples = network_inputs(), [sample(16), sample(8)]
    with torch.no_grad():
        a, b = lean(inputs, samples), blind(inputs, samples)
        predicted = blind(inputs, samples, mode='predict')
    for key in a:
        torch.testing.assert_close(a[key], b[key], rtol=0, atol=0)
    assert len(predicted) == 2


@pytest.mark.slow
def test_stage_1_checkpoints_are_loaded_into_both_streams(tmp_path):
    paths, singles = {}, {}
    for name in ('video', 'keypoint'):
        net = single_stream(name)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(torch.rand_like(parameter))
        singles[name] = net.state_dict()
        paths[name] = str(tmp_path / f'{name}.pth')
        torch.save(dict(state_dict=singles[name]), paths[name])
    both = two_stream(
        video=stream(3) | dict(checkpoint=paths['video']),
        keypoint=stream(79) | dict(checkpoint=paths['keypoint']),
        pyramid=None,
    )
    both.init_weights()
    state = both.state_dict()
    for single in singles.values():
        for key, value in single.items():
            torch.testing.assert_close(state[key], value, msg=key)
    swapped = two_stream(
        video=stream(3) | dict(checkpoint=paths['keypoint']), pyramid=None
    )
    with pytest.raises(CheckpointError, match='keypoint.pth'):
        swapped.init_weights()


def test_inputs_may_lie_in_memory_in_any_way(full_network):
    inputs = network_inputs()
    last = {
        key: x.contiguous(memory_format=torch.channels_last_3d)
        for key, x in inputs.items()
    }
    with torch.no_grad():
        a, b = full_network(inputs)['joint'], full_network(last)['joint']
    torch.testing.assert_close(a, b)


def test_outputs_have_logits_and_gloss_features(full_network):
    inputs = network_inputs()
    with torch.no_grad():
        pooled = full_network.pool(full_network.encode(inputs))
        outputs = full_network.classify(pooled, ClipLengths([16, 12], 16))
    assert list(outputs) == ['video', 'keypoint', 'joint']
    for found, features, _ in outputs.values():
        assert found.shape == (2, 4, len(GLOSSES) + 1)
        assert features.shape == (2, 4, HEAD['hidden_channels'])
    classifier = full_network.joint_head.classifier
    joint_logits, joint_features, _ = outputs['joint']
    assert torch.equal(classifier(joint_features), joint_logits)


@pytest.mark.parametrize(
    ('changes', 'named'),
    [
        (dict(video=stream(3, num_blocks=5), bilateral=None), 'output_stride'),
        (dict(video=None, keypoint=None, bilateral=None), 'video and keypoint'),
        (dict(keypoint=None), 'bilateral'),
        (dict(keypoint=None, bilateral=None), 'joint'),
        (
            dict(keypoint=dict(backbone=dict(type='S3D', in_channels=17), head=HEAD)),
            'keypoint stream.* 79 channels',
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(changes, named):
    with pytest.raises(ConfigError, match=named):
        two_stream(**dict(pyramid=None) | changes)


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


def saying(steps: list[int], classes: int = 5) -> torch.Tensor:
    """Logits that say one class per step almost surely."""
    logits = torch.zeros(1, len(steps), classes)
    logits[0, range(len(steps)), steps] = 12.0
    return logits


def test_prediction_in_glosses_and_source_frames():
    net = single_stream('video').eval()
    clip = sample(20)
    # Every second frame of the source, from frame 10 on.
    clip.set_metainfo(dict(frame_indices=10 + 2 * np.arange(20)))
    logits = saying([0, 1, 1, 0, 3])
    (predicted,) = net.predict(dict(video=logits), [clip], frames=20)
    found = predicted.predictions['video']
    assert found.glosses == ('RAIN', 'WIND')
    # Steps 1–2 are sampled frames 4–11, step 4 frames 16–19.
    assert found.spans == ((18, 33), (42, 49))
    assert math.isclose(found.score, 0.0, abs_tol=0.01)
    assert predicted.predictions['average'].glosses == ('RAIN', 'WIND')


def test_steps_behind_the_valid_length_are_ignored():
    net = single_stream('video').eval()
    logits = saying([1, 0, 3, 4])
    (predicted,) = net.predict(dict(video=logits), [sample(8)], frames=16)
    assert predicted.predictions['video'].glosses == ('RAIN',)
    assert predicted.glosses == ['RAIN', 'SUN']


def test_infeasible_targets_are_named_and_left_out_of_the_loss():
    net = single_stream('video')
    clips = [
        sample(8, ['RAIN', 'SUN', 'RAIN'], clip_id='long'),
        sample(8, ['SUN', 'SUN'], clip_id='repeated'),
        sample(8, ['SUN', 'RAIN'], clip_id='fine'),
    ]
    assert net.infeasible(clips) == ['long', 'repeated']
    losses = net(network_inputs(), clips[:2], mode='loss')
    assert losses['loss_ctc_video'].item() == 0


def test_gloss_outside_the_vocabulary_names_clip_and_gloss():
    net = single_stream('video')
    odd = sample(16, ['RAIN', 'HAIL'], clip_id='clip7')
    with pytest.raises(UnknownGlossError, match=r'(?s)clip7.*HAIL|HAIL.*clip7'):
        net(network_inputs(), [odd, odd], mode='loss')


def test_modes_that_do_not_exist():
    net = single_stream('video')
    with pytest.raises(ValueError, match='train'):
        net(network_inputs(), [sample(16)] * 2, mode='train')
    with pytest.raises(ValueError, match='data_samples'):
        net(network_inputs(), mode='loss')


@pytest.mark.parametrize('name, read', [('video', 'video'), ('keypoint', 'heatmaps')])
def test_what_no_stream_reads_is_not_prepared(name, read):
    # A pipeline that finds the signer by keypoints loads them for frames alone too.
    clip = dict(
        video=torch.zeros(3, 8, 32, 32, dtype=torch.uint8),
        keypoints=torch.zeros(8, 79, 3),
    )
    inputs = {key: [value] for key, value in clip.items()}
    data = dict(inputs=inputs, data_samples=[sample(8)])
    prepared = single_stream(name).data_preprocessor(data)
    assert list(prepared['inputs']) == [read]
