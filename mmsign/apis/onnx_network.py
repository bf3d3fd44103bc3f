"""The recognition network as a module that exports: tensors in, tensors out.

Symbols: B clips, T frames, T' output steps, V classes with the blank.
"""

import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from mmsign import compat
from mmsign.decoding import AVERAGE, log_probabilities
from mmsign.files import replacing_path
from mmsign.models import SignRecognizer
from mmsign.models.layers.sequence import PositionEncoding, sinusoid

# Output steps that the exported position table reaches.
_LONGEST = 1024


class ExportableNetwork(nn.Module):
    """Inputs as the data preprocessor makes them → log-probabilities per output.

    Every clip of a batch is as long as the batch: nothing is masked.

    Args:
        model: A recognizer in evaluation mode. Its position tables are extended.

    Attributes:
        input_names: ``video`` (B, 3, T, S, S), ``heatmaps`` (B, K, T, s, s), ``points``
            (B, 3, T, K, 1), those of the model, in the order of ``forward``.
        output_names: Of the results, each (B, T', V); the average is last.
        axes: Of inputs and outputs those of free size, with their names.
    """

    def __init__(self, model: SignRecognizer) -> None:
        super().__init__()
        self.model = model
        self.input_names = [stream.input_key for stream in model.streams.values()]
        for module in model.modules():
            if isinstance(module, PositionEncoding):
                # Grown while tracing, the table would end with the traced clip.
                module.table = sinusoid(_LONGEST, module.channels, module.table.device)
        # Not the outputs' bare names: an input is called video.
        outputs = [*model.heads, AVERAGE]
        self.output_names = [f'{name}_log_probs' for name in outputs]
        self.axes = {name: {0: 'clips', 2: 'frames'} for name in self.input_names}
        self.axes |= {name: {0: 'clips', 1: 'steps'} for name in self.output_names}
        # The exporter would put a module that is in training mode back into it.
        self.eval()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Natural log-probabilities in the order of ``output_names``."""
        model = self.model
        pooled = model.pooled(dict(zip(self.input_names, inputs)))
        outputs = model.classify(pooled)
        logits = {name: output.logits for name, output in outputs.items()}
        return tuple(log_probabilities(logits).values())

    def example(self, frames: int, clips: int = 1, seed: int = 0) -> tuple[Tensor, ...]:
        """Random inputs in [−1, 1] of the network's sizes."""
        generator = torch.Generator().manual_seed(seed)
        kinds = map(self.model.data_preprocessor.input_shape, self.input_names)
        shapes = [(clips, channels, frames, *size) for channels, size in kinds]
        return tuple(torch.rand(s, generator=generator) * 2 - 1 for s in shapes)


def export_onnx(network: ExportableNetwork, path: str | Path, frames: int = 32) -> None:
    """Write an ONNX file, in which the network's ``axes`` are free.

    Args:
        network: To export, on the CPU.
        path: To write; it appears complete or not at all.
        frames: Of the clip that is traced; a multiple of the time stride.
    """
    names = dict(input_names=network.input_names, output_names=network.output_names)
    settings = names | dict(dynamic_axes=network.axes, opset_version=17)
    settings |= compat.torchscript_exporter()
    with (
        torch.no_grad(),
        replacing_path(path, '.onnx') as partial,
        warnings.catch_warnings(),
    ):
        # Of what tracing takes as constant: the comparison on other lengths would tell.
        warnings.simplefilter('ignore')
        torch.onnx.export(network, network.example(frames), str(partial), **settings)


def compare_onnx(
    network: ExportableNetwork, path: str | Path, lengths: Sequence[int]
) -> list[dict[str, float]]:
    """Run an ONNX file and the network on the same random clips.

    Args:
        network: What was exported.
        path: Of the file.
        lengths: T of each clip, in frames.

    Returns:
        Per clip: ``frames``; ``difference``, the largest between log-probabilities
        above −20; seconds that ``torch`` and ``onnx`` took, best of 3.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    providers = ['CPUExecutionProvider']
    session = onnxruntime.InferenceSession(str(path), options, providers)
    rows = []
    for number, frames in enumerate(lengths):
        inputs = network.example(frames, seed=number)
        arrays = {n: x.numpy() for n, x in zip(network.input_names, inputs)}
        times = []
        for _ in range(3):
            start = time.perf_counter()
            with torch.inference_mode():
                expected = network(*inputs)
            middle = time.perf_counter()
            found = session.run(network.output_names, arrays)
            times.append((middle - start, time.perf_counter() - middle))
        pairs = [(a, b.numpy()) for a, b in zip(found, expected, strict=True)]
        difference = max(float(np.abs(a - b)[b > -20].max()) for a, b in pairs)
        fastest = dict(zip(('torch', 'onnx'), map(min, zip(*times))))
        rows.append(dict(frames=frames, difference=difference) | fastest)
    return rows


def compare_torch_export(network: ExportableNetwork, lengths: Sequence[int]) -> float:
    """Export by ``torch.export`` with a free clip length and compare.

    Args:
        network: To export, on the CPU.
        lengths: T of each clip to compare on, in frames.

    Returns:
        The largest difference of log-probabilities.

    Raises:
        ImportError: If this torch has no ``torch.export`` with free lengths.
    """
    compat.require_free_export_lengths()
    quarter = torch.export.Dim('quarter', min=2, max=_LONGEST)
    example = network.example(32)
    shapes = (tuple({2: 4 * quarter} for _ in example),)
    with torch.no_grad():
        settings = dict(dynamic_shapes=shapes, strict=False)
        program = torch.export.export(network, example, **settings).module()
        clips = [network.example(frames) for frames in lengths]
        pairs = [both for clip in clips for both in zip(program(*clip), network(*clip))]
    return max(float((found - expected).abs().max()) for found, expected in pairs)
