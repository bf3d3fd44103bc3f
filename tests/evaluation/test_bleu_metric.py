import json
import sys

import pytest
from mmengine.evaluator import Evaluator

pytest.importorskip('sacrebleu')

from mmsign.errors import ConfigError, DataError, MissingPackageError
from mmsign.evaluation import BLEUMetric, score_texts
from mmsign.registry import METRICS
from mmsign.structures import SignDataSample, TranslationPrediction


def sample(clip_id, text, **outputs):
    result = SignDataSample(metainfo=dict(clip_id=clip_id, signer='s1', text=text))
    result.translations = {
        name: TranslationPrediction(found, -0.5, ((found, -0.5), ('x.', -2.0)))
        for name, found in outputs.items()
    }
    return result


def test_every_output_is_scored_and_logged(log, score):
    references = ['am tag regnet es .', 'im norden schnee .']
    outputs = dict(
        video=['am tag regnet es .', 'im norden regen .'],
        joint=['heute scheint die sonne .', ''],
    )
    found = score(
        BLEUMetric(),
        [
            sample(f'c{i}', text, **{name: texts[i] for name, texts in outputs.items()})
            for i, text in enumerate(references)
        ],
    )
    expected = {
        f'{output}/{name}': value
        for output, texts in outputs.items()
        for name, value in score_texts(references, texts).metrics().items()
    }
    names = [*(f'BLEU-{n}' for n in '1234'), 'ROUGE-L', 'ROUGE-L-beta1.2', 'chrF']
    assert list(expected)[:7] == [f'video/{name}' for name in names]
    assert found == expected
    assert found['video/BLEU-1'] > 80 > found['joint/BLEU-1']
    *_, first, second, signature = log[-1].splitlines()
    assert (first.split()[0], second.split()[0]) == ('video', 'joint')
    assert 'tok:none' in signature


def test_built_by_a_config_and_run_by_the_evaluator():
    evaluator = Evaluator(METRICS.build(dict(type='BLEUMetric', prefix='dev')))
    evaluator.dataset_meta = dict(level='word')
    text = 'am tag regnet es .'
    evaluator.process([sample('a', text, ensemble=text)])
    assert evaluator.evaluate(1)['dev/ensemble/BLEU-4'] == pytest.approx(100)


def test_level_of_the_dataset_or_of_the_argument(score):
    samples = [sample('a', '今天 下雨 。', joint='今天下雨。')]
    by_characters = score(BLEUMetric(), samples, level='character', language='zh')
    assert by_characters['joint/ROUGE-L'] == 100
    assert by_characters['joint/BLEU-4'] == pytest.approx(100)
    by_words = score(BLEUMetric(level='word'), samples, level='character')
    assert by_words['joint/ROUGE-L'] == 0
    with pytest.raises(ConfigError, match='letter'):
        score(BLEUMetric(), samples, level='letter')


def test_final_stop_of_german_sentences(tmp_path, score):
    samples = [sample('a', 'am tag regnet es .', joint='am tag regnet es.')]
    found = score(BLEUMetric(dump=str(tmp_path / 'dev')), samples, language='de')
    assert found['joint/BLEU-4'] == pytest.approx(100)
    assert score(BLEUMetric(), samples, language='en')['joint/BLEU-1'] < 80
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


@pytest.mark.parametrize(
    'text, outputs', [('a', {}), (None, dict(x='a')), (' ', dict(x='a'))]
)
def test_what_a_clip_lacks_names_it(text, outputs, score):
    with pytest.raises(DataError, match='clip8'):
        score(BLEUMetric(), [sample('clip8', text, **outputs)])


def test_missing_sacrebleu_is_found_when_built(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sacrebleu.metrics', None)
    with pytest.raises(MissingPackageError, match='sacrebleu'):
        BLEUMetric()
