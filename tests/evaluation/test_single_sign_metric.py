import json

import pytest
from mmengine.evaluator import Evaluator
from tiny_predictions import prediction

from mmsign.errors import DataError
from mmsign.evaluation import SingleSignMetric, WERMetric
from mmsign.registry import METRICS
from mmsign.structures import SignDataSample, SignReading


def sample(clip: str, reference: str, signer: str = 's', **outputs: str):
    """Outputs say the signs that they read, best first; '!' if it is none of these."""
    info = dict(clip_id=clip, signer=signer, glosses=reference.split())
    result = SignDataSample(metainfo=info)
    result.predictions = {}
    for name, text in outputs.items():
        signs = text.removesuffix('!').split()
        n_best = tuple((sign, 0.8 / 2**i) for i, sign in enumerate(signs))
        reading = SignReading(n_best, 0.1, accepted='!' not in text)
        found = prediction(signs[:1])
        object.__setattr__(found, 'single_sign', reading)
        result.predictions[name] = found
    return result


SAMPLES = [
    sample('1', 'RAIN', 'a', video='SUN RAIN', average='RAIN SUN'),
    sample('2', 'SUN', 'b', video='SUN RAIN', average='SUN RAIN!'),
    sample('3', '', 'b', video='RAIN SUN', average='RAIN SUN!'),
    sample('4', 'RAIN SUN', 'b', video='RAIN SUN', average='RAIN SUN'),
]


def test_every_output_is_scored_and_logged(log, score):
    metrics = score(SingleSignMetric(), SAMPLES, gloss_cleanup='none')
    assert metrics['video/accuracy@1'] == 50 and metrics['average/accuracy@1'] == 100
    assert metrics['video/accuracy@5'] == 100
    assert metrics['average/rejected_signs'] == 50
    assert metrics['video/false_accepts'] == 100
    assert metrics['average/false_accepts'] == 0
    assert (metrics['video/single_signs'], metrics['video/idle_clips']) == (2, 1)
    assert metrics['average/ECE'] == pytest.approx(100 * abs(2 - 3 * 0.8) / 3)
    lines = log[-1].splitlines()
    assert [line.split()[0] for line in lines if line and line[0] in 'abv'] == [
        *('video', 'average', 'average,', 'a', 'b', 'average,')
    ]


def test_nothing_is_said_of_sentences(log, score):
    assert score(SingleSignMetric(), SAMPLES[3:], gloss_cleanup='none') == {}
    assert log == []


def test_beside_the_word_error_rate_with_clips_seen_twice():
    metrics = [
        METRICS.build(dict(type=kind)) for kind in ('WERMetric', 'SingleSignMetric')
    ]
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(gloss_cleanup='none')
    for one in (*SAMPLES, *SAMPLES[:2]):
        evaluator.process([one])
    found = evaluator.evaluate(len(SAMPLES))
    assert found['average/single_signs'] == 2 and found['average/reference_words'] == 4


def test_both_dumps_hold_what_was_read(tmp_path, score):
    for name, metric in (('wer', WERMetric), ('signs', SingleSignMetric)):
        dump = str(tmp_path / name)
        score(metric(dump=dump), SAMPLES, gloss_cleanup='none')
    texts = {n: (tmp_path / f'{n}.jsonl').read_text() for n in ('wer', 'signs')}
    records = {n: [json.loads(x) for x in y.splitlines()] for n, y in texts.items()}
    assert records['signs'] == records['wer'][:3]
    assert records['signs'][1]['hypotheses']['average']['single_sign'] == dict(
        n_best=[dict(gloss='SUN', confidence=0.8), dict(gloss='RAIN', confidence=0.4)],
        no_sign=0.1,
        none_of_these=True,
    )
    assert not list(tmp_path.glob('*.partial*'))


def test_missing_predictions_name_the_clip(score):
    lacking = SignDataSample(metainfo=dict(clip_id='clip8', glosses=['RAIN']))
    with pytest.raises(DataError, match='clip8'):
        score(SingleSignMetric(), [lacking])
