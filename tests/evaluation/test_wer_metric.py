import json
import logging

import pytest
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmsign.evaluation import WERMetric
from mmsign.registry import METRICS
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


def test_characters():
    samples = [sample('a', '你好 吗', video='你 吗好')]
    found = score(samples, level='character')
    assert found['video/reference_words'] == 3
    assert (found['video/S'], found['video/D'], found['video/I']) == (0, 1, 1)


def test_level_of_the_datasets_sentences_does_not_matter():
    meta = dict(gloss_cleanup='none', level='character')
    found = score([sample('a', '你好 吗', video='你 吗好')], meta)
    assert (found['video/reference_words'], found['video/S']) == (2, 2)


def test_empty_reference_and_empty_hypothesis_count():
    found = score([sample('a', '', video='ROT'), sample('b', 'ROT BLAU', video='')])
    assert (found['video/I'], found['video/D'], found['video/WER']) == (1, 2, 150.0)


def test_missing_predictions_name_the_clip():
    lacking = sample('clip8', 'ROT')
    with pytest.raises(ValueError, match="'clip8' has no predictions"):
        score([lacking])
    del lacking['predictions']
    with pytest.raises(ValueError, match="'clip8' has no predictions"):
        score([lacking])


@pytest.mark.parametrize(
    'meta, level, message',
    [
        ({}, 'word', 'gloss_cleanup is None.* phoenix2014, phoenix2014T, none'),
        (dict(gloss_cleanup='PHOENIX'), 'word', "gloss_cleanup is 'PHOENIX'"),
        (dict(gloss_cleanup='none'), 'letter', "level 'letter'; .* character"),
    ],
)
def test_rules_that_are_not_known(meta, level, message):
    with pytest.raises(ValueError, match=message):
        score([sample('a', 'ROT', video='ROT')], meta, level=level)


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
