"""CUDA graphs on a CPU: operators are written down, and called again on replay.

As on a GPU, a replay reads and writes the very tensors of the capture, whatever they
hold by then, and no Python runs. Unlike there, capturing computes.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class RecordedGraph:
    """Stands for ``torch.cuda.CUDAGraph``.

    Attributes:
        calls: Operators with their arguments and results, in order.
        replays: How often it was replayed.
    """

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.replays = 0

    @torch.no_grad()
    def replay(self) -> None:
        assert self.calls
        self.replays += 1
        for function, args, kwargs, result in self.calls:
            again = function(*args, **kwargs)
            for old, new in zip(tree_flatten(result)[0], tree_flatten(again)[0]):
                if isinstance(new, torch.Tensor) and place(old) != place(new):
                    old.copy_(new)


def place(x: torch.Tensor) -> int:
    return x.untyped_storage().data_ptr()


class _Recording(TorchDispatchMode):
    def __init__(self, graph: RecordedGraph) -> None:
        super().__init__()
        self.graph = graph

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.graph.calls.append((func, args, kwargs or {}, result))
        return result


def use_recorded_graphs(monkeypatch, buffers=()) -> None:
    """Replace what ``mmsign.models.cuda_graphs`` takes of ``torch.cuda``.

    Args:
        buffers: Left by a capture as they were, as on a GPU, where nothing is computed.
    """

    @contextmanager
    def graph(own: RecordedGraph, pool, capture_error_mode: str):
        assert capture_error_mode == 'thread_local'
        before = [x.clone() for x in buffers]
        with _Recording(own):
            yield
        for x, value in zip(buffers, before):
            x.data.copy_(value)

    stream = SimpleNamespace(wait_stream=lambda other: None)
    for name, value in dict(
        CUDAGraph=RecordedGraph,
        graph=graph,
        graph_pool_handle=lambda: (0, 0),
        Stream=lambda: stream,
        current_stream=lambda: stream,
        stream=lambda of: nullcontext(),
    ).items():
        monkeypatch.setattr(torch.cuda, name, value)
