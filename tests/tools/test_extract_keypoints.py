import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from grey_video import write_video
from pose_recipes import Brightness

import mmsign.pose
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

    monkeypatch.setattr(mmsign.pose, 'PoseRecipe', recipe)
    return asked


def test_writes_the_keypoints_of_a_folder(tool, videos, tmp_path, standin, capsys):
    out = tmp_path / 'out.safetensors'
    arguments = [videos, str(out), '--device=cpu', '--no-flip', '--box=1,2,30,40']
    assert tool.main(arguments) == 0
    assert KeypointFile(out).read('a').shape == (2, 133, 3)
    assert capsys.readouterr().out.endswith(f'{out}: 3 of 3 clips\n')
    (asked,) = standin
    assert asked['estimator'] == 'hrnet' and asked['checkpoint'] is None
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
    ('device', 'workers', 'gpus', 'expected'),
    [
        (None, None, 0, ['cpu']),
        (None, 2, 0, ['cpu', 'cpu']),
        ('cpu', 3, 2, ['cpu'] * 3),
        (None, None, 2, ['cuda:0', 'cuda:1']),
        (None, 3, 2, ['cuda:0', 'cuda:1', 'cuda:0']),
    ],
)
def test_processes_are_dealt_to_the_gpus_in_turn(tool, device, workers, gpus, expected):
    assert tool.choose_devices(device, workers, gpus) == expected


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


def test_a_run_with_onnx(tool, videos, tmp_path, capsys):
    """The whole way, with networks that see lights."""
    for package in ('onnx', 'onnxruntime'):
        pytest.importorskip(package)
    from onnx_networks import RED_POINTS, lights, write_detector, write_pose

    places = [((40, 30), (60, 50)), ((41, 31), (61, 51))]
    frames = np.stack([lights(*where) for where in places])
    for name in ('a', 'b'):
        folder = tmp_path / 'clips' / name
        folder.mkdir(parents=True)
        for number, frame in enumerate(frames):
            cv2.imwrite(f'{folder}/{number}.png', frame)
    out = tmp_path / 'out.safetensors'
    pose = write_pose(tmp_path / 'end2end.onnx')
    detector = write_detector(tmp_path / 'yolox.onnx')
    arguments = ['--estimator=rtmw', f'--checkpoint={pose}']
    arguments += ['--box=detector', f'--detector-checkpoint={detector}', '--device=cpu']
    assert tool.main([str(tmp_path / 'clips'), str(out), *arguments]) == 0
    file = KeypointFile(out)
    assert file.clip_ids == ['a', 'b'] and file.layout == 'coco_wholebody_133'
    assert file.estimator == 'rtmw-l_8xb320-270e_cocktail14-384x288'
    for clip in 'ab':
        points = file.read(clip)
        for number, (red, blue) in enumerate(places):
            assert abs(points[number, :RED_POINTS, :2] - red).max() < 1
            assert abs(points[number, RED_POINTS:, :2] - blue).max() < 1
    capsys.readouterr()
    assert tool.main([str(tmp_path / 'clips'), str(out), *arguments]) == 0
    assert '2 of 2 clips are there already' in capsys.readouterr().out
    # Without the detector the points would be others.
    with pytest.raises(SystemExit):
        tool.main([str(tmp_path / 'clips'), str(out), *arguments[:2]])


def test_a_file_that_is_no_pose_network_is_named(tool, videos, tmp_path, capsys):
    pytest.importorskip('onnxruntime')
    path = tmp_path / 'text.onnx'
    path.write_text('no network')
    out = tmp_path / 'out.safetensors'
    with pytest.raises(SystemExit) as ended:
        tool.main([videos, str(out), f'--estimator={path}', '--device=cpu'])
    assert ended.value.code != 0 and not out.exists()
    assert f'{path} is no pose network' in capsys.readouterr().err


def test_mediapipe_estimates_a_corpus(tool, tmp_path, monkeypatch):
    """Whose models are opened once, and whose points are the 79."""
    opened = []

    class Tracker:
        def __init__(self, static_image_mode):
            opened.append(self)

        def process(self, rgb):
            landmark = SimpleNamespace(x=0.5, y=0.25, visibility=0.9)
            hand = SimpleNamespace(landmark=[landmark] * 21)
            return SimpleNamespace(right_hand_landmarks=hand)

    package = ModuleType('mediapipe')
    package.solutions = SimpleNamespace(holistic=SimpleNamespace(Holistic=Tracker))
    monkeypatch.setitem(sys.modules, 'mediapipe', package)
    rows = ['id,video,glosses,split']
    for name, split in (('a', 'train'), ('b', 'dev')):
        write_video(tmp_path / 'corpus' / f'{name}.avi', [100, 120])
        rows.append(f'{name},{name}.avi,HELLO,{split}')
    (tmp_path / 'corpus' / 'manifest.csv').write_text('\n'.join(rows) + '\n')
    out = tmp_path / 'out.safetensors'
    assert tool.main([str(tmp_path / 'corpus'), str(out), '--estimator=mediapipe']) == 0
    file = KeypointFile(out)
    assert file.clip_ids == ['a', 'b'] and len(opened) == 1
    assert (file.layout, file.estimator) == ('mmsign_79', 'mediapipe-holistic')
    assert (file.read('b')[..., 2] > 0).sum() == 2 * 21
