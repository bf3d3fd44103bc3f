"""The network as ONNX: ``python tools/export/onnx.py CONFIG CHECKPOINT OUT.onnx``.

Inputs are those that the data preprocessor makes (frames, heatmaps or points),
outputs the log-probabilities of every head and of their average; batch size and
clip length are free. The file is then run by onnxruntime on clips of several lengths
and compared with PyTorch: a difference above --tolerance is an error. With
--torch-export the network is also exported by torch.export and compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# This script's own folder would hide the package onnx behind this file.
sys.path[:] = [p for p in sys.path if Path(p or '.').resolve() != Path(__file__).parent]

from mmsign.engine.launch import (  # noqa: E402
    OverrideAction,
    apply_overrides,
    load_config,
    reported_errors,
)
from mmsign.errors import ConfigError  # noqa: E402
from mmsign.files import check_outputs  # noqa: E402


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', metavar='OUT.onnx', help='file to write')
    parser.add_argument(
        '--lengths',
        type=int,
        nargs='+',
        default=[16, 32, 64],
        help='frames of the clips to compare on, multiples of 4',
    )
    parser.add_argument(
        '--tolerance', type=float, default=1e-3, help='of log-probabilities'
    )
    parser.add_argument(
        '--torch-export', action='store_true', help='try torch.export as well'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=OverrideAction, metavar='KEY=VALUE'
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> list[dict]:
    args = parse_args(arguments)
    check_outputs([args.out], [args.config, args.checkpoint], ['.onnx'])
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'{error.name} is not installed: pip install "mmsign[export]"'
        ) from error
    if any(length < 4 or length % 4 for length in args.lengths):
        raise ConfigError(f'--lengths must be multiples of 4, not {args.lengths}')
    cfg = load_config(args.config)
    apply_overrides(cfg, args.cfg_options)
    from mmsign.apis import open_network
    from mmsign.apis.onnx_network import (
        ExportableNetwork,
        compare_onnx,
        compare_torch_export,
        export_onnx,
    )

    network = ExportableNetwork(open_network(cfg, args.checkpoint, device='cpu').model)
    export_onnx(network, args.out)
    size = Path(args.out).stat().st_size / 1e6
    names = ', '.join(network.input_names), ', '.join(network.output_names)
    print(f'{args.out}: {size:.1f} MB, {names[0]} -> {names[1]}')
    rows = compare_onnx(network, args.out, args.lengths)
    for row in rows:
        print(
            f'  {row["frames"]:4} frames: difference {row["difference"]:.1e}, PyTorch '
            f'{row["torch"] * 1e3:.0f} ms, onnxruntime {row["onnx"] * 1e3:.0f} ms'
        )
    if args.torch_export:
        difference = compare_torch_export(network, args.lengths)
        print(f'  torch.export: largest difference {difference:.1e}')
        rows.append(dict(difference=difference))
    worst = max(row['difference'] for row in rows)
    if not worst <= args.tolerance:
        raise ConfigError(
            f'{args.out} differs from PyTorch by {worst:.2e}, more than '
            f'{args.tolerance:g}; do not use it'
        )
    return rows


if __name__ == '__main__':
    with reported_errors():
        main()
