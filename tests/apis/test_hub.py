"""Bundles on the Hugging Face Hub, of which a double stands in for the real one."""

from __future__ import annotations

import json
from unittest import mock

import pytest
import yaml
from tiny_run import load_tool

from mmsign.apis import SignInferencer, open_network, read_bundle
from mmsign.apis.hub import model_card
from mmsign.errors import BundleError, MissingPackageError

hub = pytest.importorskip('huggingface_hub')


@pytest.fixture
def repositories(tmp_path, monkeypatch):
    """(name, file) → content; what the client's own signatures refuse is an error."""
    held: dict[tuple[str, str], bytes] = {}
    api = mock.create_autospec(hub.HfApi, instance=True)

    def create_repo(repo_id, *, private, exist_ok):
        assert private and exist_ok
        return f'https://huggingface.co/{repo_id}'

    def create_commit(repo_id, operations, *, commit_message):
        if repo_id == 'them/theirs':
            raise OSError('403 Forbidden')
        for one in operations:
            with one.as_file() as file:
                held[repo_id, one.path_in_repo] = file.read()

    def download(repo_id, filename, *, revision):
        if (repo_id, filename) not in held or revision not in (None, 'v1'):
            raise hub.errors.EntryNotFoundError(f'404 {repo_id}')
        path = tmp_path / 'cache'
        path.write_bytes(held[repo_id, filename])
        return str(path)

    api.create_repo.side_effect, api.create_commit.side_effect = (
        create_repo,
        create_commit,
    )
    monkeypatch.setattr(hub, 'HfApi', lambda: api)
    fetch = mock.create_autospec(hub.hf_hub_download, side_effect=download)
    monkeypatch.setattr(hub, 'hf_hub_download', fetch)
    return held


def test_pushed_and_read_again(network_files, repositories, tmp_path, capsys):
    config, checkpoint = network_files
    metrics, out = tmp_path / 'metrics.json', tmp_path / 'a.bundle'
    metrics.write_text(json.dumps({'average/WER': 21.5, 'average/S': 3, 'table': 'x'}))
    command = [str(config), str(checkpoint), str(out), '--licence', 'ask | us']
    push = ['--push', 'me/mine', '--metrics', str(metrics)]
    load_tool('export/bundle').main([*command, *push])
    assert 'pushed: https://huggingface.co/me/mine' in capsys.readouterr().out
    assert set(repositories) == {('me/mine', n) for n in ('mmsign.bundle', 'README.md')}
    card = repositories['me/mine', 'README.md'].decode()
    _, head, text = card.split('---\n', 2)
    assert yaml.safe_load(head) == dict(
        library_name='mmsign',
        license='other',
        license_name='ask-us',
        tags=['sign-language-recognition'],
    )
    for line in (
        '| Glosses | 4 |',
        '| Keypoints of | not recorded |',
        '| average | 21.50 |',
        '- weights: ask | us',
        '## Limits',
        "SignInferencer(bundle='hf://me/mine')",
    ):
        assert line in text
    glosses = read_bundle(out).spec.model['vocab']['glosses']
    for address in ('hf://me/mine', 'hf://me/mine@v1'):
        found = SignInferencer(bundle=address, device='cpu')
        assert list(found.network.model.vocab.glosses) == glosses
    for address in ('hf://me/other', 'hf://me/mine@v2', 'hf://mine', 'hf://me/../x'):
        with pytest.raises(BundleError, match=address):
            open_network(bundle=address, device='cpu')


def test_a_card_without_a_test_says_so(bundle):
    read = read_bundle(bundle)
    read.spec.corpus['estimators'] = ['rtmw']
    card = model_card(read, 'me/mine')
    assert 'Not measured, or not told.' in card and '| Keypoints of | rtmw |' in card


def test_what_cannot_be_pushed(network_files, repositories, tmp_path, capsys):
    tool = load_tool('export/bundle')
    command = [*map(str, network_files), str(tmp_path / 'a.bundle')]
    (tmp_path / 'm.json').write_text('{"average/WER": "low"}')
    metrics = ['--metrics', str(tmp_path / 'm.json')]
    for options, message in (
        (['--push', 'them/theirs'], 'them/theirs cannot be written.*403'),
        (['--push', 'me/mine', *metrics], 'm.json: expected an object of numbers'),
        (metrics, '--push'),
    ):
        with pytest.raises(ValueError, match=message):
            tool.main([*command, *options])
    assert not repositories


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'huggingface_hub', None)
    with pytest.raises(MissingPackageError, match=r'mmsign\[hub\]'):
        open_network(bundle='hf://me/mine', device='cpu')
