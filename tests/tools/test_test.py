"""``tools/test.py`` as a user runs it, on a network of 3 parameters."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tiny_run import TOOLS, TinyModel, load_tool, unique_name, write_config

import mmsign
from mmsign import compat
from mmsign.compat.checkpoints import TRUST_VARIABLE
from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError

tool = load_tool('test')


@pytest.fixture
def main(tmp_path, monkeypatch):
    """Run the tool in a folder with ``tiny.py`` and ``tiny.pth``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv(TRUST_VARIABLE, '')  # restored afterwards
    write_config(tmp_path)
    compat.write_checkpoint({'state_dict': TinyModel().state_dict()}, 'tiny.pth')

    def main(*arguments: str) -> dict[str, float]:
        name = ['--cfg-options', f'experiment_name={unique_name()}']
        with reported_errors():
            return tool.main(['tiny.py', *arguments, *name])

    return main


def test_metrics_and_predictions_are_written(main, tmp_path):
    metrics = main('tiny.pth', '--out', 'a b/m.json', '--dump', 'p.pkl')
    written = json.loads((tmp_path / 'a b' / 'm.json').read_text())
    assert written == pytest.approx(metrics) and written['clips'] == 5
    assert len(pickle.loads((tmp_path / 'p.pkl').read_bytes())) == 5
    assert (tmp_path / 'work_dirs' / 'tiny').is_dir()


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on the CPU only')
def test_two_processes_count_as_one_does(main, python, tmp_path):
    metrics = main('tiny.pth')
    support = Path(__file__).parents[1] / 'support'
    paths = [str(Path(mmsign.__file__).parents[1]), str(support)]
    command = ['bash', str(TOOLS / 'dist_test.sh'), 'tiny.py', 'tiny.pth', '2']
    done = subprocess.run(
        [*command, '--out', 'm.json'],
        cwd=tmp_path,
        env={
            **os.environ,
            'PYTHONPATH': os.pathsep.join(paths),
            'PYTHON': python,
            'PYTHON_EXEC': python,  # of the two processes
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    written = json.loads((tmp_path / 'm.json').read_text())
    assert written == pytest.approx(metrics, rel=1e-6)


def test_mistakes_end_in_one_sentence(main, capsys):
    for checkpoint, message in (
        ('gone.pth', 'error: checkpoint gone.pth does not exist'),
        ('tiny.py', 'error: tiny.py cannot be read as a checkpoint'),
    ):
        with pytest.raises(SystemExit) as caught:
            main(checkpoint)
        assert caught.value.code == 1 and message in capsys.readouterr().err


def test_the_checkpoint_of_a_work_folder(main, tmp_path, capsys):
    work = tmp_path / 'work'
    work.mkdir()
    with pytest.raises(SystemExit):
        main('work')
    assert 'no checkpoint in' in capsys.readouterr().err
    # Without a development split there is no best one.
    (tmp_path / 'tiny.pth').rename(work / 'epoch_2.pth')
    (work / 'last_checkpoint').write_text(str(work / 'epoch_2.pth'))
    assert main('work')['clips'] == 5


def test_foreign_checkpoints_must_be_trusted(main, capsys):
    torch.save({'state_dict': TinyModel().state_dict(), 'path': Path('x')}, 'tiny.pth')
    with pytest.raises(SystemExit):
        main('tiny.pth')
    assert '--trust-checkpoint' in capsys.readouterr().err
    assert main('tiny.pth', '--trust-checkpoint')['clips'] == 5


@pytest.mark.parametrize(
    ('options', 'name'),
    [
        (['--out', 'm.txt'], 'm.txt'),
        (['--out', 'annotations.json'], 'annotations.json'),
        (['--out', 'link.json'], 'link.json'),
        (['--dump', 'p.json'], 'p.json'),
        (['--dump', 'tiny.pth'], 'tiny.pth'),
        (['--show-dir', 'tiny.pth'], 'tiny.pth'),
        (['--out', 'tiny.pth/m.json'], 'tiny.pth/m.json'),
    ],
)
def test_outputs_are_looked_at_before_the_work(options, name, main, tmp_path, capsys):
    """None is an input, such as a file that the config names in its corpus."""
    write_config(tmp_path, extra="note = 'annotations.json'")
    read = tmp_path / 'data' / 'annotations.json'
    read.write_text('clips')
    os.symlink(read, 'annotations.json')
    os.link(read, 'link.json')
    checkpoint = (tmp_path / 'tiny.pth').read_bytes()
    with pytest.raises(SystemExit):
        main('tiny.pth', *options)
    assert name in capsys.readouterr().err
    assert read.read_text() == 'clips'
    assert (tmp_path / 'tiny.pth').read_bytes() == checkpoint


def test_the_config_that_was_given_stays_as_it_was(main, tmp_path):
    given = (tmp_path / 'tiny.py').read_text()
    main('tiny.pth', '--work-dir', '.')
    assert (tmp_path / 'tiny.py').read_text() == given
    assert Config.fromfile(tmp_path / 'tiny_run.py').load_from == 'tiny.pth'


def test_pictures_are_asked_for_with_any_config():
    args = tool.parse_args(
        ['c.py', 'c.pth', '--show-dir', 'seen', '--interval', '5', '--num-clips', '2']
    )
    plain = Config({'visualizer': None})
    tool.add_pictures(plain, args)
    expected = dict(
        type='SignVisualizationHook',
        enable=True,
        interval=5,
        num_clips=2,
        out_dir='seen',
        show=False,
        wait_time=2,
    )
    assert plain.default_hooks.visualization == expected
    assert plain.visualizer.type == 'SignVisualizer'
    # What the config says besides stays.
    settings = dict(visualization=dict(type='SignVisualizationHook', fps=30))
    visualizer = dict(type='SignVisualizer', font='x.ttf')
    own = Config(dict(default_hooks=settings, visualizer=visualizer))
    tool.add_pictures(own, args)
    assert own.default_hooks.visualization == expected | dict(fps=30)
    assert own.visualizer == visualizer


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--show-dir', 'x', '--interval', '0'], '--interval'),
        (['--show-dir', 'x', '--num-clips', '0'], '--num-clips'),
        (['--show'], '--show '),
    ],
)
def test_pictures_that_cannot_be_are_refused(options, message, monkeypatch):
    monkeypatch.setattr(tool, 'can_open_windows', lambda: False)
    args = tool.parse_args(['c.py', 'c.pth', *options])
    with pytest.raises(ConfigError, match=message):
        tool.add_pictures(Config({}), args)


def test_a_network_that_cannot_be_drawn_is_told(main, capsys):
    with pytest.raises(SystemExit):
        main('tiny.pth', '--show-dir', 'seen')
    assert 'TinyModel' in capsys.readouterr().err


def test_metrics_become_json(tmp_path):
    path = tmp_path / 'new' / 'm.json'
    metrics = {'b': np.float32(0.5), 'a': 3, 'c': torch.tensor(2.0)}
    tool.write_metrics(metrics, str(path))
    assert path.read_text() == '{\n  "a": 3,\n  "b": 0.5,\n  "c": 2.0\n}\n'


def test_only_an_ensemble_names_its_own_checkpoints():
    model = dict(type='TranslatorEnsemble', checkpoints=dict(video='v.pth'))
    tool.check_checkpoint(Config(dict(model=model)), None)
    with pytest.raises(ConfigError, match='TranslatorEnsemble'):
        tool.check_checkpoint(Config(dict(model=model)), 'v.pth')
    with pytest.raises(ConfigError):
        tool.check_checkpoint(Config(dict(model=dict(type='TinyModel'))), None)
