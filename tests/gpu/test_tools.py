"""The tools on a GPU: train, resume, test, infer, live; bundles go on to a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_network import keypoints_of, random_frames, write_network
from tiny_run import load_tool

from mmsign import compat
from mmsign.apis import LiveRecognizer, SignInferencer, open_network, write_bundle
from mmsign.toy.corpus import invent_sentences, write_corpus

CONFIGS = Path(__file__).parents[2] / 'configs'
SMALL = (
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'model.video.backbone.width=0.125',
    'model.keypoint.backbone.width=0.125',
)


@pytest.fixture(scope='module')
def toy(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('toy')
    sentences = invent_sentences(dict(train=8, dev=2, test=2), 0, seed=0)
    write_corpus(root, sentences, 'phoenix2014T', (42, 52), seed=0, workers=1)
    return root


def test_training_resuming_and_testing(toy, tmp_path):
    train, test = load_tool('train'), load_tool('test')
    config = str(CONFIGS / 'twostream_slr_toy.py')
    options = ['--cfg-options', f'data_root={toy}', *SMALL]
    work = ['--work-dir', str(tmp_path)]
    epochs = 'train_cfg.max_epochs={}', 'train_cfg.val_interval={}'
    for count in (1, 2):
        more = [text.format(count) for text in epochs]
        train.main([config, '--resume', '--amp', *work, *options, *more])
        assert (tmp_path / f'epoch_{count}.pth').is_file()
    out = tmp_path / 'metrics.json'
    checkpoint = str(tmp_path / 'epoch_2.pth')
    test.main([config, checkpoint, '--out', str(out), *work, *options])
    metrics = json.loads(out.read_text())
    assert 0 <= metrics['average/WER'] <= 200


def test_training_with_cuda_graphs(cuda, toy, tmp_path):
    train = load_tool('train')
    config = str(CONFIGS / 'twostream_slr_toy.py')
    options = [f'data_root={toy}', *SMALL, 'model.data_preprocessor.pad_multiple=32']
    options += ['train_cfg.max_epochs=2', 'train_cfg.val_interval=2']
    options += ["custom_hooks=[dict(type='CudaGraphsHook')]"]
    train.main(
        [config, '--amp', '--work-dir', str(tmp_path), '--cfg-options', *options]
    )
    assert (tmp_path / 'epoch_2.pth').is_file()


def test_clips_bundles_and_streams(device, tmp_path):
    files = write_network(tmp_path)
    frames, poses = random_frames(24), keypoints_of(24)
    network = open_network(*files, device=device)
    bundle = tmp_path / 'a.bundle'
    write_bundle(bundle, network, 'for tests only')
    results = [
        SignInferencer(*files, device=device)(frames, poses),
        SignInferencer(bundle=bundle, device=device)(frames, poses),
        SignInferencer(bundle=bundle, device='cpu')(frames, poses),
    ]
    assert len({result.gloss_sequence for result in results}) == 1
    assert results[0].glosses
    np.testing.assert_allclose(results[0].score, results[2].score, atol=0.05)
    fast = SignInferencer(*files, device=device, fast=True)(frames, poses)
    assert fast.error is None
    live = LiveRecognizer(network, window=32, hop=16, cut_probability=1.0)
    *_, event = live.run(frames, poses)
    assert tuple(gloss.symbol for gloss in event.final) == results[0].gloss_sequence


def test_the_device_is_found():
    expected = 'cuda' if torch.cuda.is_available() else 'cpu'
    assert compat.choose_device().type == expected
