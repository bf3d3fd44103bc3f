"""Every config of the repository is read and its network is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config

import mmsign  # noqa: F401  registers the parts

CONFIGS = Path(__file__).parents[1] / 'configs'
EXPERIMENTS = sorted(CONFIGS.glob('*.py'))


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_it_builds(path):
    cfg = Config.fromfile(path)
    # The only thing that a corpus is needed for.
    cfg.model.vocab = dict(glosses=[f'G{index}' for index in range(1235)])
    model = MODELS.build(cfg.model)
    for stream in model.streams.values():
        assert stream.head.classifier.out_features == 1236
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
        'Adam',
        1e-3,
        1e-3,
    )
    assert tuple(optimizer.betas) == (0.9, 0.998)
    assert cfg.train_cfg.max_epochs == 40
    assert cfg.param_scheduler[0].type == 'CosineAnnealingLR'
    assert cfg.param_scheduler[0].T_max == 40
    assert cfg.train_dataloader.batch_size == 1
    assert cfg.model.decoder == dict(beam_width=5, merge_adjacent=True)


def test_nothing_is_written_twice():
    sizes = {}
    for path in EXPERIMENTS:
        text = path.read_text(encoding='utf-8')
        assert 'num_classes' not in text, path
        sizes[path.name] = len(text.splitlines())
    assert max(sizes.values()) < 70, sizes
