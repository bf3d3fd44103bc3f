"""The streams of a recognizer as CUDA graphs: one launch where there are hundreds."""

from collections.abc import Callable

import torch
from torch import Tensor

from mmsign import compat
from mmsign.errors import ConfigError

from .layers.reuse import ReusedMemory
from .recognizers.recognizer import SignRecognizer


class CapturedCalls:
    """A function of tensors on a GPU, replayed from one CUDA graph per shape of input.

    Capturing takes as long as a few calls and keeps the memory of one, so it pays where
    the same few lengths come again. The function must not wait for the GPU.

    Args:
        function: Tensors (B, C, T, H, W) by name → tensors by name.
        most: Shapes that are captured; others are computed as they come.
    """

    def __init__(self, function: Callable, most: int = 16) -> None:
        self._function, self._most = function, most
        self._captured: dict[tuple, tuple] = {}
        # One memory for all, as one is replayed at a time.
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        shapes = ((name, x.shape, x.dtype) for name, x in inputs.items())
        key = compat.autocast_dtype('cuda'), *shapes
        if key not in self._captured:
            if len(self._captured) == self._most:
                return self._function(inputs)
            self._captured[key] = self._capture(inputs)
        graph, own, outputs = self._captured[key]
        for name, x in inputs.items():
            own[name].copy_(x)
        graph.replay()
        # The next call writes over the graph's own.
        return {name: x.clone() for name, x in outputs.items()}

    def _capture(self, inputs: dict[str, Tensor]) -> tuple:
        memory, own = ReusedMemory(), {}
        for name, x in inputs.items():
            own[name] = memory.empty(name, tuple(x.shape), x.dtype, x.device)
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        dtype = compat.autocast_dtype('cuda')
        # Weights that autocast keeps would be those of one graph.
        cast = dict(enabled=dtype is not None, cache_enabled=False)
        with torch.autocast('cuda', dtype or torch.bfloat16, **cast):
            with torch.cuda.stream(beside):
                for _ in range(3):  # libraries choose their kernels
                    self._function(own)
            torch.cuda.current_stream().wait_stream(beside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                outputs = self._function(own)
        return graph, own, outputs


def use_cuda_graphs(model: SignRecognizer, most: int = 16) -> None:
    """Have a recognizer's streams replayed in inference, in place.

    Only outputs that are not trained from: modes ``tensor`` and ``predict``. Every
    length of a batch is captured once; ``pad_multiple`` of the data preprocessor makes
    them few. mmsign's own backbones can be captured; others if they never wait for the
    GPU.

    Args:
        model: On a GPU, in evaluation mode, with its final weights.
        most: See ``CapturedCalls``.

    Raises:
        ConfigError: If it is not on a GPU.
    """
    device = next(model.parameters()).device
    if device.type != 'cuda':
        raise ConfigError(
            f'CUDA graphs need a network on a GPU; this one is on {device}'
        )
    model.pooled = CapturedCalls(model.pooled, most)
