"""Print what a bug report needs: ``python tools/collect_env.py``.

The machine, PyTorch and the compilers as MMEngine finds them, and the versions of the
packages that mmsign works with. It also works where mmsign cannot be imported.
"""

from __future__ import annotations

import argparse
from importlib import metadata

PACKAGES = (
    'mmsign mmaction2 mmcv mmcv-lite mmdet mmpose numpy opencv-python '
    'opencv-contrib-python kornia-rs safetensors jinja2 transformers sentencepiece '
    'sacrebleu onnx onnxruntime rtmlib mediapipe triton'
)


def version_of(package: str) -> str:
    """Of an installed distribution; '-' if there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return '-'


def environment() -> dict[str, str]:
    """Name → value, in the order in which they are printed."""
    try:
        from mmengine.utils.dl_utils import collect_env

        found = {key: str(value) for key, value in collect_env().items()}
    except ImportError as error:
        found = {'MMEngine': f'cannot be imported: {error}'}
    found |= {package: version_of(package) for package in PACKAGES.split()}
    try:
        import mmsign

        found['import mmsign'] = mmsign.__file__
    except Exception as error:  # whatever it is, it belongs into the report
        found['import mmsign'] = f'fails: {type(error).__name__}: {error}'
    return found


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for name, value in environment().items():
        print(f'{name}: {value}')


if __name__ == '__main__':
    main()
