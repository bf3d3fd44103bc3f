import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'data' / 'make_toy_corpus.py'
SMALL = [
    '--train',
    '1',
    '--dev',
    '1',
    '--test',
    '1',
    '--citations',
    '0',
    '--size',
    '42x52',
    '--workers',
    '1',
]


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('toy') / 'corpus'
    done = run(root, *SMALL)
    assert done.returncode == 0, done.stderr
    assert '3/3 clips' in done.stdout
    return root


def test_a_second_run_does_nothing(corpus):
    before = (corpus / 'keypoints.safetensors').stat().st_mtime_ns
    again = run(corpus, *SMALL)
    assert again.returncode == 0 and 'holds this corpus already' in again.stdout
    assert (corpus / 'keypoints.safetensors').stat().st_mtime_ns == before


def test_other_options_do_not_overwrite(corpus):
    refused = run(corpus, *SMALL, '--seed', 7)
    assert refused.returncode != 0 and 'other options' in refused.stderr


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / 'mine.txt').write_text('mine')
    refused = run(tmp_path, *SMALL)
    assert refused.returncode != 0 and 'something else' in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--size', '84'], 'WIDTHxHEIGHT'),
        (['--difficulty', 9], 'between 0 and 5'),
        (['--annotations', 'nowhere'], 'nowhere holds no'),
    ],
)
def test_impossible_options(tmp_path, arguments, message):
    refused = run(tmp_path / 'corpus', *arguments)
    assert refused.returncode != 0 and message in refused.stderr
    assert not (tmp_path / 'corpus').exists()
