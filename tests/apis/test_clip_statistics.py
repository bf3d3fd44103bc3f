from __future__ import annotations

import numpy as np
import pytest
from mmengine.config import Config
from tiny_network import write_network
from tiny_signing import REST, signing, signing_statistics
from tiny_video import write_video

from mmsign.apis import open_network, read_bundle, write_bundle
from mmsign.apis.clip_statistics import (
    ClipStatistics,
    clip_statistics_of,
    measure_clip_statistics,
)
from mmsign.datasets import write_keypoints

CLIPS = ['rmmmmmmr', 'rrmmmmmmmmmr', 'rrrmmmmmmmmmmmmmmrrr', 'rrmmmomwmmrr']


def test_clips_that_begin_and_end_at_rest():
    found = clip_statistics_of([signing(plan) for plan in CLIPS])
    assert (found.shortest, found.median, found.longest) == (8, 12, 20)
    np.testing.assert_allclose(found.rest.wrists, REST.wrists, atol=1e-4)
    # Resting frames at the eight ends: 1 1 2 1 3 3 2 2.
    assert found.rest.frames == 2
    assert 0.05 < found.rest.radius < 0.8
    plan = 'rrmmrrommnwwm11rr'
    resting = found.rest.resting(signing(plan))
    #        rrmmrrommnwwm11rr
    expected = '11001100011101111'
    assert ''.join(map(str, resting.astype(int))) == expected


def test_clips_that_rest_for_long():
    plans = [*CLIPS, 'rrrmmmmrrrrrrrr', 'rrrrrrrmmmmmrrrrr', 'rrrrrrrrrr']
    found = clip_statistics_of([signing(plan) for plan in plans])
    np.testing.assert_allclose(found.rest.wrists, REST.wrists, atol=1e-4)
    assert clip_statistics_of([signing('rrrrrr')] * 3).rest is None


def test_what_cannot_be_seen_stays_as_it_was():
    assert REST.resting(signing('wwmww'), before=True).tolist() == [1, 1, 0, 0, 0]
    assert REST.resting(signing('ww'), before=False).tolist() == [0, 0]


def test_clips_cut_out_of_signing_have_no_rest():
    found = clip_statistics_of([signing('mmmmmmmmm'[i:]) for i in range(3)])
    assert found.rest is None and found.longest == 9
    # Nor is there one if hands rest in the middle as often as at the ends.
    assert clip_statistics_of([signing('rmrrmrrmr')] * 3).rest is None


def test_they_are_plain_data():
    for ours in (signing_statistics(), ClipStatistics(3, 5, 9, None)):
        assert ClipStatistics.from_dict(ours.to_dict()) == ours
    for values in (
        {},
        dict(signing_statistics().to_dict(), rest=dict(radius=1)),
        dict(shortest=3),
    ):
        with pytest.raises(ValueError, match=r'corpus\.signing is not as expected'):
            ClipStatistics.from_dict(values)


@pytest.fixture
def corpus(phoenix_tree, tmp_path):
    """Config of a network, with training clips that begin and end at rest."""
    config, checkpoint = write_network(tmp_path, ['keypoint'])
    cfg = Config.fromfile(config)
    dataset = dict(
        type='Phoenix2014TDataset',
        data_root=str(phoenix_tree),
        split='train',
        keypoint_file=str(tmp_path / 'k.safetensors'),
    )
    cfg.train_dataloader = dict(dataset=dict(type='RepeatDataset', dataset=dataset))
    return cfg, checkpoint


@pytest.mark.slow
def test_the_training_clips_of_a_config(corpus, phoenix_tree, tmp_path):
    cfg, checkpoint = corpus
    assert measure_clip_statistics(cfg) is None  # no keypoints there
    names = [row.split('|')[0] for row in _rows(phoenix_tree)]
    plans = dict(zip(names, CLIPS * len(names)))
    points = {name: _133(signing(plan)) for name, plan in plans.items()}
    write_keypoints(tmp_path / 'k.safetensors', points)
    found = measure_clip_statistics(cfg)
    assert found == clip_statistics_of([signing(plan) for plan in plans.values()])
    assert found.rest is not None
    # A network knows them, and so does its bundle.
    network = open_network(cfg, checkpoint, device='cpu')
    assert network.statistics == found
    write_bundle(tmp_path / 'a.bundle', network)
    assert read_bundle(tmp_path / 'a.bundle').spec == network.spec
    # The config may say otherwise.
    cfg.corpus.signing = None
    assert open_network(cfg, checkpoint, device='cpu').statistics is None


@pytest.mark.parametrize('rate', [12.5, 25.0, 50.0])
def test_clips_are_measured_at_the_rate_of_training(rate, tmp_path):
    plans = dict(a='r' * 4 + 'm' * 24 + 'r' * 4, b='r' * 4 + 'm' * 32 + 'r' * 4)
    rows = [f'{name},{name}.mp4,A,train' for name in plans]
    manifest = '\n'.join(['id,video,glosses,split', *rows])
    (tmp_path / 'manifest.csv').write_text(manifest + '\n')
    for name, plan in plans.items():
        write_video(tmp_path / f'{name}.mp4', len(plan), fps=rate)
    points = {name: _133(signing(plan)) for name, plan in plans.items()}
    write_keypoints(tmp_path / 'k.safetensors', points)
    dataset = dict(
        type='SignFolderDataset',
        data_root=str(tmp_path),
        split='train',
        keypoint_file='k.safetensors',
        fps=25.0,
    )
    found = measure_clip_statistics(
        Config(dict(train_dataloader=dict(dataset=dataset)))
    )
    assert (found.shortest, found.longest) == (32 * 25 / rate, 40 * 25 / rate)
    assert found.rest.frames == 4 * 25 / rate


def test_a_config_without_training_clips(corpus):
    cfg, _ = corpus
    del cfg.train_dataloader.dataset.dataset['keypoint_file']
    assert measure_clip_statistics(cfg) is None
    assert measure_clip_statistics(Config(dict(model={}))) is None


def _rows(tree) -> list[str]:
    table = tree / 'annotations/manual/PHOENIX-2014-T.train.corpus.csv'
    return table.read_text(encoding='utf-8').splitlines()[1:]


def _133(points: np.ndarray) -> np.ndarray:
    whole = np.zeros((len(points), 133, 3), np.float32)
    whole[:, :11] = points[:, 68:]
    return whole
