"""What is expected follows the configs, the corpus and the cores."""

from __future__ import annotations

import pytest
from tiny_run import load_tool

from mmsign.toy.corpus import invent_sentences, write_corpus
from mmsign.toy.variants import USUAL


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis/quickstart_time')


@pytest.fixture(scope='module')
def corpus():
    return invent_sentences(USUAL.sentences, USUAL.citations, seed=0)


def test_typical_batches_are_as_long_as_all_on_average(tool, corpus):
    few = tool.typical(corpus['train'], 8)
    assert len(few) == 8 * tool.BATCHES == len(set(few))

    def mean_length(sentences):
        return sum(len(sentence.glosses) for sentence in sentences) / len(sentences)

    assert mean_length(few) == pytest.approx(mean_length(corpus['train']), rel=0.1)


def test_trainings_at_once_share_the_cores(tool):
    fast, slow = (tool.Speed(step, 0.25, 0.0, 1) for step in (1.0, 2.0))
    for cores, expected in ((1, 350), (2, 200), (8, 200)):
        seconds = tool.training_seconds([(fast, 100), (slow, 100)], cores)
        assert seconds == expected
    # As many threads as cores leave loading none of its own.
    two = tool.Speed(1.0, 0.5, 0.0, 2)
    assert tool.training_seconds([(two, 100)], 2) == 125


def test_steps_and_minutes_follow_the_configs(
    tool, corpus, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tool.torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(tool, 'usable_cores', lambda: 2)
    monkeypatch.setattr(tool, '_BEGAN', tool.time.perf_counter())
    monkeypatch.setattr(tool, 'write_corpus', lambda root, *_, **__: None)
    monkeypatch.setattr(tool, 'resolve_vocabulary', lambda cfg: None)
    speed = tool.Speed(step=0.5, load=0.1, predict=0.0, threads=1)
    monkeypatch.setattr(tool, 'measure', lambda cfg: speed)
    monkeypatch.setattr(tool, 'measure_at_once', lambda cfgs, threads: [speed] * 2)
    found = tool.expect(tmp_path, translation=False)
    batches = -(-len(corpus['train']) // 8)
    epochs = [
        tool.read(name).train_cfg.max_epochs for name in (tool.BOTH, *tool.STREAMS)
    ]
    starts = found['rendering'] * 10 + 1
    assert found['stage 2'] == pytest.approx(0.5 * batches * epochs[0], abs=starts)
    # Two cores for two streams, of which one has more epochs.
    epochs_1 = max(0.5 * max(epochs[1:]), 0.6 * sum(epochs[1:]) / 2)
    assert found['stage 1'] == pytest.approx(batches * epochs_1, abs=starts)
    monkeypatch.setattr(tool, 'expect', lambda *_: dict(a=60.0, translation=90.0))
    tool.main([])
    said = capsys.readouterr().out
    assert 'About 1 minutes: a 1.0' in said and 'about 2 minutes more' in said


def test_a_little_work_is_measured(tool, corpus, tmp_path):
    few = tool.typical(corpus['train'], 2)
    write_corpus(tmp_path, dict(train=few), 'phoenix2014T', (42, 52), 0, workers=1)
    cfg = tool.read(tool.STREAMS[1], data_root=str(tmp_path))
    cfg.train_dataloader.batch_size = 2
    cfg.model.keypoint.backbone.channels = 16
    ready = []
    speed = tool.measure(cfg, 1, lambda: ready.append(True), seconds=0.0)
    assert ready == [True] and speed.threads == 1
    assert min(speed.step, speed.load, speed.predict) > 0
    assert tool.steps_of(cfg, 5) == 3 * cfg.train_cfg.max_epochs
