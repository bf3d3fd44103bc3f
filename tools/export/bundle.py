"""One file to pass on: ``python tools/export/bundle.py CONFIG CHECKPOINT OUT.bundle``.

It holds the network's config, weights (without what only training needs), glosses,
preprocessing, versions and licence notes; ``tools/infer.py VIDEO --bundle FILE``
reads it, and executes nothing from it. The result is that of config and checkpoint.

--push also puts it on the Hugging Face Hub, with a card of its corpus, licence, WER and
limits; a repository that is made is private. ``--bundle hf://OWNER/NAME`` reads it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmsign.engine.launch import (
    OverrideAction,
    apply_overrides,
    load_config,
    reported_errors,
)
from mmsign.errors import ConfigError, DataError
from mmsign.files import check_outputs, read_json


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', metavar='OUT.bundle', help='file to write')
    parser.add_argument(
        '--licence',
        help="terms of use of the weights (default: what the config's corpus says)",
    )
    parser.add_argument(
        '--push', metavar='OWNER/NAME', help='repository of the Hub to put it into, too'
    )
    parser.add_argument(
        '--metrics',
        metavar='FILE.json',
        help='of `tools/test.py --out`: the WER that the card tells',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OverrideAction,
        metavar='KEY=VALUE',
        help='override settings of the config, as in tools/test.py',
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    read = [args.config, args.checkpoint, args.metrics]
    check_outputs([args.out], read, ['.bundle'])
    if args.metrics is not None and args.push is None:
        raise ConfigError('--metrics are told by the card of --push')
    metrics = None if args.metrics is None else read_metrics(args.metrics)
    cfg = load_config(args.config)
    apply_overrides(cfg, args.cfg_options)
    # Imported late: --help and refusals answer at once.
    from mmsign.apis import open_network, read_bundle, write_bundle

    network = open_network(cfg, args.checkpoint, device='cpu')
    write_bundle(args.out, network, args.licence)
    written = read_bundle(args.out)
    size = Path(args.out).stat().st_size / 1e6
    print(f'{args.out}: {size:.1f} MB, {len(network.model.vocab) - 1} glosses')
    for name, note in written.about['licence'].items():
        print(f'  {name}: {note}')
    if args.push is not None:
        from mmsign.apis.hub import push_bundle

        print(f'pushed: {push_bundle(args.out, args.push, metrics)}')


def read_metrics(path: str) -> dict[str, float]:
    """What ``tools/test.py --out`` wrote."""
    metrics = read_json(path)
    numbers = isinstance(metrics, dict) and all(
        isinstance(value, (int, float))
        for name, value in metrics.items()
        if name.endswith('/WER')
    )
    if not numbers:
        raise DataError(f'{path}: expected an object of numbers by name')
    return metrics


if __name__ == '__main__':
    with reported_errors():
        main()
