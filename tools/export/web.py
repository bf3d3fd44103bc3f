"""Recognition in the browser: ``python tools/export/web.py BUNDLE OUT/``.

Writes a folder of static files that any web server can hand out: the network's
keypoint stream as ONNX, a page that finds landmarks in a camera's picture or a video
by MediaPipe Holistic, and these packages. The page sends nothing anywhere: docs/web.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# This script's own folder would hide the package onnx behind the script beside it.
sys.path[:] = [p for p in sys.path if Path(p or '.').resolve() != Path(__file__).parent]

from mmsign.engine.launch import reported_errors  # noqa: E402
from mmsign.errors import optional_import  # noqa: E402
from mmsign.files import check_outputs  # noqa: E402


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('bundle', help='a file of tools/export/bundle.py')
    parser.add_argument('out', metavar='OUT', help='folder to write')
    parser.add_argument(
        '--packages',
        metavar='FOLDER',
        help='a node_modules with the packages (default: npm fetches them once)',
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    check_outputs([args.out], [args.bundle, args.packages], folders=True)
    for package in ('onnx', 'onnxruntime'):
        optional_import(package, 'export')
    # Imported late: --help and refusals answer at once.
    from mmsign.apis import open_network, read_bundle
    from mmsign.web.export import check_folder, write_page
    from mmsign.web.packages import fetched

    check_folder(args.out)
    network = open_network(bundle=args.bundle, device='cpu')
    licence = read_bundle(args.bundle).about['licence']['weights']
    difference = write_page(args.out, network, licence, fetched(args.packages))
    size = sum(p.stat().st_size for p in Path(args.out).rglob('*') if p.is_file())
    print(f'{args.out}: {size / 1e6:.0f} MB, difference from PyTorch {difference:.1e}')
    print(
        f'  open it: python -m http.server --directory {args.out} 8000, then '
        'http://localhost:8000/'
    )
    print(f'  weights: {licence}; of all else: LICENCES.txt')


if __name__ == '__main__':
    with reported_errors():
        main()
