"""Graphs that are recorded and replayed on a CPU; those of a GPU are in tests/gpu."""

from __future__ import annotations

import copy

import pytest
import torch
from recorded_graphs import use_recorded_graphs
from tiny_models import network_inputs, sample, two_stream

from mmsign.errors import ConfigError
from mmsign.models.cuda_graphs import (
    CapturedCalls,
    CapturedSteps,
    train_with_cuda_graphs,
)
from mmsign.models.inference import prepare_for_inference


def clips() -> list[dict[str, torch.Tensor]]:
    """Two batches of 16 frames and one of 8."""
    first = network_inputs()
    second = {name: x.roll(3, 2) for name, x in first.items()}
    return [first, second, {name: x[:, :, :8] for name, x in first.items()}]


def losses_of(net, inputs) -> torch.Tensor:
    frames = inputs['video'].shape[2]
    return sum(net(inputs, [sample(frames), sample(frames - 4)], mode='loss').values())


def without_dropout(net):
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return net


@pytest.fixture
def nets(monkeypatch):
    """A network in training, and the same with graphs."""
    plain = without_dropout(two_stream().train())
    captured = copy.deepcopy(plain)
    use_recorded_graphs(monkeypatch, list(captured.buffers()))
    captured.pooled_levels = CapturedSteps(captured.pooled_levels, captured, most=2)
    return plain, captured


def state(net) -> list[torch.Tensor]:
    """Weights, their gradients and buffers, each as one tensor."""
    trained = list(net.parameters())
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    parts = trained, gradients, net.buffers()
    return [torch.cat([x.detach().flatten() for x in part]) for part in parts]


def assert_same(plain, captured) -> None:
    torch.testing.assert_close(state(captured), state(plain))
    pairs = zip(plain.parameters(), captured.parameters())
    assert all((p.grad is None) == (q.grad is None) for p, q in pairs)


@pytest.mark.parametrize('accumulated, low', [(1, False), (2, False), (1, True)])
def test_training_is_the_same(nets, accumulated, low):
    optimizers = [torch.optim.SGD(net.parameters(), lr=1e-3) for net in nets]
    batches = clips()
    for step, inputs in enumerate(batches[index] for index in (0, 2, 1, 0)):
        losses = []
        for net in nets:
            with torch.autocast('cpu', torch.bfloat16, enabled=low):
                loss = losses_of(net, inputs)
            loss.backward()
            losses.append(loss.item())
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
        assert_same(*nets)
        if (step + 1) % accumulated == 0:
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
    graphs = nets[1].pooled_levels.captured.values()
    assert [(g.graph.replays, g.backward.replays) for g in graphs] == [(3, 3), (1, 1)]


def test_frozen_parts_and_moved_weights(nets):
    plain, captured = nets
    inputs = clips()[0]
    for change in ('freeze', 'move', None):
        for net in nets:
            if change == 'freeze':
                net.video.backbone.blocks[1].requires_grad_(False)
            if change == 'move':
                for parameter in net.parameters():
                    parameter.data = 1.25 * parameter.data
            net.zero_grad()
            losses_of(net, inputs).backward()
        assert_same(plain, captured)
    assert len(captured.pooled_levels.captured) == 1


def test_other_lengths_than_the_first_are_computed_as_they_come(nets):
    plain, captured = nets
    captured.pooled_levels.most = 1
    for inputs in clips():
        for net in nets:
            losses_of(net, inputs).backward()
        assert_same(plain, captured)
    assert len(captured.pooled_levels.captured) == 1


def test_without_gradients_nothing_is_captured(nets):
    plain, captured = nets
    inputs = clips()[0]
    with torch.no_grad():
        assert losses_of(captured, inputs) == losses_of(plain, inputs)
    for net in nets:
        losses_of(net.eval(), inputs).backward()
    assert_same(plain, captured)
    assert not captured.pooled_levels.captured


def test_a_step_goes_backward_before_the_next_and_once(nets):
    net, inputs = nets[1], clips()
    first, second = losses_of(net, inputs[0]), losses_of(net, inputs[1])
    second.backward(retain_graph=True)
    for late in (first, second):
        with pytest.raises(RuntimeError, match='before the next step, and once'):
            late.backward()


def test_inference_is_the_same(monkeypatch):
    use_recorded_graphs(monkeypatch)
    net = two_stream().eval()
    with torch.inference_mode():
        expected = [net(inputs)['average'] for inputs in clips()]
        net.pooled = CapturedCalls(net.pooled, most=1)
        for _ in range(2):
            found = [net(inputs)['average'] for inputs in clips()]
            torch.testing.assert_close(found, expected)
    [graph] = net.pooled.captured.values()
    assert graph.graph.replays == 4


def test_of_no_shape_there_is_none(monkeypatch):
    use_recorded_graphs(monkeypatch)
    with pytest.raises(ConfigError, match='most=0'):
        CapturedCalls(two_stream().pooled, most=0)


def test_a_network_on_a_cpu_has_none():
    with pytest.raises(ConfigError, match='cpu'):
        prepare_for_inference(two_stream(), torch.float32, cuda_graphs=True)
    with pytest.raises(ConfigError, match='cpu'):
        train_with_cuda_graphs(two_stream())


def test_what_waits_for_the_gpu_is_refused():
    net = two_stream()
    net.keypoint.backbone.with_cp = True
    with pytest.raises(ConfigError, match='the keypoint stream has with_cp=True'):
        train_with_cuda_graphs(net)
    net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(two_stream())
    with pytest.raises(ConfigError, match='sync_bn'):
        train_with_cuda_graphs(net)
    with pytest.raises(ConfigError, match='not of a Linear'):
        train_with_cuda_graphs(torch.nn.Linear(1, 1))
