"""Training steps and inference of whole networks on a GPU."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.registry import OPTIM_WRAPPERS
from tiny_models import (
    GLOSSES,
    SIZES,
    network_inputs,
    sample,
    single_stream,
    two_stream,
)
from torch.nn.functional import cosine_similarity

from mmsign.models import TwoStreamRecognizer
from mmsign.models.cuda_graphs import train_with_cuda_graphs, use_cuda_graphs
from mmsign.models.inference import inference_context, prepare_for_inference
from mmsign.registry import OPTIMIZERS

SAMPLES = [sample(16), sample(12)]


def other_backbones() -> TwoStreamRecognizer:
    torch.manual_seed(0)
    slow = dict(type='ResNet3dSlowOnly', base_channels=8, stage_blocks=(1, 1, 1, 1))
    head = dict(hidden_channels=16, feedforward_channels=24)
    graph = dict(type='STGCN', in_channels=3, base_channels=8, num_stages=3)
    graph |= dict(inflate_stages=[2], down_stages=[2, 3])
    return TwoStreamRecognizer(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=dict(SIZES, keypoint_input='points'),
        video=dict(backbone=slow, head=head, output_stride=4),
        keypoint=dict(backbone=graph, head=head),
        joint=dict(type='JointHead', **head),
    )


NETWORKS = dict(
    two_stream=two_stream,
    video=lambda: single_stream('video'),
    keypoint=lambda: single_stream('keypoint'),
    other_backbones=other_backbones,
)


def inputs_of(net, device) -> dict:
    inputs = network_inputs()
    generator = torch.Generator().manual_seed(2)
    inputs['points'] = torch.rand(2, 3, 16, 79, 1, generator=generator)
    wanted = [stream.input_key for stream in net.streams.values()]
    return {key: inputs[key].to(device) for key in wanted}


def gradients(net, device) -> tuple[dict, torch.Tensor]:
    net = net.to(device).train()
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    losses = net(inputs_of(net, device), SAMPLES, mode='loss')
    sum(losses.values()).backward()
    every = [p.grad.flatten() for p in net.parameters() if p.grad is not None]
    found = {name: loss.item() for name, loss in losses.items()}
    return found, torch.cat(every).double().cpu()


@pytest.mark.parametrize('name', NETWORKS)
def test_losses_and_gradients_are_those_of_a_cpu(name, device):
    net = NETWORKS[name]()
    found, of_device = gradients(copy.deepcopy(net), device)
    expected, of_cpu = gradients(net, torch.device('cpu'))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert cosine_similarity(of_device, of_cpu, dim=0) > 0.999


@pytest.mark.parametrize('name', NETWORKS)
def test_steps_in_bfloat16(name, device):
    net = NETWORKS[name]().to(device).train()
    optimizer = dict(type='FusedAdam', params=net.parameters(), lr=3e-3)
    optimizer = OPTIMIZERS.build(optimizer)
    wrapper = dict(type='BFloat16OptimWrapper', optimizer=optimizer)
    wrapper = OPTIM_WRAPPERS.build(wrapper)
    inputs, totals = inputs_of(net, device), []
    for _ in range(12):
        with wrapper.optim_context(net):
            losses = net(inputs, SAMPLES, mode='loss')
        total = sum(losses.values())
        wrapper.update_params(total)
        totals.append(total.item())
    assert all(torch.isfinite(p).all() for p in net.parameters())
    assert totals[-1] < 0.9 * totals[0], totals


@pytest.mark.parametrize('graphs', [False, True], ids=['eager', 'CUDA graphs'])
def test_launches_and_waits_of_a_step(cuda, graphs):
    net = two_stream().to(cuda).train()
    if graphs:
        train_with_cuda_graphs(net)
    inputs = inputs_of(net, cuda)

    def step():
        with torch.autocast('cuda', torch.bfloat16):
            losses = net(inputs, SAMPLES, mode='loss')
        sum(losses.values()).backward()

    for _ in range(3):
        step()
    torch.cuda.synchronize()
    activities = torch.profiler.ProfilerActivity
    with torch.profiler.profile(
        activities=[activities.CPU, activities.CUDA]
    ) as profile:
        step()
    counts = {event.key: event.count for event in profile.key_averages()}
    names = 'LaunchKernel', 'GraphLaunch'
    launches = sum(n for k, n in counts.items() if any(name in k for name in names))
    waits = sum(n for key, n in counts.items() if 'Synchronize' in key)
    # The profiler itself waits at its end.
    assert 0 < launches <= 1500 and waits <= 5 + 1, (launches, waits)


def probabilities(net, inputs) -> torch.Tensor:
    return net(inputs, [sample(16), sample(16)])['average'].float().cpu()


def test_inference(device):
    net = two_stream().eval()
    for name, parameter in net.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(30)
    with torch.inference_mode():
        expected = probabilities(net, inputs_of(net, torch.device('cpu')))
    net = net.to(device)
    with torch.inference_mode():
        exact = probabilities(net, inputs_of(net, device))
    torch.testing.assert_close(exact, expected, rtol=0, atol=1e-3)
    dtype = prepare_for_inference(net)
    with inference_context(device, dtype):
        found = probabilities(net, inputs_of(net, device))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.1)


def test_cuda_graphs(cuda):
    net = two_stream().to(cuda)
    dtype = prepare_for_inference(net)
    clips = [inputs_of(net, cuda)]
    clips.append({name: x.roll(1, 2).contiguous() for name, x in clips[0].items()})
    clips.append({name: x[:, :, :8].contiguous() for name, x in clips[0].items()})
    with inference_context(cuda, dtype):
        expected = [net(x)['average'] for x in clips]
        use_cuda_graphs(net, most=2)
        for _ in range(2):
            found = [net(x)['average'] for x in clips]
            torch.testing.assert_close(found, expected, rtol=0, atol=2e-2)


@pytest.mark.parametrize('low', [False, True], ids=['float32', 'bfloat16'])
def test_training_with_cuda_graphs(cuda, low):
    nets = [two_stream().to(cuda).train() for _ in range(2)]
    train_with_cuda_graphs(nets[1], most=2)
    batches = [inputs_of(nets[0], cuda)]
    batches.append({name: x.roll(1, 2).contiguous() for name, x in batches[0].items()})
    batches.append({name: x[:, :, :8].contiguous() for name, x in batches[0].items()})
    found = []
    for net in nets:
        for module in net.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
        losses = []
        # Gradients are those of two batches.
        for step, inputs in enumerate([*batches, *batches[::-1]]):
            frames = inputs['video'].shape[2]
            samples = [sample(frames), sample(frames - 4)]
            with torch.autocast('cuda', torch.bfloat16, enabled=low):
                loss = sum(net(inputs, samples, mode='loss').values())
            loss.backward()
            losses.append(loss.item())
            if step % 2:
                optimizer.step()
                optimizer.zero_grad()
        averages = [x.flatten() for x in net.buffers() if x.is_floating_point()]
        found.append((torch.tensor(losses), torch.cat(averages)))
    precision = dict(rtol=2e-2, atol=2e-2) if low else dict(rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(*found, **precision)
