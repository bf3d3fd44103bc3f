"""From a corpus to a word error rate with the tools that users run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmsign import compat
from mmsign.toy.corpus import invent_sentences, write_corpus

ROOT = Path(__file__).parents[1]
CONFIG = 'configs/twostream_slr_toy.py'
OPTIONS = (
    'model.video.backbone.width=0.125',
    'model.keypoint.backbone.width=0.125',
    'train_dataloader.batch_size=2',
    'train_dataloader.sampler.batch_size=2',
    'train_dataloader.num_workers=1',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=1',
    'default_hooks.logger.interval=1',
)
ENVIRONMENT = os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT))


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('corpus')
    sentences = invent_sentences(dict(train=6, dev=2, test=3), 0, seed=0)
    write_corpus(root, sentences, 'phoenix2014T', (42, 52), seed=0, workers=1)
    return root


def options(corpus: Path) -> list[str]:
    return ['--cfg-options', f'data_root={corpus}', *OPTIONS]


def train_command(python: str, corpus: Path, work: Path) -> list[str]:
    script = [python, 'tools/train.py', CONFIG, '--work-dir', str(work)]
    return [*script, '--resume', *options(corpus)]


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=ENVIRONMENT | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope='module')
def trained(python, corpus, tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp('work')
    # Pictures of the validation change nothing: a run without them ends the same.
    run(
        train_command(python, corpus, work)
        + ['default_hooks.visualization.enable=True']
        + ['default_hooks.visualization.num_clips=1']
    )
    return work


def checkpoint(work: Path) -> Path:
    return work / 'epoch_2.pth'


def test_the_checkpoint_is_complete_and_loads_safely(trained):
    loaded = compat.load_checkpoint(str(checkpoint(trained)))
    assert len(loaded['meta']['gloss_vocab']) >= 10
    assert loaded['meta']['estimators'] == ['toy']
    assert list(trained.glob('best_average_WER_epoch_*.pth'))


def test_clips_of_each_validation_are_drawn(trained):
    pictures = {path.name for path in trained.glob('*/vis_data/vis_image/*.png')}
    assert pictures == {'val_dev-00000_1.png', 'val_dev-00000_2.png'}


def test_one_and_two_processes_count_the_same(python, trained, corpus, tmp_path):
    single, double = tmp_path / 'single.json', tmp_path / 'double.json'
    common = [CONFIG, str(checkpoint(trained))]
    run(
        [python, 'tools/test.py', *common, '--work-dir', str(tmp_path / '1')]
        + ['--out', str(single), '--show-dir', str(tmp_path / 'seen')]
        + ['--interval', '2', *options(corpus)]
        + [f'test_evaluator.0.dump={tmp_path / "predictions"}']
    )
    run(
        ['bash', 'tools/dist_test.sh', *common, '2', '--work-dir', str(tmp_path / '2')]
        + ['--out', str(double), *options(corpus)],
        # The script runs the python of the PATH; the other is of the two processes.
        PATH=f'{Path(python).parent}{os.pathsep}{os.environ["PATH"]}',
        PYTHON_EXEC=python,
    )
    seen = sorted(path.name for path in (tmp_path / 'seen').iterdir())
    assert seen == ['test-00000.png', 'test-00002.png']
    metrics = json.loads(single.read_text())
    assert metrics == json.loads(double.read_text())
    for output in ('video', 'keypoint', 'joint', 'average'):
        errors = sum(metrics[f'{output}/{kind}'] for kind in 'SDI')
        words = metrics[f'{output}/reference_words']
        assert metrics[f'{output}/WER'] == pytest.approx(100 * errors / words)
    # The report of the quickstart reads what the test left.
    work = tmp_path / '1'
    (tmp_path / 'single.json').rename(work / 'test_metrics.json')
    (tmp_path / 'predictions.jsonl').rename(work / 'predictions.jsonl')
    said = run([python, 'tools/analysis/quickstart_report.py', '--work-dir', str(work)])
    rows = said.splitlines()[-7:]
    assert [row.split()[0] for row in rows[:5]] == [
        'output',
        'video',
        'keypoint',
        'joint',
        'average',
    ]
    assert (work / 'picture.png').stat().st_size > 10_000
    assert 'REF ' in (work / 'report.txt').read_text()


def test_a_run_killed_in_mid_epoch_ends_as_an_uninterrupted_one(
    python, trained, corpus, tmp_path
):
    log = tmp_path / 'log.txt'
    with log.open('w') as out:
        process = subprocess.Popen(
            train_command(sys.executable, corpus, tmp_path),
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while not re.search(r'Epoch\(train\) +\[2\]\[1/3\]', log.read_text()):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, 'the second epoch was never reached'
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not checkpoint(tmp_path).exists()
    assert 'resumed epoch: 1' in run(train_command(python, corpus, tmp_path))
    ours, theirs = (
        compat.load_checkpoint(str(checkpoint(work))) for work in (tmp_path, trained)
    )
    assert ours['param_schedulers'] == theirs['param_schedulers']
    assert ours['meta']['iter'] == theirs['meta']['iter'] == 6
    best = [
        {k: v for k, v in c['message_hub']['runtime_info'].items() if 'best' in k}
        for c in (ours, theirs)
    ]
    assert best[0]['best_score'] == best[1]['best_score']
    for key, value in theirs['state_dict'].items():
        torch.testing.assert_close(ours['state_dict'][key], value, msg=key)
