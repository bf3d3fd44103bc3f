"""Without a network: torch's own download is replaced."""

from pathlib import Path

import pytest
import torch

from mmsign.download import local_copy
from mmsign.errors import CheckpointError

URL = 'https://zoo.example/models/net-0123abcd.pth?download=1'


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """What was downloaded: (url, start of the hash); the first time fails."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    calls = []

    def download(source, target, hash_prefix, progress):
        calls.append((source, hash_prefix))
        if len(calls) == 1:
            raise OSError('no route to host')
        Path(target).write_text('weights')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    return calls


def test_a_url_is_downloaded_once(tmp_path, downloads):
    with pytest.raises(CheckpointError) as error:
        local_copy(URL, 'leave out pretrained=')
    for told in (URL, 'no route', 'net-0123abcd.pth, or leave out pretrained='):
        assert told in str(error.value)
    for _ in range(2):
        path = Path(local_copy(URL))
        assert path.read_text() == 'weights'
        assert path == tmp_path / 'torch' / 'hub' / 'checkpoints' / 'net-0123abcd.pth'
    assert downloads == [(URL, '0123abcd')] * 2
    assert Path(local_copy(URL, folder=tmp_path)).parent == tmp_path
    assert len(downloads) == 3


def test_a_machine_that_does_not_see_the_main_ones_folder(downloads, monkeypatch):
    downloads.append('earlier')
    monkeypatch.setattr('mmsign.download.is_main_process', lambda: False)
    assert Path(local_copy('http://zoo.example/net.pth')).is_file()
    assert downloads == ['earlier', ('http://zoo.example/net.pth', None)]


def test_paths_stay(tmp_path):
    assert local_copy(tmp_path / 'absent.pth') == str(tmp_path / 'absent.pth')
    assert local_copy('C:/weights/x.pth') == 'C:/weights/x.pth'
