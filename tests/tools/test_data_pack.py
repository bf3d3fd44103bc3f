"""``tools/data/pack.py`` as a user runs it."""

from __future__ import annotations

import errno
import shutil

import numpy as np
import pytest
from tiny_run import load_tool

from mmsign.datasets import Phoenix2014TDataset
from mmsign.datasets.io.packs import PackWriter
from mmsign.engine.launch import reported_errors

pack = load_tool('data/pack')
PIPELINE = [
    dict(type='LoadClip'),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    dict(type='ClipResize', size=24),
    dict(type='PackClip'),
]


def clip(root, frames=None):
    return Phoenix2014TDataset(
        data_root=str(root),
        split='dev',
        frames=frames,
        keypoint_file='keypoints.safetensors',
        pipeline=PIPELINE,
    )[1]


def refused(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught, reported_errors():
        pack.main(list(arguments))
    return caught.value.code


def test_training_reads_the_pack_as_it_reads_the_corpus(phoenix_tree, tmp_path, capsys):
    out = str(tmp_path / 'pack.zip')
    pack.main(['phoenix2014T', str(phoenix_tree), out, '--short-side', '16'])
    assert '6 clips, 57 frames written' in capsys.readouterr().out
    plain, packed = clip(phoenix_tree), clip(phoenix_tree, out)
    for key in ('clip_id', 'num_frames', 'frame_size', 'crop_box', 'length'):
        one, other = (getattr(x['data_samples'], key) for x in (plain, packed))
        assert one == other, key
    assert packed['inputs']['video'].shape == plain['inputs']['video'].shape
    np.testing.assert_array_equal(
        packed['inputs']['keypoints'], plain['inputs']['keypoints']
    )
    # Noise, shrunk to 16 of 20 pixels and compressed: its grey is alike, not equal.
    a, b = (x['inputs']['video'].float().mean(0).ravel() for x in (plain, packed))
    assert np.corrcoef(a, b)[0, 1] > 0.7


def test_a_pack_is_not_written_over_itself(phoenix_tree, tmp_path, capsys):
    out = tmp_path / 'pack.zip'
    pack.main(['phoenix2014T', str(phoenix_tree), str(out)])
    before = out.read_bytes()
    (tmp_path / 'link.zip').symlink_to(out)
    arguments = ['phoenix2014T', str(phoenix_tree), str(tmp_path / 'link.zip')]
    assert refused(*arguments, '--frames', str(out), '--short-side', '16') == 1
    assert 'link.zip' in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_damaged_frame_is_named_and_the_rest_is_kept(phoenix_tree, tmp_path, capsys):
    root, out = tmp_path / 'corpus', tmp_path / 'pack.zip'
    shutil.copytree(phoenix_tree, root)
    frames = root / 'features/fullFrame-210x260px/test/test-a'
    broken = frames / 'images0004.png'
    whole = broken.read_bytes()
    broken.write_bytes(b'')
    arguments = ['Phoenix2014TDataset', str(root), str(out), '--workers', '1']
    assert refused(*arguments) != 0
    said = capsys.readouterr().err
    assert 'images0004.png' in said and 'run the command again' in said
    assert not out.exists()
    broken.write_bytes(whole)
    pack.main(arguments)
    # The four clips before it, less the last, whose end was not known.
    assert 'going on: 3 of 6 clips are packed' in capsys.readouterr().out
    assert len(clip(root, str(out))['data_samples'].frame_indices) == 12


def test_mistakes_end_in_one_sentence(phoenix_tree, tmp_path, capsys):
    root, out = str(phoenix_tree), str(tmp_path / 'p.zip')
    assert refused('nothing', root, out) != 0
    assert "unknown corpus 'nothing'; one of: " in capsys.readouterr().err
    assert refused('phoenix2014T', str(tmp_path), out) != 0
    assert 'data_root must be the folder' in capsys.readouterr().err
    assert refused('phoenix2014T', root, str(tmp_path / 'p.tar')) == 2
    assert refused('phoenix2014T', root, out, '--short-side', '3') == 2
    assert refused('phoenix2014T', root, out, '--splits', 'val') != 0
    assert 'train, dev, test' in capsys.readouterr().err
    open(out, 'w').close()
    assert refused('phoenix2014T', root, out) != 0
    assert 'p.zip exists' in capsys.readouterr().err


def test_a_full_disk(phoenix_tree, tmp_path, capsys, monkeypatch):
    def full(self, folder, images):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(PackWriter, 'add', full)
    out = tmp_path / 'p.zip'
    assert refused('phoenix2014T', str(phoenix_tree), str(out), '--workers', '1') != 0
    said = capsys.readouterr().err
    assert 'p.zip cannot be written (No space left on device)' in said
    assert not out.exists()
