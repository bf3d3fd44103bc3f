import json
import logging
import sys

import pytest
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmsign.registry import METRICS

pytest.importorskip('sacrebleu')

from mmsign.evaluation import BLEUMetric, score_texts
from mmsign.structures import SignDataSample, TranslationPrediction


def sample(clip_id, text, **outputs):
    result = SignDataSample(metainfo=dict(clip_id=clip_id, signer='s1', text=text))
    result.translations = {
        name: TranslationPrediction(found, -0.5, ((found, -0.5), ('x.', -2.0)))
        for name, found in outputs.items()
    }
    return result.to_dict()


def score(samples, meta=None, **kwargs):
    metric = BLEUMetric(**kwargs)
    metric.dataset_meta = {} if meta is None else meta
    for one in samples:
        metric.process(None, [one])
    return metric.evaluate(len(samples))


@pytest.fixture
def log():
    """Messages of the current MMEngine logger."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_instance('bleu_metric_test')
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_every_output_is_scored_and_logged(log):
    references = ['am tag regnet es .', 'im norden schnee .']
    video = ['am tag regnet es .', 'im norden regen .']
    joint = ['heute scheint die sonne .', '']
    found = score(
        [
            sample(f'c{i}', references[i], video=video[i], joint=joint[i])
            for i in range(2)
        ]
    )
    expected = {}
    for output, texts in (('video', video), ('joint', joint)):
        scores = score_texts(references, texts)
        for order in (1, 2, 3, 4):
            expected[f'{output}/BLEU-{order}'] = getattr(scores, f'bleu{order}')
        expected[f'{output}/ROUGE-L'] = scores.rouge_l
        expected[f'{output}/ROUGE-L-beta1.2'] = scores.rouge_l_beta1_2
        expected[f'{output}/chrF'] = scores.chrf
    assert found == expected
    assert found['video/BLEU-1'] > 80 > found['joint/BLEU-1']
    title, header, first, second, signature = log[-1].splitlines()
    assert title == 'sentences, compared by word'
    assert (first.split()[0], second.split()[0]) == ('video', 'joint')
    assert 'tok:none' in signature


def test_built_by_a_config_and_run_by_the_evaluator():
    evaluator = Evaluator(METRICS.build(dict(type='BLEUMetric', prefix='dev')))
    evaluator.dataset_meta = dict(level='word')
    text = 'am tag regnet es .'
    data_sample = SignDataSample(metainfo=dict(clip_id='a', signer='', text=text))
    data_sample.translations = dict(ensemble=TranslationPrediction(text, 0.0))
    evaluator.process([data_sample])
    assert evaluator.evaluate(1)['dev/ensemble/BLEU-4'] == pytest.approx(100)


def test_level_of_the_dataset_or_of_the_argument():
    samples = [sample('a', '今天 下雨 。', joint='今天下雨。')]
    by_characters = score(samples, dict(level='character', language='zh'))
    assert by_characters['joint/ROUGE-L'] == 100
    assert by_characters['joint/BLEU-4'] == pytest.approx(100)
    assert score(samples, dict(level='character'), level='word')['joint/ROUGE-L'] == 0
    with pytest.raises(ValueError, match="level is 'letter'; expected one of word"):
        score(samples, dict(level='letter'))


def test_final_stop_of_german_sentences(tmp_path):
    samples = [sample('a', 'am tag regnet es .', joint='am tag regnet es.')]
    meta = dict(language='de')
    found = score(samples, meta, dump=str(tmp_path / 'dev'))
    assert found['joint/BLEU-4'] == pytest.approx(100)
    assert score(samples, dict(language='en'))['joint/BLEU-1'] < 80
    assert json.loads((tmp_path / 'dev.jsonl').read_text()) == dict(
        clip_id='a',
        signer='s1',
        reference='am tag regnet es .',
        hypotheses=dict(
            joint=dict(
                text='am tag regnet es .',
                score=-0.5,
                n_best=[['am tag regnet es .', -0.5], ['x .', -2.0]],
            )
        ),
    )
    assert (tmp_path / 'dev.joint.txt').read_text() == 'am tag regnet es .\n'
    assert (tmp_path / 'dev.reference.txt').read_text() == 'am tag regnet es .\n'


def test_faults_name_the_clip():
    with pytest.raises(ValueError, match="'clip8' has no translations"):
        score([sample('clip8', 'a')])
    for text in (None, ' '):
        with pytest.raises(ValueError, match="'clip9' has no sentence"):
            score([sample('clip9', text, joint='a')])


def test_missing_sacrebleu_is_found_when_built(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sacrebleu', None)
    with pytest.raises(ImportError, match='mmsign'):
        BLEUMetric()
