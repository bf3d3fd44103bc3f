import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmsign import compat
from mmsign.engine.launch import apply_overrides, keep_signers
from mmsign.errors import ConfigError

CONFIGS = Path(__file__).parents[3] / 'configs'
# A config of somebody's own, with numbers where ours have none.
OWN = """
max_epochs = 10
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_begin=8, val_interval=10)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=10),
    dict(type='MultiStepLR', milestones=[7, 9], by_epoch=True, end=9),
    dict(type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True, end=10)]
"""
CHILD = "_base_ = ['own.py']\n"


@pytest.fixture
def read(tmp_path):
    (tmp_path / 'own.py').write_text(OWN)

    def read(text: str, **options) -> Config:
        (tmp_path / 'child.py').write_text(CHILD + text)
        cfg = Config.fromfile(tmp_path / 'child.py')
        apply_overrides(cfg, {k.replace('__', '.'): v for k, v in options.items()})
        return cfg

    return read


@pytest.mark.parametrize(
    ('text', 'options'),
    [
        ('max_epochs = 5\n', {}),
        ('', dict(max_epochs=5)),
        ('', dict(train_cfg__max_epochs=5)),
        ('', dict(train_cfg=dict(max_epochs=5))),
        ('max_epochs = 7\n', dict(max_epochs=5)),
        ('max_epochs = 7\n', dict(train_cfg__max_epochs=5)),
    ],
)
def test_one_number_drives_what_was_as_long(read, text, options):
    cfg = read(text, **options)
    assert cfg.train_cfg == dict(
        type='EpochBasedTrainLoop', max_epochs=5, val_begin=5, val_interval=5
    )
    warm_up, steps, cosine = cfg.param_scheduler
    assert (cosine.T_max, cosine.end) == (5, 5)
    # Iterations are no epochs, and 9 epochs were not all of them.
    assert (warm_up.end, steps.end, steps.milestones) == (10, 9, [7, 9])


def test_a_hook_that_is_none_is_left_out(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'keypoint_slr_small.py')
    options = dict.fromkeys(('default_hooks.visualization', 'default_hooks.timer'))
    apply_overrides(cfg, options)
    runner = Runner(
        torch.nn.Linear(1, 1),
        str(tmp_path),
        default_hooks=cfg.default_hooks,
        default_scope=cfg.default_scope,
    )
    kinds = {type(hook).__name__ for hook in runner.hooks}
    assert 'LateRuntimeInfoHook' in kinds
    assert not kinds & {'SignVisualizationHook', 'IterTimerHook'}


def test_what_is_written_stays(read):
    cfg = read(
        '', max_epochs=5, train_cfg__val_interval=10, **{'param_scheduler.2.end': 10}
    )
    assert cfg.train_cfg.val_interval == 10
    assert (cfg.param_scheduler[2].T_max, cfg.param_scheduler[2].end) == (5, 10)
    untouched = read('')
    assert untouched.train_cfg.val_begin == 8
    scheduler = dict(type='CosineAnnealingLR', T_max=8, by_epoch=True)
    cfg = read(f'max_epochs = 5\nparam_scheduler = [{scheduler}]\n')
    assert cfg.param_scheduler == [scheduler]


@pytest.mark.parametrize(
    ('text', 'options', 'message'),
    [
        ('', dict(max_epochs=5, train_cfg__max_epochs=6), 'max_epochs=5.*=6'),
        ('', dict(max_epochs=0), '1 or more epochs, not 0'),
        ('max_epochs = 2.5\n', {}, 'not 2.5'),
        (
            'max_epochs = 5\ntrain_cfg = dict(_delete_=True, by_epoch=False, '
            'max_iters=9)\n',
            {},
            'max_iters=9',
        ),
    ],
)
def test_lengths_that_are_none(read, text, options, message):
    with pytest.raises(ConfigError, match=message):
        read(text, **options)


# What has a schedule of its own; the others have that of one of these.
SCHEDULES = sorted(
    path
    for path in CONFIGS.rglob('*.py')
    if re.search(r'^(param_scheduler|train_cfg) =', path.read_text(), re.MULTILINE)
)


@pytest.mark.parametrize('path', SCHEDULES, ids=lambda path: path.stem)
def test_every_schedule_of_ours_goes_by_one_number(path):
    read = Config.fromfile(path)
    old = read.train_cfg
    for name in ('max_epochs', 'train_cfg.max_epochs'):
        cfg = read.copy()
        apply_overrides(cfg, {name: 3})
        loop = cfg.train_cfg
        assert loop.max_epochs == 3 and loop.get('val_begin', 1) <= 3
        if old.val_interval == old.max_epochs:
            assert loop.val_interval == 3
        for scheduler in cfg.param_scheduler:
            # The runner fills in what is left out.
            assert (scheduler.get('T_max', 3), scheduler.get('end', 3)) == (3, 3)
            assert scheduler.type != 'LinearLR'


def test_signers_reach_the_corpus_wherever_it_is_read():
    cfg = Config.fromfile(CONFIGS / 'keypoint_slr_toy.py')
    apply_overrides(cfg, {'signers.test': ['a'], 'signers.dev': []})
    expected = dict(test=['a'], dev=[])
    for part in ('train', 'val', 'test'):
        assert cfg[f'{part}_dataloader'].dataset.signers == expected
    assert cfg.model.vocab.signers == expected
    # What was derived is derived again.
    apply_overrides(cfg, {'signers.test': ['b']})
    assert cfg.model.vocab.signers == dict(test=['b'], dev=[])
    apply_overrides(cfg, {'signers': None})
    assert cfg.test_dataloader.dataset.signers is None


def test_signers_of_a_child_config_and_of_one_dataset(tmp_path):
    base = CONFIGS / 'video_slr_folder.py'
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = [{str(base)!r}]\nsigners = dict(test=['a'])\n")
    cfg = Config.fromfile(path)
    other = 'test_dataloader.dataset.signers'
    apply_overrides(cfg, {other: dict(test=['b'])})
    assert cfg.train_dataloader.dataset.signers == dict(test=['a'])
    assert cfg.test_dataloader.dataset.signers == dict(test=['b'])
    assert cfg.model.vocab.signers == dict(test=['a'])


@pytest.mark.parametrize(
    ('trained', 'given', 'tested', 'warned'),
    [
        (None, None, None, False),
        ({}, None, None, False),
        (dict(test=['a']), None, dict(test=['a']), False),
        (dict(test=['5']), dict(test=5), dict(test=5), False),
        (dict(test=['a']), dict(test=['b']), dict(test=['b']), True),
        ({}, dict(test=['b']), dict(test=['b']), True),
    ],
)
def test_signers_of_a_checkpoint(tmp_path, monkeypatch, trained, given, tested, warned):
    meta = {} if trained is None else dict(dataset_meta=dict(signers=trained))
    path = str(tmp_path / 'c.pth')
    compat.write_checkpoint(dict(meta=meta, state_dict={}), path)
    dataset = dict(type='SignFolderDataset', split='test', data_root='x')
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    if given:
        cfg.signers = given
    apply_overrides(cfg, None)
    said = []
    log = lambda text, **options: said.append('level' in options)  # noqa: E731
    monkeypatch.setattr('mmsign.engine.launch.settings.print_log', log)
    keep_signers(cfg, path)
    assert cfg.test_dataloader.dataset.get('signers') == tested
    assert any(said) == warned
    # Scores are to say who of the tested is trained on.
    told = cfg.test_dataloader.dataset.get('trained_with')
    assert told == (trained if warned else None)


@pytest.mark.parametrize('signers', ['Ann', ['Ann', 'Ben'], 5])
def test_signers_of_no_split(signers):
    with pytest.raises(ConfigError, match=r'signers=.* of no split: .*signers.test='):
        apply_overrides(Config({}), dict(signers=signers))


def test_signers_within_a_wrapper():
    inner = dict(type='SignFolderDataset', split='train', data_root='x')
    cfg = Config(
        dict(
            signers=dict(test=['a']),
            train_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=inner)),
        )
    )
    apply_overrides(cfg, None)
    assert cfg.train_dataloader.dataset.dataset.signers == dict(test=['a'])
