"""Which tests are slow; a tiny Phoenix-2014T tree for the tests of the data side."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_run import unformatted_configs
from warm_python import warm_python

from mmsign.datasets.io.keypoint_file import write_keypoints

TESTS = Path(__file__).parent
HEADER = 'name|video|start|end|speaker|orth|translation'
LENGTHS = dict(a=7, b=12)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup('mmsign')
    group.addoption('--web-clip', help='a video of somebody, for the landmark model')
    group.addoption('--web-shots', help='a folder for pictures of the page')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what runs whole programs: all but the tests of a module of mmsign.

    Of these, single ones that take more than half a second carry the mark themselves.
    What is not slow is what ``tools/run_tests.sh --quick`` runs.
    """
    for item in items:
        folder, *rest = item.path.relative_to(TESTS).parts
        source = folder if rest else folder.removeprefix('test_')
        if folder == 'tools' or not (TESTS.parent / 'mmsign' / source).exists():
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope='module', autouse=True)
def _what_is_imported_stays() -> None:
    """The garbage collector need not look at it.

    MMEngine has it look at everything for each dataset, which takes longer than most
    tests.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope='session', autouse=True)
def _configs_are_written_as_they_come() -> Iterator[None]:
    with unformatted_configs():
        yield


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
            # Shoulders and nose of somebody upright.
            poses[name][:, [5, 6, 0], :2] = (16, 14), (4, 14), (10, 4)
        table = tables / f'PHOENIX-2014-T.{split}.corpus.csv'
        table.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    write_keypoints(root / 'keypoints.safetensors', poses)
    return root


@pytest.fixture(scope='session')
def python(tmp_path_factory) -> Iterator[str]:
    """A command that runs tools at once; see ``warm_python``."""
    with warm_python(tmp_path_factory.mktemp('python')) as command:
        yield command
