"""ONNX networks with the inputs and outputs of RTMW and YOLOX, which see lights.

The pose network puts the first half of the 133 points where a picture is reddest, the
others where it is bluest; the detector sees one person, all that is brighter than grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RED_POINTS = 70


def _save(
    path: Path,
    nodes: Sequence,
    constants: dict[str, np.ndarray],
    inputs: Sequence,
    outputs: Sequence,
) -> Path:
    values = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, 'lights', inputs, outputs, values)
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _floats(name: str, shape: Sequence) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def write_pose(
    path: Path,
    size: tuple[int, int] = (48, 64),
    points: int = 133,
    pictures: str | int = 'batch',
    bins: int = 2,
) -> Path:
    """From ``input`` (pictures, 3, H, W) to ``simcc_x``, ``simcc_y``.

    Args:
        path: To write.
        size: (W, H).
        points: K.
        pictures: The number of them, or its name if it is free.
        bins: Of SimCC to a pixel.
    """
    width, height = size
    channels = np.zeros((points, 3, 1, 1), np.float32)
    channels[:RED_POINTS, 0] = channels[RED_POINTS:, 2] = 1
    # Bin i lies at pixel i / bins; between pixels it answers as much as both do.
    spread = {}
    for axis, pixels in dict(x=width, y=height).items():
        places = np.arange(bins * pixels) / bins
        apart = np.abs(np.arange(pixels)[:, None] - places)
        spread[axis] = np.maximum(1 - apart, 0).astype(np.float32)
    node = helper.make_node
    nodes = [
        node('Conv', ['input', 'channels'], ['colours']),
        node('ReduceMax', ['colours'], ['columns'], axes=[2], keepdims=0),
        node('ReduceMax', ['colours'], ['rows'], axes=[3], keepdims=0),
        node('MatMul', ['columns', 'x'], ['simcc_x']),
        node('MatMul', ['rows', 'y'], ['simcc_y']),
    ]
    outputs = [
        _floats('simcc_x', [pictures, points, bins * width]),
        _floats('simcc_y', [pictures, points, bins * height]),
    ]
    inputs = [_floats('input', [pictures, 3, height, width])]
    return _save(path, nodes, dict(channels=channels, **spread), inputs, outputs)


def write_detector(path: Path, size: tuple[int, int] = (64, 64)) -> Path:
    """From ``input`` (1, 3, H, W) to ``dets`` (1, 2, 5) and ``labels`` (1, 2).

    The second is of class 1, no person, and more certain.
    """
    width, height = size
    node = helper.make_node
    nodes = [
        node('ReduceMax', ['input'], ['brightest'], axes=[1], keepdims=0),
        node('Greater', ['brightest', 'grey'], ['is_lit']),
        node('Cast', ['is_lit'], ['lit'], to=TensorProto.FLOAT),
    ]
    constants = dict(grey=np.float32(120), certain=np.float32([[[1, 1, 1, 1, 0.9]]]))
    constants |= dict(other=np.float32([[[0, 0, 9, 9, 0.99]]]), axes=np.int64([1]))
    for name, axis, pixels in (('x', 1, width), ('y', 2, height)):
        constants[f'{name}_from_1'] = np.arange(1, pixels + 1, dtype=np.float32)
        constants[f'{name}_to_1'] = constants[f'{name}_from_1'][::-1].copy()
        constants[f'{name}_pixels'] = np.float32(pixels)
        line = f'{name}_lit'
        nodes += [node('ReduceMax', ['lit'], [line], axes=[axis], keepdims=0)]
        for end in ('from_1', 'to_1'):
            part = f'{name}_{end}'
            nodes += [
                node('Mul', [line, part], [f'{part}_lit']),
                node('ReduceMax', [f'{part}_lit'], [f'{part}_most'], axes=[1]),
            ]
        nodes += [node('Sub', [f'{name}_pixels', f'{name}_to_1_most'], [f'{name}0'])]
    corners = 'x0', 'y0', 'x_from_1_most', 'y_from_1_most'
    nodes += [
        node('ReduceMax', ['lit'], ['any'], axes=[1, 2], keepdims=0),
        node('Unsqueeze', ['any', 'axes'], ['score']),
        node('Concat', [*corners, 'score'], ['box'], axis=1),
        node('Unsqueeze', ['box', 'axes'], ['boxes']),
        node('Mul', ['boxes', 'certain'], ['person']),
        node('Concat', ['person', 'other'], ['dets'], axis=1),
    ]
    constants['labels'] = np.int64([[0, 1]])
    nodes += [node('Identity', ['labels'], ['classes'])]
    outputs = [
        _floats('dets', [1, 2, 5]),
        helper.make_tensor_value_info('classes', TensorProto.INT64, [1, 2]),
    ]
    return _save(
        path, nodes, constants, [_floats('input', [1, 3, height, width])], outputs
    )


def lights(
    red: tuple[int, int], blue: tuple[int, int], size: tuple[int, int] = (96, 80)
) -> np.ndarray:
    """A frame (H, W, 3) BGR of ``size`` (W, H), two lights with centres there, 5
    pixels wide and strongest in the middle."""
    width, height = size
    x, y = np.arange(width), np.arange(height)[:, None]
    frame = np.zeros((height, width, 3), np.uint8)
    for channel, (u, v) in ((2, red), (0, blue)):
        away = np.maximum(abs(x - u), abs(y - v))
        frame[..., channel] = np.maximum(255 - 40 * away, 0) * (away < 4)
    return frame
