"""Print what a config composes: ``python tools/analysis/describe.py CONFIG``.

The stages of both streams side by side, the connections, parameters and GFLOP per
frame of each part, and the output steps of a clip. Nothing is computed but shapes, so
neither a corpus nor memory for the network is needed.
"""

from __future__ import annotations

import argparse
from itertools import zip_longest

import torch
import torch.nn as nn
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

from mmsign.engine.launch import apply_overrides, load_config, reported_errors
from mmsign.engine.launch.overrides import OverrideAction
from mmsign.errors import ConfigError
from mmsign.models import SignRecognizer
from mmsign.models.stages import StageInfo
from mmsign.models.stages.contract import shapes_only, without_values
from mmsign.registry import MODELS


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Describe the network of a config')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--frames', type=int, default=128, help='length of the clip (default: 128)'
    )
    parser.add_argument(
        '--glosses',
        type=int,
        default=1000,
        help='size of the vocabulary, which only the heads depend on (default: 1000)',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=OverrideAction, metavar='KEY=VALUE'
    )
    return parser.parse_args(arguments)


def build(cfg: Config, glosses: int) -> SignRecognizer:
    """The config's network without values, for a vocabulary of ``glosses``."""
    init_default_scope(cfg.get('default_scope', 'mmsign'))
    kind = MODELS.get(cfg.get('model', {}).get('type', ''))
    if kind is None or not issubclass(kind, SignRecognizer):
        raise ConfigError(
            f'{cfg.filename}: its model is no recognizer with streams to describe'
        )
    model = dict(cfg.model, vocab=dict(glosses=[f'G{i}' for i in range(glosses)]))
    return without_values(lambda: MODELS.build(model))


def flops(net: SignRecognizer, frames: int) -> dict[str, int]:
    """Floating point operations of a forward pass on one clip, by part.

    Counted by torch; a multiplication and an addition are two.

    Args:
        net: On any device, with or without values; not changed.
        frames: Length of the clip.

    Returns:
        ``total`` and its parts: the streams' backbones, ``connections``, ``heads``.
    """
    shapes = {
        stream.input_key: net.data_preprocessor.input_shape(stream.input_key)
        for stream in net.streams.values()
    }
    inputs = {
        key: torch.zeros(1, channels, frames, *size, device='meta')
        for key, (channels, size) in shapes.items()
    }
    counts = {}

    def count(name: str, function, *arguments):
        with FlopCounterMode(display=False) as counter:
            result = function(*arguments)
        counts[name] = counter.get_total_flops()
        return result

    with shapes_only(net):
        for name, stream in net.streams.items():
            x = stream.laid_out(inputs[stream.input_key])
            count(name, nn.Sequential.forward, stream.stages(), x)
        features = count('encode', net.encode, inputs)
        pooled = net.pool(features)
        count('heads', net.classify, pooled)
        count('total', net, inputs)
    streams = sum(counts[name] for name in net.streams)
    counts['connections'] = counts.pop('encode') - streams
    return counts


def parameters(module: nn.Module | None) -> int:
    return 0 if module is None else sum(p.numel() for p in module.parameters())


def stage_rows(net: SignRecognizer) -> list[list[str]]:
    """One row per stage number: what each stream puts out."""

    def cell(info: StageInfo | None) -> str:
        if info is None:
            return ''
        height, width = info.size
        every = f'1/{info.time_stride}'
        return f'{info.channels:>5} ch  T·{every:<5} {height}×{width}'

    streams = net.streams.values()
    rows = [['stage', *(f'{s.name}: {type(s.backbone).__name__}' for s in streams)]]
    for index, infos in enumerate(zip_longest(*(s.stage_info for s in streams))):
        rows.append([str(index), *map(cell, infos)])
    return rows


def connection_rows(net: SignRecognizer) -> list[list[str]]:
    """One row per convolution of the connections."""
    neck = getattr(net, 'bilateral', None)
    rows = [['connection (video, keypoint)', 'direction', 'convolution', 'parameters']]
    for connection in neck.connections if neck is not None else []:
        i, j = connection.values()
        for direction in ('to_keypoint', 'to_video'):
            layers = getattr(neck, direction)
            key = str(i) if i == j else f'{i}_{j}'
            if key not in layers:
                continue
            convolutions = [
                m for m in layers[key].modules() if hasattr(m, 'kernel_size')
            ]
            shapes = ', '.join(
                f'{_by(m.kernel_size)} stride {_by(m.stride)}' for m in convolutions
            )
            size = f'{parameters(layers[key]) / 1e6:.2f} M'
            rows.append([f'({i}, {j})', direction, shapes, size])
    return rows


def cost_rows(net: SignRecognizer, frames: int) -> list[list[str]]:
    """Parameters and GFLOP per frame of each part."""
    counts = flops(net, frames)
    streams = net.streams
    training = [p for s in streams.values() for p in (s.pyramid, s.pyramid_head)]
    sizes = {name: parameters(stream.backbone) for name, stream in streams.items()}
    sizes['connections'] = parameters(getattr(net, 'bilateral', None))
    sizes['heads'] = sum(parameters(s.head) for s in streams.values()) + parameters(
        getattr(net, 'joint_head', None)
    )
    sizes['total'] = sum(sizes.values())
    rows = [['part', 'parameters', 'GFLOP per frame', 'share']]
    for name, size in sizes.items():
        share = counts[name] / counts['total']
        cost = counts[name] / 1e9 / frames
        rows.append([name, f'{size / 1e6:.2f} M', f'{cost:.3f}', f'{share:.0%}'])
    pyramid = sum(map(parameters, training))
    if pyramid:
        rows.append(['pyramid, in training only', f'{pyramid / 1e6:.2f} M', '', ''])
    return rows


def output_steps(net: SignRecognizer, frames: int) -> int:
    """Steps that CTC gets for a clip of ``frames`` frames."""
    inputs = {
        s.input_key: torch.zeros(1, c, frames, *size, device='meta')
        for s in net.streams.values()
        for c, size in [net.data_preprocessor.input_shape(s.input_key)]
    }
    with shapes_only(net):
        return net(inputs)['average'].shape[1]


def _by(numbers: tuple[int, ...]) -> str:
    return '×'.join(map(str, numbers))


def table(rows: list[list[str]]) -> str:
    """Columns aligned, a line under the first row."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        '  '.join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows
    ]
    return '\n'.join([lines[0], '-' * max(map(len, lines)), *lines[1:]])


def describe(cfg: Config, frames: int, glosses: int) -> str:
    """The whole description as text."""
    net = build(cfg, glosses)
    parts = [type(net).__name__, table(stage_rows(net))]
    connections = connection_rows(net)
    parts.append(table(connections) if len(connections) > 1 else 'no connections')
    parts.append(table(cost_rows(net, frames)))
    steps = output_steps(net, frames)
    parts.append(
        f'a clip of {frames} frames gives {steps} output steps, one per '
        f'{net.output_stride} frames: room for {steps} glosses, fewer if equal ones '
        'follow each other'
    )
    return '\n\n'.join(parts)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    if args.frames < 4 or args.glosses < 1:
        raise ConfigError('--frames must be at least 4 and --glosses at least 1')
    cfg = load_config(args.config)
    apply_overrides(cfg, args.cfg_options)
    print(describe(cfg, args.frames, args.glosses))


if __name__ == '__main__':
    with reported_errors():
        main()
