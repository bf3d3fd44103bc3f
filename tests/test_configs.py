"""Every config of the repository is read and its network is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

import mmsign  # noqa: F401  registers the parts
from mmsign.engine.launch import apply_overrides
from mmsign.models.stages.contract import without_values
from mmsign.registry import MODELS, TRANSFORMS

CONFIGS = Path(__file__).parents[1] / 'configs'
# Those of translation have a test of their own.
EXPERIMENTS = sorted(
    path
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.parts
    and '_slt_' not in path.name
    and not path.name.startswith('g2t_')
)


def name_of(path: Path) -> str:
    return str(path.relative_to(CONFIGS).with_suffix(''))


@pytest.mark.parametrize('path', EXPERIMENTS, ids=name_of)
def test_it_builds(path):
    cfg = Config.fromfile(path)
    # The only thing that a corpus is needed for.
    cfg.model.vocab = dict(glosses=[f'G{index}' for index in range(1235)])
    # Shapes are all that is looked at: no memory, no initial values.
    model = without_values(lambda: MODELS.build(cfg.model))
    for head in model.heads.values():
        assert head.classifier.out_features == 1236
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            TRANSFORMS.build(step)
    # The best checkpoint is chosen by the average alone.
    assert cfg.default_hooks.checkpoint.save_best == 'average/WER'
    assert cfg.default_hooks.checkpoint.rule == 'less'


def test_the_recipe_of_the_paper():
    cfg = Config.fromfile(CONFIGS / 'twostream_slr_phoenix.py')
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == (
        'FusedAdam',
        1e-3,
        1e-3,
    )
    assert tuple(optimizer.betas) == (0.9, 0.998)
    assert cfg.train_cfg.max_epochs == 40
    assert cfg.param_scheduler[0].type == 'CosineAnnealingLR'
    # As long as the training.
    assert not cfg.param_scheduler[0].keys() & {'T_max', 'end'}
    assert cfg.total_batch_size == cfg.auto_scale_lr.base_batch_size == 8
    assert cfg.model.decoder == dict(beam_width=5, merge_adjacent=True)


def test_nothing_is_written_twice():
    sizes = {}
    for path in EXPERIMENTS:
        text = path.read_text(encoding='utf-8')
        assert 'num_classes' not in text, path
        sizes[name_of(path)] = len(text.splitlines())
    assert max(sizes.values()) < 70, sizes


CORPORA = {
    'phoenix': ('Phoenix2014Dataset', 8.0, 1.0),
    'phoenix2014si5': ('Phoenix2014SI5Dataset', 8.0, 1.0),
    'phoenix2014T': ('Phoenix2014TDataset', 8.0, 1.0),
    'folder': ('SignFolderDataset', None, 1.0),
    'csl': ('CSLDailyDataset', 8.0 * 512 / 170, 270 / 320),
}


@pytest.mark.parametrize('corpus', CORPORA)
@pytest.mark.parametrize('streams', ['video', 'keypoint', 'twostream'])
def test_recognition_on_the_corpora(streams, corpus):
    dataset, sigma, crop = CORPORA[corpus]
    cfg = Config.fromfile(CONFIGS / f'{streams}_slr_{corpus}.py')
    apply_overrides(cfg, dict(data_root='/r', frames='f.zip', ann_file='a.{split}'))
    for split in ('train', 'val', 'test'):
        part = cfg[f'{split}_dataloader'].dataset
        assert part.type == dataset and part.split == split.replace('val', 'dev')
        assert (part.data_root, part.frames, part.ann_file) == (
            '/r',
            'f.zip',
            'a.{split}',
        )
        steps = {step.type: step for step in part.pipeline}
        crops = steps.keys() & {'ClipRandomCrop', 'ClipCenterCrop'}
        assert crops == {'ClipRandomCrop' if split == 'train' else 'ClipCenterCrop'}
        assert bool(part.get('test_mode')) == (split != 'train')
    assert steps['ClipCenterCrop'].get('fraction', 1.0) == crop
    # Signs that are signed twice are lost only where the published numbers need it.
    assert cfg.model.decoder.merge_adjacent == (corpus != 'folder')
    apply_overrides(cfg, dict(merge_adjacent='x'))
    assert cfg.model.decoder.merge_adjacent == 'x'
    assert cfg.model.vocab == dict(
        dataset=dataset, data_root='/r', ann_file='a.{split}'
    )
    preprocessor = cfg.model.data_preprocessor
    assert ('DecodeClip' in steps) == ('video_size' in preprocessor)
    assert preprocessor.get('sigma', sigma) == sigma
    assert ('sigma' in preprocessor) == (streams != 'video')
