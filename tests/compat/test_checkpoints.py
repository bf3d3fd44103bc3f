from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from mmsign.compat import checkpoints
from mmsign.compat.checkpoints import (
    TRUST_VARIABLE,
    find_latest_checkpoint,
    load_checkpoint,
    write_checkpoint,
)
from mmsign.compat.primitive_state import TAG, NotPlainError
from mmsign.errors import CheckpointError
from mmsign.files import partial_path


def test_a_malicious_file_is_refused_and_does_nothing(malicious):
    path, crater = malicious
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert not crater.exists()
    message = str(caught.value)
    assert str(path) in message and 'mkdir' in message
    assert TRUST_VARIABLE in message and '--trust-checkpoint' in message


def test_trust_is_explicit(malicious, monkeypatch):
    path, crater = malicious
    for value in ('0', 'false', ''):
        monkeypatch.setenv(TRUST_VARIABLE, value)
        with pytest.raises(CheckpointError):
            load_checkpoint(path)
    assert not crater.exists()
    monkeypatch.setenv(TRUST_VARIABLE, '1')
    load_checkpoint(path)
    assert crater.is_dir()


def test_a_stock_mmengine_checkpoint_is_refused_then_trusted(
    tmp_path, mmengine_state, monkeypatch
):
    path = tmp_path / 'stock.pth'
    torch.save(mmengine_state, path)
    with pytest.raises(CheckpointError, match='HistoryBuffer|numpy'):
        load_checkpoint(path)
    monkeypatch.setenv(TRUST_VARIABLE, '1')
    hub = load_checkpoint(path)['message_hub']
    assert hub['log_scalars']['train/loss'].data[0].tolist() == [2.0, 1.0]


@pytest.mark.skipif(
    tuple(map(int, torch.__version__.split('+')[0].split('.')[:2])) < (2, 7),
    reason='these versions of torch cannot be told of numpy',
)
def test_numpy_numbers_are_admitted_and_objects_are_not(tmp_path):
    path = tmp_path / 'foreign.pth'
    state = {'best': np.float64(3.5), 'sizes': np.arange(3), 'kind': np.array('x')}
    torch.save(state, path)
    loaded = load_checkpoint(path)
    assert loaded['best'] == 3.5 and loaded['sizes'].tolist() == [0, 1, 2]
    for refused in (np.array([print], dtype=object), np.zeros(1, dtype='i4,f4')):
        torch.save({'x': refused}, path)
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


def test_code_in_meta_config_is_removed(tmp_path, monkeypatch):
    path = tmp_path / 'a.pth'
    torch.save({'meta': {'config': 'import os', 'cfg': 'x = 1'}}, path)
    assert load_checkpoint(path)['meta'] == {'cfg': 'x = 1'}
    monkeypatch.setenv(TRUST_VARIABLE, '1')
    assert load_checkpoint(path)['meta']['config'] == 'import os'


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('damage', ['cut', 'empty', 'text', 'pickle', 'opcode', 'tag'])
def test_damaged_files_are_named(damage, tmp_path):
    path = tmp_path / 'broken.pth'
    torch.save({'w': torch.zeros(1000)}, path)
    tagged = io.BytesIO()
    torch.save({'w': {TAG: 'ndarray', 'dtype': 3}}, tagged)
    content = {
        # A known instruction without its operand; an array without its data.
        'opcode': b'j',
        'tag': tagged.getvalue(),
        'cut': path.read_bytes()[:500],
        'empty': b'',
        'text': b'not a checkpoint',
        'pickle': pickle.dumps({'a': 1}),
    }[damage]
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match='broken.pth'):
        load_checkpoint(path)


@pytest.mark.parametrize('archive', [True, False])
def test_a_file_may_be_mapped(archive, tmp_path):
    path = tmp_path / 'a.pth'
    state = {'w': torch.arange(3.0)}
    torch.save(state, path, _use_new_zipfile_serialization=archive)
    assert torch.equal(load_checkpoint(path, mmap=True)['w'], state['w'])


def test_missing_file_and_other_contents(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        load_checkpoint(tmp_path / 'nowhere.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match='list'):
        load_checkpoint(tmp_path / 'list.pth')


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'epoch_1.pth'
    write_checkpoint({'a': 1}, path)

    def killed(obj, file):
        file.write(b'half')
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.torch, 'save', killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint({'a': 2}, path)
    assert load_checkpoint(path) == {'a': 1}
    assert [file.name for file in tmp_path.iterdir()] == ['epoch_1.pth']


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='needs /dev/full')
@pytest.mark.parametrize('size', [1, 1_000_000])
def test_a_full_disk_is_told_and_the_last_checkpoint_stays(size, tmp_path):
    write_checkpoint({'a': 1}, tmp_path / 'epoch_1.pth')
    # What is written goes to a device that is always full.
    partial_path(tmp_path / 'epoch_2.pth').symlink_to('/dev/full')
    with pytest.raises(CheckpointError) as caught:
        write_checkpoint({'a': torch.zeros(size)}, tmp_path / 'epoch_2.pth')
    message = str(caught.value)
    assert message.startswith(f'checkpoint {tmp_path}/epoch_2.pth cannot be written')
    assert 'No space left on device' in message and 'GiB are free' in message
    assert f'checkpoint is {tmp_path}/epoch_1.pth: go on from it' in message
    assert [file.name for file in tmp_path.iterdir()] == ['epoch_1.pth']
    assert load_checkpoint(tmp_path / 'epoch_1.pth') == {'a': 1}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'work').write_text('a file where the folder should be')
    with pytest.raises(CheckpointError, match='cannot be written .*no earlier'):
        write_checkpoint({}, tmp_path / 'work' / 'epoch_1.pth')


def test_latest_checkpoint(tmp_path):
    assert find_latest_checkpoint(tmp_path) is None
    for name in ('epoch_2.pth', 'epoch_10.pth', 'best_WER_epoch_11.pth'):
        (tmp_path / name).touch()
    # Without a pointer, or with one cut short by a kill: the greatest number.
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text('')
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_10.pth')
    pointer.write_text(str(tmp_path / 'epoch_2.pth'))
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')
    # The folder was moved.
    pointer.write_text('/elsewhere/run/epoch_2.pth')
    assert find_latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')


def test_writing_makes_plain_or_refuses(tmp_path):
    path = tmp_path / 'new folder' / 'a.pth'
    write_checkpoint({'best': np.float64(1.5)}, path)
    assert torch.load(path, weights_only=True) == {'best': 1.5}
    with pytest.raises(NotPlainError, match=r'checkpoint\.hook'):
        write_checkpoint({'hook': print}, path)
    assert load_checkpoint(path) == {'best': 1.5}
