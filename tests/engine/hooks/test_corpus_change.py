from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from mmsign.engine.hooks.corpus_change import CorpusChangeHook
from mmsign.errors import TrainingError


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ('k.safetensors', 'frames.zip', 'f.features')]
    for path in paths:
        path.write_bytes(b'before')
    return paths


@pytest.fixture
def runner(files):
    keypoints, archive, features = map(str, files)
    transforms = [SimpleNamespace(feature_file=features), SimpleNamespace()]
    train = SimpleNamespace(
        corpus_files=lambda: [keypoints],
        pipeline=SimpleNamespace(transforms=transforms),
    )
    validation = SimpleNamespace(corpus_files=lambda: [keypoints, archive])
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=validation))
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=train),
        val_loop=loop,
        epoch=3,
        work_dir='work',
    )


def replace(path):
    other = path.with_suffix('.new')
    other.write_bytes(b'after!')  # as many bytes
    os.replace(other, path)


def overwrite(path):
    path.write_bytes(b'another length')


@pytest.mark.parametrize('which', range(3))
@pytest.mark.parametrize('change', [replace, overwrite])
def test_a_file_that_is_replaced_ends_the_run(which, change, files, runner):
    hook = CorpusChangeHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    change(files[which])
    for check in (hook.before_train_epoch, hook.before_val_epoch):
        with pytest.raises(TrainingError) as caught:
            check(runner)
    message = str(caught.value)
    assert message.startswith(f'{files[which]} was replaced or changed')
    assert 'found in epoch 4' in message and '--resume' in message
    # Training that begins with the new file goes on.
    hook.before_train(runner)
    hook.before_train_epoch(runner)


def test_a_file_that_is_gone(files, runner):
    hook = CorpusChangeHook()
    hook.before_train(runner)
    files[1].unlink()
    with pytest.raises(TrainingError, match='frames.zip'):
        hook.before_train_epoch(runner)


def test_a_file_that_was_not_there_may_come(files, runner):
    files[0].unlink()
    hook = CorpusChangeHook()
    hook.before_train(runner)
    files[0].write_bytes(b'new')
    hook.before_train_epoch(runner)


def test_validation_alone_and_other_datasets_are_left_alone(runner):
    CorpusChangeHook().before_val_epoch(runner)
    runner.train_dataloader.dataset = [1, 2]
    runner.val_loop = None
    hook = CorpusChangeHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
