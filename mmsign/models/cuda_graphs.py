"""The streams of a recognizer as CUDA graphs: one launch where there are hundreds.

A graph is captured per shape of input, so this pays where the same few lengths come
again: ``pad_multiple`` of the data preprocessor makes them few. mmsign's own backbones
can be captured; others if they never wait for the GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import SyncBatchNorm
from torch.utils._pytree import tree_flatten, tree_unflatten

from mmsign import compat
from mmsign.errors import ConfigError

from .layers.reuse import ReusedMemory
from .recognizers.recognizer import SignRecognizer

Inputs = dict[str, Tensor]
# Calls before a capture, in which libraries choose their kernels.
_WARM_UPS = 3


class CapturedCalls:
    """A function of tensors on a GPU, replayed from one CUDA graph per shape of input.

    Capturing takes as long as a few calls and keeps the memory of one. The function
    must not wait for the GPU.

    Args:
        function: Tensors (B, C, T, H, W) by name → tensors, nested in dicts and lists.
        most: Shapes that are captured; others are computed as they come.
    """

    def __init__(self, function: Callable, most: int = 16) -> None:
        if most < 1:
            raise ConfigError(f'CUDA graphs of most={most} shapes: name one at least')
        self.function, self.most = function, most
        self.captured: dict[tuple, Captured] = {}
        # One memory for all, as one is replayed at a time.
        self.pool = torch.cuda.graph_pool_handle()

    def __call__(self, inputs: Inputs):
        shapes = [(name, x.shape, x.dtype) for name, x in inputs.items()]
        dtype = compat.autocast_dtype(_device_of(inputs).type)
        key = dtype, *shapes
        if key not in self.captured:
            if len(self.captured) == self.most:
                return self.function(inputs)
            own = _own(inputs)
            # Weights that autocast keeps would be those of one graph.
            settings = dict(enabled=dtype is not None, cache_enabled=False)
            device = _device_of(inputs).type
            with torch.autocast(device, dtype or torch.bfloat16, **settings):
                self.captured[key] = self.capture(own)
        captured = self.captured[key]
        for name, x in inputs.items():
            captured.inputs[name].copy_(x)
        return tree_unflatten(self.replay(captured), captured.structure)

    def capture(self, own: Inputs) -> Captured:
        """The graph of a shape, which reads these inputs."""
        with _beside():
            for _ in range(_WARM_UPS):
                self.function(own)
        graph = torch.cuda.CUDAGraph()
        with _capturing(graph, self.pool):
            outputs = self.function(own)
        return Captured(own, outputs, graph)

    def replay(self, captured: Captured) -> list[Tensor]:
        """Its outputs, of what its inputs are now."""
        return captured.replay()


class CapturedSteps(CapturedCalls):
    """The same with gradients: of a pair of graphs, one of them for the backward pass.

    Between a call and its backward pass there can be no other call. Gradients may be
    accumulated over several such pairs.

    Args:
        function: As above; a function of the module's parameters, too.
        module: Whose parameters are trained. Its buffers are changed by a call as they
            are without a graph.
        most: As above.
    """

    def __init__(self, function: Callable, module: nn.Module, most: int = 16) -> None:
        super().__init__(function, most)
        self._module, self._parameters = module, list(module.parameters())
        self._weights: list = []
        # Of all graphs, as the gradients of one step are gone before the next one's.
        self.gradients: dict[nn.Parameter, Tensor] = {}
        # Counts calls and backward passes: which of the calls may go backward.
        self.turn = 0

    def __call__(self, inputs: Inputs):
        wanted = torch.is_grad_enabled() and self._module.training
        if not wanted or any(x.requires_grad for x in inputs.values()):
            return self.function(inputs)
        # A graph reads the weights where they were when it was captured.
        weights = [(p.data_ptr(), p.requires_grad) for p in self._parameters]
        if weights != self._weights:
            self.captured.clear()
            self.gradients.clear()
            self._weights = weights
        return super().__call__(inputs)

    def capture(self, own: Inputs) -> Captured:
        self.keep_accumulated()  # warming up writes over them
        # Running averages; capturing itself computes nothing.
        averages = [x for x in self._module.buffers() if x.is_floating_point()]
        before = [x.clone() for x in averages]
        wanted = [p for p in self._parameters if p.requires_grad]
        with _beside():
            for _ in range(_WARM_UPS):
                outputs = _trained(self.function(own))
                self._backward(outputs, wanted, list(map(torch.ones_like, outputs)))
        del outputs
        if averages:
            torch._foreach_copy_(averages, before)
        forward, backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        with _capturing(forward, self.pool):
            outputs = self.function(own)
        given = [torch.empty_like(x) for x in _trained(outputs)]
        with _capturing(backward, self.pool):
            self._backward(_trained(outputs), wanted, given)
        return Captured(own, outputs, forward, backward, given)

    def _backward(self, outputs, wanted, given) -> None:
        """Writes ``gradients``, of these outputs, whose gradients are given."""
        # As in training: autocast is of the forward pass.
        with compat.without_autocast(given[0].device.type):
            found = torch.autograd.grad(outputs, wanted, given, allow_unused=True)
        found = {p: g for p, g in zip(wanted, found) if g is not None}
        for parameter in found:
            if parameter not in self.gradients:
                self.gradients[parameter] = torch.empty_like(parameter)
        own = [self.gradients[parameter] for parameter in found]
        torch._foreach_copy_(own, list(found.values()))

    def replay(self, captured: Captured) -> list[Tensor]:
        return list(_Step.apply(self, captured, *self.gradients))

    def keep_accumulated(self) -> None:
        """Before they are written over: gradients that a parameter has as its own."""
        for parameter, gradient in self.gradients.items():
            kept = parameter.grad
            if kept is not None and kept.data_ptr() == gradient.data_ptr():
                parameter.grad = kept.clone()


class Captured:
    """One shape's graphs and the tensors that they read and write."""

    def __init__(self, inputs, outputs, graph, backward=None, given=()) -> None:
        self.inputs, self.graph, self.backward = inputs, graph, backward
        flat, self.structure = tree_flatten(outputs)
        self.is_trained = [x.requires_grad for x in flat]
        # Without what autograd keeps of them: its memory is the pool's again.
        self.outputs = [x.detach() for x in flat]
        self.given = given

    def replay(self) -> list[Tensor]:
        """The outputs of a forward pass."""
        self.graph.replay()
        # The next one writes over the graph's own.
        return [x.clone() for x in self.outputs]


class _Step(torch.autograd.Function):
    """A pair of graphs as a function of the parameters."""

    @staticmethod
    def forward(ctx, steps, captured, *parameters):
        steps.turn += 1
        ctx.steps, ctx.captured, ctx.turn = steps, captured, steps.turn
        outputs = captured.replay()
        fixed = [x for x, y in zip(outputs, captured.is_trained) if not y]
        ctx.mark_non_differentiable(*fixed)
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        steps, captured = ctx.steps, ctx.captured
        if ctx.turn != steps.turn:
            raise RuntimeError(
                'CUDA graphs: the backward pass of a step must come before the next '
                'step, and once; what it needs is written over'
            )
        steps.turn += 1
        gradients = [g for g, y in zip(gradients, captured.is_trained) if y]
        for own, gradient in zip(captured.given, gradients):
            own.zero_() if gradient is None else own.copy_(gradient)
        steps.keep_accumulated()
        captured.backward.replay()
        return None, None, *(g.detach() for g in steps.gradients.values())


def use_cuda_graphs(model: SignRecognizer, most: int = 16) -> None:
    """Have a recognizer's streams replayed in inference, in place.

    Only outputs that are not trained from: modes ``tensor`` and ``predict``. Every
    length of a batch is captured once.

    Args:
        model: On a GPU, in evaluation mode, with its final weights.
        most: See ``CapturedCalls``.

    Raises:
        ConfigError: If it is not on a GPU.
    """
    _check_device(model)
    model.pooled = CapturedCalls(model.pooled, most)


def train_with_cuda_graphs(model: SignRecognizer, most: int = 16) -> None:
    """Have a recognizer's streams and pyramids replayed in training, in place.

    Mode ``loss`` alone. Heads and losses, whose work depends on the glosses and lengths
    of clips, are computed as before.

    Args:
        model: On a GPU, in training mode.
        most: See ``CapturedCalls``.

    Raises:
        ConfigError: If it is not on a GPU, or a stream has activation checkpointing or
            synchronised batch norms, which wait for the GPU.
    """
    if not isinstance(model, SignRecognizer):
        raise ConfigError(
            f'CUDA graphs are of recognizers, not of a {type(model).__name__}'
        )
    for name, stream in model.streams.items():
        if getattr(stream.backbone, 'with_cp', False):
            raise ConfigError(
                f'CUDA graphs: the {name} stream has with_cp=True, activation '
                'checkpointing, which cannot be captured; leave one of them out'
            )
    if any(isinstance(part, SyncBatchNorm) for part in model.modules()):
        raise ConfigError(
            'CUDA graphs: sync_bn waits for other processes in every layer; leave one '
            'of them out'
        )
    _check_device(model)
    model.pooled_levels = CapturedSteps(model.pooled_levels, model, most)


def _check_device(model: SignRecognizer) -> None:
    device = next(model.parameters()).device
    if device.type != 'cuda':
        raise ConfigError(
            f'CUDA graphs need a network on a GPU; this one is on {device}'
        )


def _device_of(inputs: Inputs) -> torch.device:
    return next(iter(inputs.values())).device


def _own(inputs: Inputs) -> Inputs:
    """Copies that the graphs of this shape read, in memory as the preprocessor's."""
    memory, own = ReusedMemory(), {}
    for name, x in inputs.items():
        own[name] = memory.empty(name, tuple(x.shape), x.dtype, x.device).copy_(x)
    return own


def _trained(outputs) -> list[Tensor]:
    return [x for x in tree_flatten(outputs)[0] if x.requires_grad]


@contextmanager
def _beside() -> Iterator[None]:
    """On another stream than what is computed already, as captures are."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        yield
    torch.cuda.current_stream().wait_stream(beside)


def _capturing(graph: torch.cuda.CUDAGraph, pool: tuple) -> AbstractContextManager:
    # What other threads do, such as one that pins batches, is none of its business.
    return torch.cuda.graph(graph, pool=pool, capture_error_mode='thread_local')
