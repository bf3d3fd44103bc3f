from __future__ import annotations

import json

import pytest

from mmsign.errors import DataError, MissingPackageError
from mmsign.web.packages import cache, copy_packages, fetched

VERSIONS = {'@mediapipe/holistic': '0.5.1675471629', 'onnxruntime-web': '1.27.0'}
# Notes that it was called, and makes what npm would.
NPM = """#!/bin/sh
echo "$@" >>"$0.calls"
[ -f package-lock.json ] && cp -r {packages} node_modules
touch node_modules/.package-lock.json
"""


@pytest.fixture
def packages(tmp_path):
    folder = tmp_path / 'packages'
    for name, version in VERSIONS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / 'package.json').write_text(json.dumps(dict(version=version)))
    return folder


@pytest.fixture
def npm(tmp_path, packages, monkeypatch):
    """A stand-in for npm, and an empty cache; returns its calls."""
    command = tmp_path / 'bin' / 'npm'
    command.parent.mkdir()
    command.write_text(NPM.format(packages=packages))
    command.chmod(0o755)
    monkeypatch.setenv('PATH', f'{command.parent}:/usr/bin:/bin')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    calls = command.with_name('npm.calls')
    return lambda: calls.read_text().splitlines() if calls.exists() else []


def test_they_are_fetched_once(npm, tmp_path):
    folder = fetched()
    assert folder == cache() / 'node_modules' == fetched()
    assert tmp_path in folder.parents
    (call,) = npm()
    assert call.startswith('ci --ignore-scripts')


def test_without_npm(npm, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(MissingPackageError, match='--packages FOLDER'):
        fetched()


def test_npm_that_fails(npm, tmp_path):
    (tmp_path / 'bin' / 'npm').write_text('#!/bin/sh\necho no network >&2; exit 1\n')
    with pytest.raises(MissingPackageError, match='no network.*--packages'):
        fetched()


def test_a_cache_that_cannot_be_written(npm, tmp_path):
    (tmp_path / 'cache').write_text('in the way')
    with pytest.raises(DataError, match='XDG_CACHE_HOME'):
        fetched()


def test_a_folder_may_be_named(packages):
    assert fetched(packages) == packages
    file = packages / 'onnxruntime-web' / 'package.json'
    file.write_text('{"version": "1.0.0"}')
    with pytest.raises(DataError, match=r'no onnxruntime-web 1\.27.*version 1\.0\.0'):
        fetched(packages)
    file.unlink()
    with pytest.raises(DataError, match='no onnxruntime-web'):
        fetched(packages)


def test_what_is_not_complete_is_named(packages, tmp_path):
    with pytest.raises(DataError, match='holistic is not complete'):
        copy_packages(packages, tmp_path / 'page')
