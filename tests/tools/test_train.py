"""``tools/train.py`` as a user runs it, on a network of 3 parameters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from other_run import another_run
from tiny_run import TOOLS, load_tool, unique_name, write_config

import mmsign
from mmsign import compat
from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.registry import HOOKS

train = load_tool('train')


def run_script(
    *command: str, cwd: Path, python: str = sys.executable
) -> subprocess.CompletedProcess:
    support = Path(__file__).parents[1] / 'support'
    paths = [str(Path(mmsign.__file__).parents[1]), str(support)]
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(paths),
        'PYTHON': python,
        'PYTHON_EXEC': python,  # of the two processes
        'OMP_NUM_THREADS': '1',
    }
    return subprocess.run(
        ['bash', *command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def main(tmp_path, monkeypatch):
    """Run the tool in an empty folder, as its command would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')

    def main(*arguments: str) -> None:
        with reported_errors():
            train.main(
                [*arguments, '--cfg-options', f'experiment_name={unique_name()}']
            )

    return main


def merged(config: dict, *given: str) -> Config:
    cfg = Config(config)
    train.merge_args(cfg, train.parse_args(['c.py', *given]))
    return cfg


def test_seed_arguments_win_over_the_config():
    cfg = merged({'randomness': {'seed': 1, 'deterministic': False}}, '--seed', '7')
    assert cfg.randomness == {'seed': 7, 'deterministic': False}
    cfg = merged({}, '--diff-rank-seed', '--deterministic')
    assert cfg.randomness == {
        'seed': None,
        'diff_rank_seed': True,
        'deterministic': True,
    }


def test_no_validate():
    cfg = merged({'val_cfg': {}, 'val_dataloader': {}, 'x': 1}, '--no-validate')
    assert (cfg.val_cfg, cfg.val_dataloader, cfg.val_evaluator) == (None, None, None)


def test_without_a_development_split(main, tmp_path, capsys):
    write_config(tmp_path)
    main('tiny.py', '--cfg-options', 'val_dataloader=None', 'max_epochs=2')
    work_dir = tmp_path / 'work_dirs' / 'tiny'
    assert (work_dir / 'last_checkpoint').read_text().endswith('epoch_2.pth')
    assert not list(work_dir.glob('best_*'))
    assert capsys.readouterr().out.count('no development split') == 1
    main('tiny.py', '--work-dir', 'w', '--cfg-options', 'max_epochs=1')
    assert 'no development split' not in capsys.readouterr().out


def test_auto_scale_lr():
    cfg = merged({'auto_scale_lr': {'base_batch_size': 8}}, '--auto-scale-lr')
    assert cfg.auto_scale_lr.enable is True
    with pytest.raises(ConfigError, match='base_batch_size'):
        merged({}, '--auto-scale-lr')


def test_amp_uses_what_the_machine_has(monkeypatch):
    monkeypatch.setattr(compat.mixed_precision, 'cpu_has_bfloat16', lambda: True)
    cfg = merged({'optim_wrapper': {'optimizer': {'type': 'Adam'}}}, '--amp')
    expected = 'AmpOptimWrapper' if torch.cuda.is_available() else 'CPUAmpOptimWrapper'
    assert cfg.optim_wrapper.type == expected


def test_start(tmp_path):
    def start(resume):
        cfg = Config({'work_dir': str(tmp_path), 'load_from': 'stage1.pth'})
        train.set_start(cfg, resume)
        return cfg.get('resume', False), cfg.load_from

    assert start(None) == (False, 'stage1.pth')
    # Nothing to resume: a stage-2 run still starts from its stage-1 weights.
    assert start('auto') == (False, 'stage1.pth')
    with pytest.raises(ConfigError, match='other.pth'):
        start('other.pth')
    checkpoint = tmp_path / 'epoch_3.pth'
    checkpoint.touch()
    assert start('auto') == (True, str(checkpoint))
    assert start(str(checkpoint)) == (True, str(checkpoint))


def test_train_and_resume_with_mixed_precision(tmp_path, main, monkeypatch):
    glosses = tmp_path / 'glosses.txt'
    glosses.write_text('A\nB\n')
    write_config(tmp_path, extra=f"model['vocab'] = dict(file={str(glosses)!r})\n")
    monkeypatch.setattr(compat.mixed_precision, 'cpu_has_bfloat16', lambda: True)
    arguments = ['tiny.py', '--work-dir', 'my runs/first', '--resume', '--amp']
    main(*arguments, '--cfg-options', 'train_cfg.max_epochs=1')
    work_dir = tmp_path / 'my runs' / 'first'
    assert (work_dir / 'epoch_1.pth').is_file()
    # The config in the work folder does not need the vocabulary file any more.
    dumped = Config.fromfile(work_dir / 'tiny.py')
    assert dumped.model.vocab == {'glosses': ['A', 'B']}
    if not torch.cuda.is_available():
        assert dumped.optim_wrapper.type == 'CPUAmpOptimWrapper'
    main(*arguments, '--cfg-options', 'train_cfg.max_epochs=2')
    last = compat.load_checkpoint(work_dir / 'epoch_2.pth')
    assert (last['meta']['epoch'], last['meta']['iter']) == (2, 8)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.py'], 'error: config nowhere.py does not exist'),
        (
            ['tiny.py', '--cfg-options', 'data_root=gone'],
            "error: data_root 'gone' of train_dataloader is not a folder",
        ),
        (['tiny.py', '--resume', 'x.pth'], 'error: checkpoint x.pth to resume'),
        (
            ['tiny.py', '--work-dir', 'tiny.py/work'],
            'error: the work folder tiny.py/work',
        ),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, message, main, tmp_path, capsys):
    write_config(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(*arguments)
    assert caught.value.code == 1 and message in capsys.readouterr().err


@HOOKS.register_module()
class InterruptHook(Hook):
    """Ctrl-C at the start of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def before_train_epoch(self, runner) -> None:
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(('epoch', 'named'), [(0, 'tiny'), (2, 'tiny/epoch_2.pth')])
def test_an_interruption_says_how_to_go_on(
    epoch, named, main, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr('sys.unraisablehook', sys.unraisablehook)
    hook = f"custom_hooks.append(dict(type='InterruptHook', epoch={epoch}))\n"
    write_config(tmp_path, extra=hook)
    with pytest.raises(SystemExit) as caught:
        main('tiny.py')
    assert caught.value.code == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith('interrupted: ') and f'work_dirs/{named}' in said
    assert ('--resume' in said) == (epoch > 0)


def test_two_runs_do_not_share_a_folder(main, tmp_path, capsys):
    write_config(tmp_path)
    (tmp_path / 'w').mkdir()
    with another_run(tmp_path / 'w') as process, pytest.raises(SystemExit):
        main('tiny.py', '--work-dir', 'w')
    assert f'process {process.pid} ' in capsys.readouterr().err
    assert [path.name for path in (tmp_path / 'w').iterdir()] == ['.train.lock']


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on the CPU only')
def test_two_processes(python, tmp_path):
    config = write_config(tmp_path)
    arguments = [str(TOOLS / 'dist_train.sh'), str(config), '2', '--work-dir', 'w']
    arguments += ['--cfg-options', 'sync_bn=torch', 'train_cfg.max_epochs=1']
    done = run_script(*arguments, cwd=tmp_path, python=python)
    assert done.returncode == 0, done.stderr[-3000:]
    checkpoint = compat.load_checkpoint(tmp_path / 'w' / 'epoch_1.pth')
    assert checkpoint['meta']['iter'] == 2  # 8 clips, 2 processes of 2
    assert 'sync_bn is ignored' in done.stdout + done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on the CPU only')
def test_one_of_two_processes_dies(tmp_path):
    """The other one does not wait for it for ever, and the cause is told."""
    extra = """
custom_imports['imports'].append('dying_process')
custom_hooks.append(dict(type='DieHook'))
"""
    config = write_config(tmp_path, extra=extra)
    arguments = [str(TOOLS / 'dist_train.sh'), str(config), '2', '--work-dir', 'w']
    done = run_script(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert 'Signal 9 (SIGKILL) received' in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith('error: a process ended early') and '--resume' in last
    # The first epoch is there, whole, and nothing of the second.
    work = tmp_path / 'w'
    assert [f.name for f in work.glob('epoch_*')] == ['epoch_1.pth']
    assert compat.load_checkpoint(work / 'epoch_1.pth')['meta']['iter'] == 2


@pytest.mark.parametrize(
    'script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']
)
def test_scripts_explain_themselves(script, tmp_path):
    done = run_script(str(TOOLS / script), cwd=tmp_path)
    assert done.returncode == 2 and f'Usage: bash tools/{script}' in done.stdout
    done = run_script(str(TOOLS / script), '--help', cwd=tmp_path)
    assert done.returncode == 0 and 'Usage:' in done.stdout


def test_a_number_of_processes_is_needed(tmp_path):
    done = run_script(str(TOOLS / 'dist_train.sh'), 'tiny.py', 'two', cwd=tmp_path)
    assert done.returncode == 2 and "not 'two'" in done.stderr


def test_slurm_gets_the_arguments_as_they_are(tmp_path, monkeypatch):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nfor a in "$@"; do echo "<$a>"; done\n')
    srun.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('GPUS', '2')
    options = ['part', 'job', 'my config.py', '--cfg-options', 'a=1 2']
    done = run_script(str(TOOLS / 'slurm_train.sh'), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    given = done.stdout.splitlines()
    assert given[0:2] == ['<-p>', '<part>'] and '<--ntasks=2>' in given
    assert '<--gres=gpu:2>' in given
    assert given[-5:] == [
        '<my config.py>',
        '<--cfg-options>',
        '<a=1 2>',
        '<--launcher>',
        '<slurm>',
    ]
