"""Every translation config is read and its network is built, small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_mbart import mbart_config

import mmsign  # noqa: F401  registers the parts
from mmsign.engine.launch import apply_overrides
from mmsign.registry import MODELS, TRANSFORMS

CONFIGS = Path(__file__).parents[1] / 'configs'
EXPERIMENTS = sorted([*CONFIGS.glob('*_slt_*.py'), *CONFIGS.glob('g2t_*.py')])
CORPORA = {'phoenix2014T': 'de_DE', 'csl': 'zh_CN', 'toy': 'de_DE'}
VARIANTS = [
    'singlestream_slt',
    *('twostream_slt', 'twostream_slt_e2e', 'ensemble_slt'),
    *(f'twostream_slt_{head}' for head in 'vkj'),
]


def load(name: str) -> Config:
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    cfg.model.vocab = dict(glosses=['A', 'B'])
    return cfg


def shrink(mbart: dict) -> dict:
    """The arguments of an ``MBart`` with random weights and a tiny vocabulary."""
    own = {'language', 'frozen_embeddings', 'max_length'}
    return mbart_config(**{k: v for k, v in mbart.items() if k in own})


def test_every_variant_of_every_corpus_is_there():
    names = {path.stem for path in EXPERIMENTS}
    expected = {f'{variant}_{corpus}' for variant in VARIANTS for corpus in CORPORA}
    assert names - expected == {
        *('g2t_mbart_phoenix2014T', 'g2t_mbart_csl'),
        *('g2t_phoenix2014T', 'g2t_toy'),
    }


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_it_builds(path):
    cfg = load(path.stem)
    corpus = path.stem.split('_')[-1]
    translator = cfg.model.get('translator', cfg.model)
    mbarts = [head.mbart for head in translator.get('translation', {}).values()]
    for mbart in mbarts or [cfg.model.mbart]:
        assert mbart.language == CORPORA[corpus]
        # A directory of its own for each corpus.
        assert corpus in (mbart.get('folder') or mbart.vocabulary)
    # Heads may share one object.
    tiny = [shrink(mbart) for mbart in mbarts]
    for mbart, small in zip(mbarts, tiny):
        mbart.clear()
        mbart.update(small)
    outputs = set(translator.get('translation', ['gloss']))
    # The others differ from these in a part or two of the same kinds.
    if path.stem.split('_')[:-1] in (['twostream', 'slt'], ['singlestream', 'slt']):
        with torch.device('meta'):
            built = MODELS.build(translator | dict(vocab=cfg.model.vocab))
        assert set(built.translation) == outputs
    best, metric = cfg.default_hooks.checkpoint.save_best.split('/')
    assert (metric, cfg.default_hooks.checkpoint.rule) == ('BLEU-4', 'greater')
    assert best in outputs | ({'ensemble'} if len(outputs) > 1 else set())
    assert 'TranslationCheckHook' in [hook.type for hook in cfg.custom_hooks]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            TRANSFORMS.build(step)
    if cfg.optim_wrapper.get('paramwise_cfg'):
        # Or the tied output layer of mBART is refused by the optimizer.
        assert cfg.optim_wrapper.paramwise_cfg.bypass_duplicate


@pytest.mark.parametrize('corpus', CORPORA)
def test_one_option_reaches_every_place(corpus):
    cfg = load(f'twostream_slt_{corpus}')
    apply_overrides(cfg, dict(feature_file='f', g2t_checkpoint='g', data_root='/r'))
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        (load_features,) = dataset.pipeline
        assert load_features.feature_file == 'f'
        # The toy corpus is small: its training clips are seen in random views.
        views = load_features.get('views', 0)
        assert (views > 0) == (corpus == 'toy' and split == 'train')
        assert dataset.data_root == '/r'
    heads = cfg.model.translation
    assert set(heads) == {'video', 'keypoint', 'joint'}
    assert {head.g2t_checkpoint for head in heads.values()} == {'g'}


def test_the_rates_of_the_paper():
    cfg = load('twostream_slt_v_phoenix2014T')
    assert cfg.optim_wrapper.optimizer.lr == 1e-3
    keys = cfg.optim_wrapper.paramwise_cfg.custom_keys
    assert keys == dict(mapper=dict(lr_mult=0.01), mbart=dict(lr_mult=0.01))
    g2t = load('g2t_mbart_phoenix2014T')
    assert (g2t.optim_wrapper.optimizer.lr, g2t.train_cfg.max_epochs) == (1e-5, 80)
    assert g2t.model.mbart.frozen_embeddings
    assert g2t.train_dataloader.batch_size == cfg.train_dataloader.batch_size == 8


def test_scores_of_glosses_are_not_smoothed_as_losses():
    pattern = load('g2t_toy').log_processor.mean_pattern
    smoothed = ['loss', 'loss_ctc_video', 'time', 'data_time', 'grad_norm']
    for key in [*smoothed, 'gloss/BLEU-4', 'lr']:
        assert bool(re.search(pattern, key)) == (key in smoothed), key


def test_an_ensemble_has_the_translator_of_its_members():
    cfg, member = load('ensemble_slt_csl'), load('twostream_slt_csl')
    assert cfg.model.translator.translation == member.model.translation
    assert cfg.model.translator.recognizer == member.model.recognizer
    assert cfg.model.checkpoints == {
        name: f'work_dirs/twostream_slt_{name[0]}_csl'
        for name in ('video', 'keypoint', 'joint')
    }
