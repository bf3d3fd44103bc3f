"""A corpus that changes while a network is trained on it ends the run by name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.hooks import Hook
from tiny_training import train, training_config

from mmsign import compat
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.engine.launch import reported_errors

FRAMES = 'features/fullFrame-210x260px/train'


class BetweenEpochs(Hook):
    """Does something to the corpus after the first epoch was saved and validated."""

    priority = 'VERY_LOW'

    def __init__(self, act) -> None:
        self.act = act

    def after_val_epoch(self, runner, metrics=None) -> None:
        if runner.epoch == 1:
            self.act()


@pytest.fixture
def root(phoenix_tree, tmp_path) -> Path:
    return Path(shutil.copytree(phoenix_tree, tmp_path / 'corpus'))


def delete_clip(root: Path) -> None:
    shutil.rmtree(root / FRAMES / 'train-b')


def delete_frame(root: Path) -> None:
    (root / FRAMES / 'train-b' / 'images0001.png').unlink()


def replace_keypoints(root: Path) -> None:
    names = {f'{s}-{c}': n for s in ('train', 'dev') for c, n in (('a', 7), ('b', 12))}
    clips = {name: np.zeros((length, 133, 3)) for name, length in names.items()}
    write_keypoints(root / 'keypoints.safetensors', clips)


def halve_keypoints(root: Path) -> None:
    # In place, as `cp` would do it: the file is mapped into memory.
    file = root / 'keypoints.safetensors'
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ('change', 'workers', 'message'),
    [
        (delete_clip, 0, 'clip train-b: no folder of frames'),
        (delete_clip, 1, 'clip train-b: no folder of frames'),
        (delete_frame, 0, 'clip train-b: 11 frames in .* 12 in '),
        (replace_keypoints, 0, 'keypoints.safetensors was replaced or changed'),
        (halve_keypoints, 1, 'keypoints.safetensors was replaced or changed'),
    ],
)
def test_it_is_named_and_the_last_checkpoint_is_whole(
    change, workers, message, root, tmp_path, capsys
):
    cfg = training_config(root, tmp_path / 'work', workers)
    with pytest.raises(SystemExit), reported_errors():
        train(cfg, BetweenEpochs(lambda: change(root)))
    said = capsys.readouterr().err
    assert 'Traceback' not in said
    (line,) = [line for line in said.splitlines() if line.startswith('error: ')]
    assert re.search(message, line), line
    files = sorted(f.name for f in (tmp_path / 'work').glob('epoch_*'))
    assert files == ['epoch_1.pth']
    assert compat.load_checkpoint(tmp_path / 'work/epoch_1.pth')['meta']['iter'] == 2
