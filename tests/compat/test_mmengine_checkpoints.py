from __future__ import annotations

import mmengine.runner.runner as mmengine_runner
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from mmsign.compat import mmengine_checkpoints
from mmsign.compat.checkpoints import find_latest_checkpoint, load_checkpoint
from mmsign.compat.mmengine_checkpoints import save_checkpoint
from mmsign.compat.primitive_state import NotPlainError
from mmsign.errors import CheckpointError


def test_an_mmengine_checkpoint_survives(tmp_path, mmengine_state):
    path = tmp_path / 'epoch_2.pth'
    save_checkpoint(mmengine_state, str(path))
    torch.load(path, weights_only=True)  # does not raise
    loaded = load_checkpoint(path)
    hub = loaded['message_hub']
    assert isinstance(hub['log_scalars']['train/loss'], HistoryBuffer)
    assert hub['log_scalars']['train/loss'].data[0].tolist() == [2.0, 1.0]
    assert hub['runtime_info']['best_score'] == 12.5
    assert loaded['meta']['dataset_meta']['sizes'].tolist() == [1, 2]
    weight = mmengine_state['state_dict']['weight']
    assert torch.equal(loaded['state_dict']['weight'], weight)


def test_mmengine_uses_this_loader_and_this_writer(tmp_path, mmengine_state):
    assert mmengine_runner.save_checkpoint is save_checkpoint
    assert mmengine_checkpoint.save_checkpoint is save_checkpoint
    assert mmengine_runner.find_latest_checkpoint is find_latest_checkpoint
    path = tmp_path / 'a.pth'
    save_checkpoint(mmengine_state, str(path))
    loaded = CheckpointLoader.load_checkpoint(str(path), 'cpu')
    assert loaded['message_hub']['runtime_info']['best_score'] == 12.5


def test_mmengine_refuses_a_malicious_file(malicious):
    path, crater = malicious
    with pytest.raises(CheckpointError, match='mkdir'):
        CheckpointLoader.load_checkpoint(str(path))
    assert not crater.exists()


def test_odd_objects_in_meta_are_left_out_but_not_in_the_optimizer(tmp_path):
    path = str(tmp_path / 'a.pth')
    with pytest.warns(UserWarning, match=r'checkpoint\.meta\.hook'):
        save_checkpoint({'meta': {'hook': print, 'epoch': 1}, 'state_dict': {}}, path)
    assert load_checkpoint(path)['meta'] == {'epoch': 1}
    with pytest.raises(NotPlainError, match=r'checkpoint\.optimizer\.fn'):
        save_checkpoint({'meta': {}, 'optimizer': {'fn': print}}, path)
    assert load_checkpoint(path)['meta'] == {'epoch': 1}


def test_other_backends_get_plain_state_too(monkeypatch):
    calls = []
    monkeypatch.setattr(
        mmengine_checkpoints,
        '_upstream_save_checkpoint',
        lambda *args: calls.append(args),
    )
    save_checkpoint({'a': np.int64(3)}, 's3://bucket/a.pth')
    assert calls == [({'a': 3}, 's3://bucket/a.pth', None, None)]


def test_downloads_are_loaded_safely(malicious, tmp_path, monkeypatch):
    path, crater = malicious
    downloads = []

    def download(url, target, hash_prefix, progress):
        downloads.append((url, hash_prefix))
        path.rename(target)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    url = 'https://zoo.example/s3d-0123abcd.pth'
    with pytest.raises(CheckpointError, match='refused'):
        CheckpointLoader.load_checkpoint(url)
    assert downloads == [(url, '0123abcd')] and not crater.exists()
    with pytest.raises(CheckpointError, match='refused'):  # from the cache
        mmengine_checkpoint.load_from_http(url)
    assert len(downloads) == 1
