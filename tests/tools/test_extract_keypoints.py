import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from grey_video import write_video
from pose_recipes import Brightness

import mmsign.pose.extraction
import mmsign.pose.openmmlab
from mmsign.datasets import KeypointFile

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'data' / 'extract_keypoints.py'
    spec = importlib.util.spec_from_file_location('extract_keypoints', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def videos(tmp_path):
    for name in ('a', 'b', 'c'):
        write_video(tmp_path / 'videos' / f'{name}.avi', [100, 120])
    return str(tmp_path / 'videos')


@pytest.fixture
def standin(monkeypatch):
    """Another estimator in MMPose's place; what it was asked for."""
    asked = []

    def recipe(**options):
        asked.append(options)
        return Brightness()

    monkeypatch.setattr(mmsign.pose.extraction, 'PoseRecipe', recipe)
    monkeypatch.setattr(mmsign.pose.openmmlab, 'import_package', lambda name: None)
    return asked


def test_writes_the_keypoints_of_a_folder(tool, videos, tmp_path, standin, capsys):
    out = tmp_path / 'out.safetensors'
    arguments = [videos, str(out), '--device=cpu', '--no-flip', '--box=1,2,30,40']
    assert tool.main(arguments) == 0
    assert KeypointFile(out).read('a').shape == (2, 133, 3)
    assert capsys.readouterr().out.endswith(f'{out}: 3 of 3 clips\n')
    (asked,) = standin
    assert asked['config'] == 'hrnet' and asked['checkpoint'] is None
    assert asked['flip'] is False and asked['box'] == '1,2,30,40'


def test_shards_write_files_of_their_own(tool, videos, tmp_path, standin):
    out = tmp_path / 'out.safetensors'
    for shard in ('1/2', '2/2'):
        assert tool.main([videos, str(out), '--device=cpu', f'--shard={shard}']) == 0
    held = [
        KeypointFile(tmp_path / f'out.{i}-of-2.safetensors').clip_ids for i in (1, 2)
    ]
    assert held == [['a', 'c'], ['b']]
    assert not out.exists()


def test_a_bad_clip_is_named_at_the_end(tool, videos, tmp_path, standin, capsys):
    Path(videos, 'b.avi').write_bytes(b'damaged')
    out = tmp_path / 'out.safetensors'
    assert tool.main([videos, str(out), '--device=cpu']) == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0] == '1 clips could not be done:' and error[1].startswith('  b: ')
    assert KeypointFile(out).clip_ids == ['a', 'c']


def test_without_mmpose_nothing_is_written(tool, videos, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'mmpose', None)
    with pytest.raises(SystemExit) as ended:
        tool.main([videos, str(tmp_path / 'out.safetensors')])
    assert ended.value.code != 0
    assert 'tools/install_pose.sh' in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ['videos']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['absent', 'out.safetensors'], 'absent does not exist'),
        (['VIDEOS', 'out.safetensors', '--workers=0'], '--workers must be 1 or more'),
        (['VIDEOS', 'out.safetensors', '--batch-size=0'], '--batch-size must be 1'),
        (['VIDEOS', 'out.safetensors', '--shard=3/2'], "shard '3/2'"),
        (['VIDEOS', 'out.pkl'], 'the output out.pkl'),
    ],
)
def test_mistakes_are_told_in_a_line(
    tool, videos, arguments, message, standin, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        tool.main([videos if a == 'VIDEOS' else a for a in arguments])
    assert ended.value.code != 0
    assert f'error: {message}' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('device', 'workers', 'expected'),
    [(None, None, ['cpu']), (None, 2, ['cpu', 'cpu']), ('cpu', 3, ['cpu'] * 3)],
)
def test_devices_without_a_gpu(tool, device, workers, expected, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert tool.choose_devices(device, workers) == expected


def test_processes_are_dealt_to_the_gpus_in_turn(tool, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    assert tool.choose_devices(None, None) == ['cuda:0', 'cuda:1']
    assert tool.choose_devices(None, 3) == ['cuda:0', 'cuda:1', 'cuda:0']


def test_a_run_with_mmpose(tool, videos, tmp_path):
    """The whole way, where MMPose is installed; weights are random."""
    pytest.importorskip('mmpose.models', reason='MMPose is missing')
    out = tmp_path / 'out.safetensors'
    video = str(Path(videos, 'a.avi'))
    arguments = [video, str(out), '--random-weights', '--device=cpu', '--model=fast']
    assert tool.main(arguments) == 0
    points = KeypointFile(out).read('a')
    assert points.shape == (2, 133, 3) and np.isfinite(points).all()
    settings = json.loads((tmp_path / 'out.safetensors.settings.json').read_text())
    assert settings['checkpoint'] == 'random'
