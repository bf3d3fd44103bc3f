"""The scripts' own arguments, and when they install what."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Notes calls of pip instead of making them; NO_TORCH hides PyTorch.
INTERPRETER = """#!/bin/sh
case "$*" in
    "-m pip --version") exit 0 ;;
    "-m pip"*) echo "$@" >>"$PIP_CALLS"; exit 0 ;;
    *'version("torch")'*) [ -z "$NO_TORCH" ]; exit ;;
    "-c import triton") [ -z "$NO_TRITON" ]; exit ;;
esac
exec {python} "$@"
"""


def bash(script: Path | str, *arguments: str, **environment: str):
    return subprocess.run(
        [
            'bash',
            *(['-c', script] if isinstance(script, str) else [script]),
            *arguments,
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize('name', ['quickstart.sh', 'run_tests.sh'])
def test_help_says_what_it_does(name):
    done = bash(ROOT / 'tools' / name, '--help')
    assert done.returncode == 0
    assert done.stdout.startswith(f'Usage: bash tools/{name}')
    assert 'virtual environment' in done.stdout


def test_translation_is_an_option():
    assert '--translation' in bash(ROOT / 'tools' / 'quickstart.sh', '-h').stdout
    text = (ROOT / 'tools' / 'quickstart.sh').read_text(encoding='utf-8')
    for name in ('g2t_toy.py', 'twostream_slt_toy.py'):
        assert f'configs/{name}' in text and (ROOT / 'configs' / name).is_file()
    # The last that is printed is the translation's report.
    assert 'translation_report.py' in text.rstrip().splitlines()[-1]


def test_a_page_is_an_option():
    assert '--web' in bash(ROOT / 'tools' / 'quickstart.sh', '-h').stdout
    text = (ROOT / 'tools' / 'quickstart.sh').read_text(encoding='utf-8')
    start, end = (
        text.index('if ((web)); then\n    say'),
        text.index('((translation)) ||'),
    )

    def last_steps(web: int) -> list[str]:
        script = f'set -euo pipefail; PYTHON=echo from= work_dir=w web={web}\n'
        script += 'say() { :; }\n'
        done = bash(script + text[start:end])
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert last_steps(0) == []
    assert last_steps(1) == ['tools/export/web.py w/toy.bundle w/web']


def test_translation_is_trained_once_from_the_same_inputs(tmp_path):
    text = (ROOT / 'tools' / 'quickstart.sh').read_text(encoding='utf-8')
    start, end = text.index('is_made_from() {'), text.index('say "Translation 1/4')
    work = tmp_path / 'a folder'

    def train(inputs: str, python: str = 'echo') -> str:
        done = bash(
            f'set -euo pipefail; PYTHON={python} from=\n{text[start:end]}'
            'train_once c.py "$0" "$1" --cfg-options a=b',
            str(work),
            inputs,
        )
        assert (done.returncode == 0) == (python == 'echo')
        return done.stdout

    called = f'tools/train.py c.py --work-dir {work} --resume auto --cfg-options a=b\n'
    assert train('1 2', python='false') == ''
    (work / 'epoch_1.pth').touch()
    assert train('1 2') == called  # It goes on.
    assert (work / 'epoch_1.pth').exists()
    assert train('1 2').startswith('Trained already')
    assert train('1 3') == called  # Other inputs: anew.
    assert not (work / 'epoch_1.pth').exists()


@pytest.mark.parametrize('arguments', [['--unknown'], ['--work-dir']])
def test_wrong_arguments(arguments):
    done = bash(ROOT / 'tools' / 'quickstart.sh', *arguments)
    assert done.returncode == 2 and f'error: {arguments[0]}' in done.stderr.replace(
        'unknown option ', ''
    )


def as_command(folder: Path, interpreter: str, *arguments: str):
    """``mmsign quickstart`` in a folder, with a script of the shell for Python."""
    python = folder / 'interpreter'
    python.write_text(f'#!/bin/sh\n{interpreter}\n')
    python.chmod(0o755)
    return subprocess.run(
        ['bash', ROOT / 'tools' / 'quickstart.sh', *arguments],
        cwd=folder,
        env=os.environ | dict(MMSIGN_PYTHON=str(python), PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_stays_in_the_current_folder(tmp_path):
    # Looks for modules as Python does, and notes what else it is to run.
    look = f'[ "$1" = -c ] && exec {sys.executable} "$@"'
    interpreter = f'{look}\npwd >>calls; echo "$@" >>calls; exit 7'
    done = as_command(tmp_path, interpreter)
    assert done.returncode == 7, done.stderr
    timer = f'{ROOT}/tools/analysis/quickstart_time.py'
    maker = f'{ROOT}/tools/data/make_toy_corpus.py data/toy.partial'
    calls = (tmp_path / 'calls').read_text().splitlines()
    assert calls == [str(tmp_path), timer, str(tmp_path), maker]


def test_the_command_has_its_interpreter(tmp_path):
    done = as_command(tmp_path, 'exit 0', '--python', 'python3')
    assert done.returncode == 2 and '--python' in done.stderr
    done = as_command(tmp_path, 'exit 1', '--translation')
    assert done.returncode == 1
    assert 'torch is not installed: pip install "mmsign[translation]"' in done.stderr


@pytest.fixture
def set_up(tmp_path):
    """Set up an environment of a copy of the checkout; returns pip's calls."""
    copy = tmp_path / 'a checkout'
    (copy / 'tools').mkdir(parents=True)
    shutil.copy(ROOT / 'tools' / '_setup_env.sh', copy / 'tools')
    for name in ('setup.py', 'pyproject.toml'):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / 'requirements', copy / 'requirements')
    environment = tmp_path / 'an environment'
    (environment / 'bin').mkdir(parents=True)
    interpreter = environment / 'bin' / 'python'
    interpreter.write_text(INTERPRETER.format(python=sys.executable))
    interpreter.chmod(0o755)
    calls = tmp_path / 'calls'

    def set_up(extras: str, **variables: str) -> list[str]:
        calls.write_text('')
        done = bash(
            'set -euo pipefail; source "$0"; set_up_environment "$1"; echo "$PYTHON"',
            str(copy / 'tools' / '_setup_env.sh'),
            extras,
            VIRTUAL_ENV=str(environment),
            PIP_CALLS=str(calls),
            PYTHONPATH=str(ROOT),
            **variables,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == str(interpreter)
        return calls.read_text().splitlines()

    set_up.copy = copy
    return set_up


def test_it_installs_once_per_kind_and_again_after_a_change(set_up):
    install = '-m pip install --quiet -e '
    assert set_up('') == [f'{install}.']
    assert set_up('') == []
    assert set_up('tests') == [f'{install}.[tests]']
    assert set_up('tests') == set_up('') == []
    with (set_up.copy / 'requirements' / 'core.txt').open('a') as file:
        file.write('einops\n')
    assert set_up('tests') == [f'{install}.[tests]']


def test_without_a_checkout_nothing_is_installed(set_up):
    (set_up.copy / 'setup.py').unlink()
    with pytest.raises(AssertionError, match='mmsign quickstart'):
        set_up('')


def test_pytorch_comes_first_and_can_be_chosen(set_up):
    torch = f'-m pip install --quiet -r {set_up.copy}/requirements/torch.txt'
    assert set_up('', NO_TORCH='1') == [torch, '-m pip install --quiet -e .']
    chosen = 'torch==2.6.0 --pre'
    calls = set_up('tests', NO_TORCH='1', MMSIGN_TORCH=chosen)
    assert calls[0] == f'-m pip install --quiet {chosen}'


def test_triton_comes_where_pytorch_brings_none(set_up):
    install = '-m pip install --quiet'
    triton = f'{install} -r {set_up.copy}/requirements/triton.txt'
    assert set_up('all', NO_TRITON='1') == [f'{install} -e .[all]', triton]
    (set_up.copy / 'requirements' / 'core.txt').write_text('einops\n')
    assert set_up('all') == [f'{install} -e .[all]']
