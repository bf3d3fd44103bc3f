"""A tiny Phoenix-2014T tree, shared by the tests of the data side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mmsign.datasets.keypoint_file import write_keypoints

HEADER = 'name|video|start|end|speaker|orth|translation'
SIZE = (20, 24)  # width, height in pixels
LENGTHS = dict(a=7, b=12)


def write_frames(folder: Path, count: int, size=SIZE, seed: int = 0) -> np.ndarray:
    """Random PNG frames; (count, H, W, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (count, size[1], size[0], 3), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'images{index + 1:04d}.png'), frame)
    return frames


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
