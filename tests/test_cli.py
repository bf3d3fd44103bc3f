"""The command names scripts that are there, and passes everything on to them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmsign import cli
from mmsign.shipped import shipped
from mmsign.version import __version__

ROOT = Path(__file__).parents[1]


def ends(*arguments: str) -> int:
    """Status with which the command ends before it runs a script."""
    with pytest.raises(SystemExit) as end:
        cli.find(arguments)
    return end.value.code or 0


def test_every_script_is_there():
    for script, _ in cli.COMMANDS.values():
        assert shipped(f'tools/{script}').is_file()


@pytest.mark.parametrize('arguments', [(), ('--help',), ('-h',)])
def test_the_help_fits_one_screen(arguments, capsys):
    assert ends(*arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    named = {line[:21].strip() for line in lines[2:]}
    assert named == set(cli.COMMANDS)


def test_the_kinds_of_a_command(capsys):
    assert cli.find(['export', 'onnx', 'a', '--b']) == ('export onnx', ['a', '--b'])
    assert cli.find(['train', 'export', 'onnx']) == ('train', ['export', 'onnx'])
    pushed = ['--push', 'ann/signs', 'mine.py']
    assert cli.find(['export', *pushed]) == ('export bundle', pushed)
    assert ends('export', '--help') == 0
    shown = capsys.readouterr().out
    assert 'export onnx' in shown and 'convert' not in shown
    assert ends('export') == 2


@pytest.mark.parametrize(
    ('typed', 'said'),
    [
        ('trian', "did you mean 'train'?"),
        ('xyz', 'mmsign --help'),
        ('convert keypoint', "did you mean 'keypoints'?"),
        ('convert onnx', 'mmsign convert --help'),
    ],
)
def test_an_unknown_command(typed, said, capsys):
    assert ends(*typed.split()) == 2
    assert said in capsys.readouterr().err


def test_the_version(capsys):
    assert ends('--version') == 0
    assert capsys.readouterr().out == f'mmsign {__version__}\n'


SCRIPT = """
import sys
from beside import NAME
print(NAME, __name__, sys.argv)
sys.exit(3)
"""


@pytest.mark.parametrize('name', ['train', 'export bundle'])
def test_a_script_runs_as_if_it_had_been_called(name, tmp_path, monkeypatch, capsys):
    (tmp_path / 'script.py').write_text(SCRIPT)
    (tmp_path / 'beside.py').write_text('NAME = 1')
    monkeypatch.setattr(cli, 'shipped', lambda path: tmp_path / 'script.py')
    monkeypatch.setattr(sys, 'argv', sys.argv)
    monkeypatch.setattr(sys, 'path', sys.path.copy())
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])
    with pytest.raises(SystemExit, match='3'):
        cli.main([*name.split(), 'a', '--b'])
    called = [f'mmsign {name}', 'a', '--b']
    assert capsys.readouterr().out == f'1 __main__ {called}\n'


def test_the_shell_knows_the_interpreter(tmp_path):
    shell = tmp_path / 'quickstart.sh'
    shell.write_text('echo "$MMSIGN_PYTHON" "$PWD" "$@"')
    code = (
        'from pathlib import Path; from mmsign import cli; '
        f'cli.shipped = lambda path: Path({str(shell)!r}); '
        'cli.main(["quickstart", "--work-dir", "a b"])'
    )
    done = subprocess.run(
        [sys.executable, '-c', LIGHT + code],
        cwd=tmp_path,
        env=os.environ | dict(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )
    assert done.stdout == f'{sys.executable} {tmp_path} --work-dir a b\n', done.stderr


# The package alone takes seconds.
LIGHT = (
    'import sys, types; sys.modules["mmsign"] = types.ModuleType("mmsign"); '
    f'sys.modules["mmsign"].__path__ = [{str(ROOT / "mmsign")!r}]; '
)


def test_it_does_not_wait_for_pytorch():
    code = (
        'import sys, mmsign_command\n'
        'sys.argv = ["mmsign", "--help"]\n'
        'try: mmsign_command.main()\n'
        'except SystemExit as end: assert not end.code\n'
        'assert not {"torch", "mmengine", "numpy"} & sys.modules.keys()'
    )
    environment = os.environ | dict(PYTHONPATH=str(ROOT))
    subprocess.run([sys.executable, '-c', code], env=environment, check=True)
    assert importlib.util.find_spec('mmsign_command') is not None
