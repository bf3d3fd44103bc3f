"""A tiny Phoenix-2014T tree, shared by the tests of the data side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_frames import write_frames

from mmsign.datasets.io.keypoint_file import write_keypoints

HEADER = 'name|video|start|end|speaker|orth|translation'
LENGTHS = dict(a=7, b=12)


@pytest.fixture(scope='session')
def phoenix_tree(tmp_path_factory) -> Path:
    """Two clips in every split; keypoints of all; nobody may change it."""
    root = tmp_path_factory.mktemp('phoenix')
    tables = root / 'annotations' / 'manual'
    tables.mkdir(parents=True)
    poses = {}
    rng = np.random.default_rng(0)
    for split in ('train', 'dev', 'test'):
        rows = [HEADER]
        for clip, length in LENGTHS.items():
            name = f'{split}-{clip}'
            glosses = 'REGEN  NORD' if clip == 'a' else 'SONNE'
            rows.append(f'{name}|{name}/1/*.png|-1|-1|S{clip}|{glosses}|ein "satz" .')
            folder = root / 'features/fullFrame-210x260px' / split / name
            write_frames(folder, length)
            poses[name] = rng.uniform(0, 20, (length, 133, 3)).astype(np.float32)
        table = tables / f'PHOENIX-2014-T.{split}.corpus.csv'
        table.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    write_keypoints(root / 'keypoints.safetensors', poses)
    return root
