"""The packages of npm that the page runs on: fetched once, copied beside the page.

Versions and hashes are those of ``npm/package-lock.json``.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from mmsign.errors import DataError, MissingPackageError, explain

_NPM = Path(__file__).parent / 'npm'
_FILES = ('package.json', 'package-lock.json')
# Of each package the folder beside the page, and what is copied.
COPIED = {
    '@mediapipe/holistic': (
        'holistic',
        (
            *('holistic.js', 'holistic.binarypb', 'pose_landmark_full.tflite'),
            'holistic_solution_packed_assets.data',
            'holistic_solution_packed_assets_loader.js',
            *(f'holistic_solution_simd_wasm_bin.{k}' for k in ('js', 'wasm', 'data')),
        ),
    ),
    'onnxruntime-web': (
        'onnxruntime',
        (
            *('dist/ort.wasm.min.mjs', 'dist/ort.webgpu.min.mjs'),
            *(f'dist/ort-wasm-simd-threaded.{k}' for k in ('mjs', 'wasm')),
            *(f'dist/ort-wasm-simd-threaded.asyncify.{k}' for k in ('mjs', 'wasm')),
        ),
    ),
}
_INSTEAD = (
    'install Node.js, or have another machine run "npm ci" in a copy of '
    f'{_NPM} and name its node_modules: --packages FOLDER'
)


def fetched(folder: str | os.PathLike | None = None) -> Path:
    """The folder ``node_modules`` with the packages.

    Args:
        folder: It; None takes the user's cache, into which npm fetches them once.

    Raises:
        MissingPackageError: If there is no npm, or it fails.
        DataError: If the folder lacks a package, or has another version of it; or if
            the cache cannot be written.
    """
    if folder is None:
        folder = cache() / 'node_modules'
        if not (folder / '.package-lock.json').is_file():
            _fetch(folder.parent)
    folder = Path(folder)
    for name, version in versions().items():
        text = f'{folder} has no {name} {version}; {_INSTEAD}'
        with explain(DataError, text, OSError, ValueError, KeyError):
            found = json.loads((folder / name / 'package.json').read_bytes())['version']
            if found != version:
                raise ValueError(f'it is version {found}')
    return folder


def copy_packages(folder: Path, target: Path) -> None:
    """Copy what the page needs, and write ``LICENCES.txt``.

    Args:
        folder: Of ``fetched``.
        target: Of the page.
    """
    notes = ['Beside the page of mmsign (Apache-2.0) this folder holds, from npm:', '']
    texts = []
    for name, (place, files) in COPIED.items():
        (target / 'vendor' / place).mkdir(parents=True)
        with explain(DataError, f'{folder}/{name} is not complete', OSError):
            for file in files:
                source, copy = folder / name / file, target / 'vendor' / place
                shutil.copyfile(source, copy / source.name)
    for path, package in sorted(_lock()['packages'].items()):
        if path and not package.get('dev'):
            name = path.removeprefix('node_modules/')
            address = f'https://www.npmjs.com/package/{name}'
            notes.append(
                f'{name} {package["version"]}: {package["license"]}, {address}'
            )
            for text in sorted((folder / name).glob('LICEN[CS]E*')):
                said = text.read_text(encoding='utf-8', errors='replace')
                texts += ['', f'--- {name}', '', said.strip()]
    lines = '\n'.join([*notes, *texts, ''])
    (target / 'LICENCES.txt').write_text(lines, encoding='utf-8')


def _lock() -> dict:
    return json.loads((_NPM / 'package-lock.json').read_bytes())


def versions() -> dict[str, str]:
    return json.loads((_NPM / 'package.json').read_bytes())['dependencies']


def cache() -> Path:
    """Of these very versions."""
    root = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    digest = hashlib.sha256((_NPM / 'package-lock.json').read_bytes()).hexdigest()
    return Path(root, 'mmsign', f'web-{digest[:12]}')


def _fetch(folder: Path) -> None:
    npm = shutil.which('npm')
    if npm is None:
        raise MissingPackageError(f'npm is not installed: {_INSTEAD}')
    text = f'{folder} cannot be written; set XDG_CACHE_HOME to another folder'
    with explain(DataError, text, OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for name in _FILES:
            shutil.copyfile(_NPM / name, folder / name)
    print(f'npm fetches {", ".join(COPIED)} into {folder}, once')
    # No script of a package is run.
    command = [npm, 'ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund']
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise MissingPackageError(f'npm cannot fetch the packages ({said}): {_INSTEAD}')
