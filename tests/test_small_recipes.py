"""The recipes for few signers, on keypoints of three drawn ones."""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmsign.datasets import write_keypoints
from mmsign.engine.launch import OverrideAction, apply_overrides, load_config
from mmsign.registry import MODELS, TRANSFORMS
from mmsign.toy.render import render_sentence
from mmsign.toy.signers import Difficulty, signer_of

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT))
SIZE = 84, 104
SIGNERS = ('Anna', 'Ben', 'Carla')
GLOSSES = ('REGEN', 'WIND', 'SONNE', 'SCHNEE')
OPTIONS = (
    'signers.test=[Carla]',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    # A hundred updates must do.
    'model.keypoint.backbone.channels=64',
    'model.keypoint.backbone.dropout=0.1',
    'model.keypoint.head.dropout=0.1',
    'optim_wrapper.optimizer.lr=0.005',
    'default_hooks.checkpoint.max_keep_ckpts=1',
)


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    """Single signs and idle clips of three signers; sentences in `sentences.csv`."""
    root = tmp_path_factory.mktemp('corpus')
    poses, signs, sentences = {}, [], []
    for name in SIGNERS:
        signer, rng = signer_of(name, Difficulty.scaled(0)), np.random.default_rng(0)
        for take in range(4):
            split = 'dev' if take == 3 else 'train'
            for gloss in GLOSSES:
                clip = f'{name}-{gloss}-{take}'
                frames, poses[clip] = render_sentence([gloss], signer, SIZE, rng)
                signs.append([clip, gloss, name, split])
                (root / clip).mkdir()
                for index, frame in enumerate(frames):
                    cv2.imwrite(str(root / clip / f'{index:04d}.png'), frame)
            clip = f'{name}-idle-{take}'
            poses[clip] = np.repeat(poses[f'{name}-WIND-{take}'][:1], 16, axis=0)
            signs.append([clip, '', name, split])
        clip = f'{name}-sentence'
        poses[clip] = render_sentence(GLOSSES[:3], signer, SIZE, rng)[1]
        sentences.append([clip, ' '.join(GLOSSES[:3]), name, 'dev'])
    write_keypoints(root / 'keypoints.safetensors', poses, frame_size=SIZE)
    rest = sorted({*range(133)} - {0, 9, 10})
    for points in poses.values():
        points[:, rest, 2] = 0
    write_keypoints(root / 'tracks.safetensors', poses, frame_size=SIZE)
    trained = [row for row in signs if row[3] == 'train']
    for table, rows in dict(manifest=signs, sentences=trained + sentences).items():
        with open(root / f'{table}.csv', 'w', newline='') as file:
            csv.writer(file).writerows([['id', 'glosses', 'signer', 'split'], *rows])
    seen = [[row[0], row[0], *row[1:]] for row in signs if row[1]]
    with open(root / 'videos.csv', 'w', newline='') as file:
        header = ['id', 'video', 'glosses', 'signer', 'split']
        csv.writer(file).writerows([header, *seen])
    return root


def test_another_manifest_is_that_of_all_splits():
    cfg = load_config(str(ROOT / 'configs/keypoint_slr_spliced.py'))
    apply_overrides(cfg, dict(ann_file='other.csv'))
    parts = [cfg.train_dataloader.dataset.dataset, cfg.vocab]
    parts += [cfg[f'{split}_dataloader'].dataset for split in ('val', 'test')]
    assert {part.ann_file for part in parts} == {'other.csv'}


def options_of_the_comparison() -> list[str]:
    """Those of the table of docs/small_corpora.md, as a shell hands them on."""
    page = (ROOT / 'docs/small_corpora.md').read_text(encoding='utf-8')
    table = page.split('## What helped')[1].split('```')[0]
    given = re.findall(r'\| `([^`]+=[^`]*)` \|', table)
    assert len(given) > 5
    braces = re.compile(r'(\S*)\{(.*?)\}(\S*)')
    return [
        braces.sub(lambda m: ' '.join(m[1] + x + m[3] for x in m[2].split(',')), line)
        for line in given
    ]


@pytest.mark.parametrize('line', options_of_the_comparison())
def test_an_option_of_the_comparison_changes_the_recipe(line):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction)
    cfg = load_config(str(ROOT / 'configs/keypoint_slr_small.py'))
    for option in shlex.split(line):
        before = cfg.to_dict()
        given = parser.parse_args(['--cfg-options', option])
        apply_overrides(cfg, given.cfg_options)
        assert cfg.to_dict() != before, option
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for part in loader.dataset.pipeline:
            TRANSFORMS.build(part)
    MODELS.build(cfg.to_dict()['model'] | dict(vocab=dict(glosses=['A', 'B'])))


def train_and_test(python: str, config: str, work: Path, *options: str) -> dict:
    """The metrics of the last checkpoint on the test split."""
    given = ['--cfg-options', *OPTIONS, *options]
    folder = ['--work-dir', str(work)]
    metrics = work / 'metrics.json'
    path = f'configs/{config}.py'
    for script in (
        ['tools/train.py', path, *folder],
        ['tools/test.py', path, str(work), *folder, '--out', str(metrics)],
    ):
        done = subprocess.run(
            [python, *script, *given],
            cwd=ROOT,
            env=ENVIRONMENT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-3000:]
    return json.loads(metrics.read_text())


def test_a_signer_whom_nobody_has_seen_is_read(python, corpus, tmp_path):
    options = f'data_root={corpus}', 'max_epochs=2'
    found = train_and_test(python, 'keypoint_slr_small', tmp_path, *options)
    assert found['average/single_signs'] == 16 and found['average/idle_clips'] == 4
    assert found['average/accuracy@1'] > 60
    assert found['average/false_accepts'] < 50


def test_single_signs_train_a_recognizer_of_sentences(python, corpus, tmp_path):
    options = f'data_root={corpus}', 'ann_file=sentences.csv', 'max_epochs=2'
    found = train_and_test(python, 'keypoint_slr_spliced', tmp_path, *options)
    # Her single signs are tested with the sentence.
    assert found['average/reference_words'] == 12 + 3
    assert found['average/WER'] < 100


def test_hands_and_nose_alone(python, corpus, tmp_path):
    options = (
        f'data_root={corpus}',
        'keypoint_file=tracks.safetensors',
        'ann_file=sentences.csv',
        'model.keypoint.head.hidden_channels=64',
        'max_epochs=25',
    )
    found = train_and_test(python, 'keypoint_slr_tracks', tmp_path, *options)
    assert found['average/reference_words'] == 12 + 3
    assert found['average/WER'] < 100


def test_both_streams(python, corpus, tmp_path):
    options = (
        f'data_root={corpus}',
        'ann_file=videos.csv',
        'max_epochs=1',
        'train_dataloader.sampler.at_least=1',
        'model.video.backbone.width=0.125',
    )
    found = train_and_test(python, 'twostream_slr_small', tmp_path, *options)
    outputs = {key.split('/')[0] for key in found}
    assert outputs >= {'video', 'keypoint', 'joint', 'average'}
