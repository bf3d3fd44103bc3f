import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmaction.registry import METRICS
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmsign.evaluation import WERMetric
from mmsign.structures import GlossPrediction, SignDataSample


def prediction(glosses):
    spans = tuple((4 * i, 4 * i + 4) for i in range(len(glosses)))
    return GlossPrediction(tuple(glosses), -0.5, spans, ((tuple(glosses), -0.5),))


def sample(clip_id, reference, **outputs):
    result = SignDataSample(
        metainfo=dict(clip_id=clip_id, signer='s1', glosses=reference.split())
    )
    result.predictions = {
        name: prediction(glosses.split()) for name, glosses in outputs.items()
    }
    return result.to_dict()


def score(samples, meta=None, **kwargs):
    metric = WERMetric(**kwargs)
    metric.dataset_meta = dict(gloss_cleanup='none') if meta is None else meta
    for one in samples:
        metric.process(None, [one])
    return metric.evaluate(len(samples))


@pytest.fixture
def log():
    """Messages of the current MMEngine logger."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_instance('wer_metric_test')
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_every_output_is_scored_and_logged(log):
    metrics = score(
        [
            sample('a', 'ROT BLAU', video='ROT', average='ROT BLAU'),
            sample('b', 'GELB', video='GRAU ROT', average='ROT'),
        ]
    )
    assert metrics == {
        'video/WER': 100.0,
        'video/S': 1,
        'video/D': 1,
        'video/I': 1,
        'video/sentence_accuracy': 0.0,
        'video/reference_words': 3,
        'average/WER': pytest.approx(100 / 3),
        'average/S': 1,
        'average/D': 0,
        'average/I': 0,
        'average/sentence_accuracy': 50.0,
        'average/reference_words': 3,
    }
    rows = [line.split()[:5] for line in log[-1].splitlines()[1:]]
    assert rows == [
        ['output', 'WER', 'S', 'D', 'I'],
        ['video', '100.00', '1', '1', '1'],
        ['average', '33.33', '1', '0', '0'],
    ]
    assert not any('prefix' in message for message in log)


def test_built_by_a_config_and_run_by_the_evaluator():
    evaluator = Evaluator(METRICS.build(dict(type='WERMetric', prefix='dev')))
    evaluator.dataset_meta = dict(gloss_cleanup='none')
    data_sample = SignDataSample(metainfo=dict(clip_id='a', signer='', glosses=['ROT']))
    data_sample.predictions = dict(joint=prediction(['ROT']))
    evaluator.process([data_sample])
    assert evaluator.evaluate(1)['dev/joint/WER'] == 0


def test_clean_up_of_the_corpus_applies_to_both_sides():
    samples = [
        sample('a', '__ON__ loc-OST HABEN2', video='OST OST HABEN'),
        sample('b', '__EMOTION__', video=''),  # nothing left to recognise
    ]
    found = score(samples, dict(gloss_cleanup='phoenix2014'))
    assert (found['video/D'], found['video/reference_words']) == (1, 3)
    assert found['video/WER'] == pytest.approx(100 / 3)
    assert found['video/sentence_accuracy'] == 50
    found = score(samples, dict(gloss_cleanup='phoenix2014T'))
    assert (found['video/S'], found['video/reference_words']) == (1, 2)
    # The argument goes before the dataset.
    found = score(samples, dict(gloss_cleanup='phoenix2014'), gloss_cleanup='none')
    assert found['video/reference_words'] == 4


@pytest.mark.parametrize('as_argument', [False, True])
def test_characters(as_argument):
    samples = [sample('a', '你好 吗', video='你 吗好')]
    level = dict(level='character')
    meta = dict(gloss_cleanup='none')
    found = (
        score(samples, meta, **level) if as_argument else score(samples, meta | level)
    )
    assert found['video/reference_words'] == 3
    assert (found['video/S'], found['video/D'], found['video/I']) == (0, 1, 1)


def test_empty_reference_and_empty_hypothesis_count():
    found = score([sample('a', '', video='ROT'), sample('b', 'ROT BLAU', video='')])
    assert (found['video/I'], found['video/D'], found['video/WER']) == (1, 2, 150.0)


def test_clips_seen_twice_count_once():
    metric = WERMetric(gloss_cleanup='none')
    metric.process(None, [sample('a', 'ROT', video='ROT')])
    metric.process(None, [sample('b', 'BLAU', video='')])
    metric.process(None, [sample('a', 'ROT', video='BLAU')])  # padding
    found = metric.evaluate(2)
    assert (found['video/S'], found['video/D']) == (0, 1)
    assert metric.results == []


def test_wrong_number_of_clips():
    metric = WERMetric(gloss_cleanup='none')
    metric.process(None, [sample('a', 'ROT', video='ROT')] * 2)
    with pytest.raises(
        ValueError, match='1 different clips were predicted, expected 2'
    ):
        metric.evaluate(2)
    with pytest.raises(ValueError, match='0 different clips .* at least one'):
        WERMetric(gloss_cleanup='none').compute_metrics([])


def test_missing_predictions_name_the_clip():
    whole = sample('a', 'ROT', video='ROT', joint='ROT')
    lacking = sample('clip7', 'ROT', video='ROT')
    for samples in ([whole, lacking], [lacking, whole]):
        with pytest.raises(ValueError, match="'clip7' has no prediction of joint"):
            score(samples)
    with pytest.raises(ValueError, match="'clip8' has no predictions"):
        score([sample('clip8', 'ROT')])
    del lacking['predictions']
    with pytest.raises(ValueError, match="'clip7' has no predictions"):
        score([lacking])


@pytest.mark.parametrize(
    'meta, message',
    [
        ({}, 'gloss_cleanup is None .* phoenix2014, phoenix2014T, none'),
        (dict(gloss_cleanup='PHOENIX'), "gloss_cleanup is 'PHOENIX'"),
        (dict(gloss_cleanup='none', level='letter'), "level 'letter'; .* character"),
    ],
)
def test_rules_that_are_not_known(meta, message):
    with pytest.raises(ValueError, match=message):
        score([sample('a', 'ROT', video='ROT')], meta)


def test_no_reference_words_at_all():
    with pytest.raises(ValueError, match='2 sentences is undefined'):
        score([sample('a', '', video=''), sample('b', '', video='ROT')])


def test_dump(tmp_path):
    score(
        [sample('a', 'loc-ROT', video='ROT'), sample('b', '', video='')],
        dict(gloss_cleanup='phoenix2014'),
        dump=str(tmp_path / 'dev'),
    )
    lines = (tmp_path / 'dev.jsonl').read_text(encoding='utf-8').splitlines()
    assert json.loads(lines[0]) == dict(
        clip_id='a',
        signer='s1',
        reference=['loc-ROT'],
        hypotheses=dict(
            video=dict(
                glosses=['ROT'], score=-0.5, spans=[[0, 4]], n_best=[[['ROT'], -0.5]]
            )
        ),
    )
    assert (tmp_path / 'dev.reference.txt').read_text() == 'loc-ROT\n\n'
    assert (tmp_path / 'dev.video.txt').read_text() == 'ROT\n\n'


RANK_SCRIPT = """
import json, sys
import torch.distributed as dist
from mmsign.evaluation import WERMetric
from mmsign.structures import GlossPrediction

rank, meeting, dump = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dist.init_process_group('gloo', f'file://{meeting}', rank=rank, world_size=2)
metric = WERMetric(gloss_cleanup='none', dump=dump)
# Contiguous shares of 5 clips, the second filled up with its own last one.
for clip in [[0, 1, 2], [3, 4, 4]][rank]:
    found = ['ROT'] * clip
    metric.process(None, [dict(
        clip_id=f'c{clip}', signer='', glosses=['ROT', 'ROT'],
        predictions=dict(video=GlossPrediction(tuple(found), 0.0, ((0, 1),) * clip)),
    )])
print('RESULT', json.dumps(metric.evaluate(5)))
dist.destroy_process_group()
"""


def test_two_processes(tmp_path):
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), os.environ.get('PYTHONPATH', '')])
    arguments = [str(tmp_path / 'meeting'), str(tmp_path / 'dump')]
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', RANK_SCRIPT, str(rank), *arguments],
            cwd=tmp_path,
            env=dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS='1'),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    found = [json.loads(out.split('RESULT')[1].splitlines()[0]) for out in outputs]
    assert found[0] == found[1]
    assert {k: found[0][f'video/{k}'] for k in 'SDI'} == {'S': 0, 'D': 3, 'I': 3}
    assert found[0]['video/reference_words'] == 10
    lines = (tmp_path / 'dump.jsonl').read_text(encoding='utf-8').splitlines()
    assert sorted(json.loads(line)['clip_id'] for line in lines) == [
        f'c{i}' for i in range(5)
    ]
