"""Files that the version before wrote still open and give what they gave then.

``tests/data/previous`` says what they are. The expected numbers were computed by that
version.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_run import load_tool, unique_name

from mmsign.apis import SignInferencer, open_network
from mmsign.datasets.io.feature_file import FeatureFile
from mmsign.datasets.io.frame_sources import open_frames
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.structures import SignDataSample

ROOT = Path(__file__).parents[1]
PREVIOUS = Path('tests/data/previous')  # as the configs name it
CONFIGS = [PREVIOUS / 'twostream.py', PREVIOUS / 'run' / 'twostream.py']
CHECKPOINT = PREVIOUS / 'run' / 'epoch_2.pth'
OUTPUTS = ('video', 'keypoint', 'joint', 'average')
FRAMES = 24


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv('LOCAL_RANK', '0')


@pytest.fixture(scope='module')
def expected():
    return np.load(ROOT / PREVIOUS / 'expected.npz')


@pytest.fixture
def keypoints():
    return KeypointFile(PREVIOUS / 'corpus' / 'keypoints.safetensors')


def frames_of(clip: str):
    return open_frames(f'{PREVIOUS}/corpus/pack.zip@{clip}')


def random_clip() -> tuple[dict, list]:
    """What the network gets after the data preprocessor."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.random((1, *shape), dtype=np.float32))

    sample = SignDataSample(metainfo=dict(clip_id='random', length=FRAMES))
    inputs = dict(video=draw(3, FRAMES, 32, 32), heatmaps=draw(79, FRAMES, 16, 16))
    return inputs, [sample]


def test_keypoint_file(keypoints, expected):
    assert keypoints.layout == 'coco_wholebody_133'
    assert keypoints.frame_size == (48, 60)
    assert keypoints.clip_ids == ['dev-0', 'train-0', 'train-1']
    np.testing.assert_array_equal(keypoints.read('dev-0')[::8], expected['keypoints'])


def test_frame_pack(expected):
    source = frames_of('dev/dev-0')
    assert (len(source), source.frame_size) == (FRAMES, (32, 40))
    assert source.source_size == (48, 60)
    means = np.stack([frame.mean((0, 1)) for frame in source])
    # Decoders of JPEG round differently.
    np.testing.assert_allclose(means, expected['frame_means'], atol=1)


def test_feature_file(expected):
    file = FeatureFile(PREVIOUS / 'features.safetensors')
    views = ['dev-0', 'train-0', 'train-0#1', 'train-1', 'train-1#1']
    assert sorted(file.clip_ids) == views
    for name in ('dev-0', 'train-0#1'):
        found = file.read(name)
        np.testing.assert_array_equal(found.streams['keypoint'], expected[name])
        np.testing.assert_array_equal(
            found.frame_indices, expected[f'frame_indices/{name}']
        )
    assert found.num_frames == expected['num_frames']


@pytest.mark.parametrize('config', CONFIGS, ids=['own', 'of the run'])
def test_config_and_checkpoint(config, expected):
    network = open_network(config, CHECKPOINT, device='cpu').model
    assert list(network.vocab.glosses) == ['SONNE', 'STARK', 'WENIG', 'WIND']
    with torch.no_grad():
        outputs = network(*random_clip(), mode='tensor')
    for name in OUTPUTS:
        np.testing.assert_allclose(outputs[name], expected[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize('config', CONFIGS, ids=['own', 'of the run'])
def test_a_run_is_tested(config, tmp_path):
    metrics = load_tool('test').main(
        [str(config), str(CHECKPOINT), '--work-dir', str(tmp_path)]
        + ['--cfg-options', f'experiment_name={unique_name()}']
    )
    assert [metrics[f'{name}/WER'] for name in OUTPUTS] == [0, 0, 0, 0]
    assert metrics['average/reference_words'] == 2


@pytest.mark.slow
def test_a_run_is_resumed(tmp_path):
    load_tool('train').main(
        [str(CONFIGS[0]), '--work-dir', str(tmp_path), '--resume', str(CHECKPOINT)]
        + ['--cfg-options', f'experiment_name={unique_name()}']
        + ['train_cfg.max_epochs=3', 'param_scheduler.0.end=3']
    )
    assert (tmp_path / 'epoch_3.pth').is_file()


def test_bundle(expected):
    recognize = SignInferencer(bundle=PREVIOUS / 'video.bundle', device='cpu')
    result = recognize(frames_of('train/train-0').read(range(23)))
    assert result.gloss_sequence == ('WIND', 'WENIG')
    with torch.no_grad():
        inputs, samples = random_clip()
        inputs = dict(video=inputs['video'])
        outputs = recognize.network.model(inputs, samples, mode='tensor')
    np.testing.assert_allclose(
        outputs['video'], expected['video.bundle'], rtol=0, atol=1e-4
    )


def test_bundle_that_translates(keypoints, expected):
    for package in ('transformers', 'sentencepiece'):
        pytest.importorskip(package)
    recognize = SignInferencer(bundle=PREVIOUS / 'translation.bundle', device='cpu')
    points = keypoints.read('train-1')
    clip = np.zeros((len(points), 60, 48, 3), np.uint8)
    result = recognize(clip, keypoints=points)
    assert result.gloss_sequence == ('SONNE', 'STARK')
    assert result.score == pytest.approx(float(expected['score']), abs=1e-3)
    assert result.sentence == 'kräftig sonne gibt es .'
    # The features of the corpus are this network's.
    features = FeatureFile(PREVIOUS / 'features.safetensors')
    assert recognize.network.model.network_fingerprint() == features.network
