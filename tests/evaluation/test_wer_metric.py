import json

import pytest
from mmengine.evaluator import Evaluator
from tiny_predictions import prediction

from mmsign.errors import ConfigError, DataError
from mmsign.evaluation import WERMetric
from mmsign.registry import METRICS
from mmsign.structures import SignDataSample


def sample(clip_id, reference, signer='s1', **outputs):
    result = SignDataSample(
        metainfo=dict(clip_id=clip_id, signer=signer, glosses=reference.split())
    )
    result.predictions = {
        name: prediction(text.split(), score=-0.5) for name, text in outputs.items()
    }
    return result


def test_every_output_is_scored_and_logged(log, score):
    metrics = score(
        WERMetric(),
        [
            sample('a', 'ROT BLAU', video='ROT', average='ROT BLAU'),
            sample('b', 'GELB', video='GRAU ROT', average='ROT'),
        ],
        gloss_cleanup='none',
    )
    names = ('WER', 'S', 'D', 'I', 'sentence_accuracy', 'reference_words')
    expected = dict(video=(100, 1, 1, 1, 0, 3), average=(100 / 3, 1, 0, 0, 50, 3))
    assert metrics == {
        f'{output}/{name}': pytest.approx(value)
        for output, values in expected.items()
        for name, value in zip(names, values)
    }
    rows = [line.split()[:5] for line in log[-1].splitlines()[1:]]
    assert rows == [
        ['output', 'WER', 'S', 'D', 'I'],
        ['video', '100.00', '1', '1', '1'],
        ['average', '33.33', '1', '0', '0'],
    ]
    assert not any('prefix' in message for message in log)


def test_signers_are_told_apart(log, score):
    samples = [
        sample('a', 'ROT BLAU', 'Ann', video='ROT', average='ROT BLAU'),
        sample('b', 'GELB', 'Ben', video='GRAU ROT', average='GELB'),
        sample('c', 'GELB', '', video='GELB', average='ROT'),
    ]
    rules = dict(gloss_cleanup='none')
    score(WERMetric(), samples, training_signers=['Ben', 'Cleo'], **rules)
    table, notice = log[-2:]
    assert [line.split() for line in table.splitlines()[-3:]] == [
        ['signer', 'clips', 'words', 'video', 'average'],
        ['Ann', '1', '2', '50.00', '0.00'],
        ['Ben', '1', '1', '200.00', '0.00'],
    ]
    assert '1 of 2 signers are in the training split too (Ben)' in notice
    metric = WERMetric(**rules)
    metric.dataset_meta = dict(training_signers=['Ben'])
    records = [metric.record(one.to_dict()) for one in samples]
    assert [r['signer_is_trained'] for r in records] == [False, True, False]
    metric.dataset_meta = {}
    assert 'signer_is_trained' not in metric.record(samples[0].to_dict())
    score(WERMetric(), samples[:1], training_signers=['Ben'], **rules)
    assert log[-1].startswith('word errors, ')


def test_built_by_a_config_and_run_by_the_evaluator():
    evaluator = Evaluator(METRICS.build(dict(type='WERMetric', prefix='dev')))
    evaluator.dataset_meta = dict(gloss_cleanup='none')
    evaluator.process([sample('a', 'ROT', joint='ROT')])
    assert evaluator.evaluate(1)['dev/joint/WER'] == 0


def test_clean_up_of_the_corpus_applies_to_both_sides(score):
    samples = [
        sample('a', '__ON__ loc-OST HABEN2', video='OST OST HABEN'),
        sample('b', '__EMOTION__', video=''),  # nothing left to recognise
    ]
    found = score(WERMetric(), samples, gloss_cleanup='phoenix2014')
    assert (found['video/D'], found['video/reference_words']) == (1, 3)
    assert found['video/WER'] == pytest.approx(100 / 3)
    assert found['video/sentence_accuracy'] == 50
    found = score(WERMetric(), samples, gloss_cleanup='phoenix2014T')
    assert (found['video/S'], found['video/reference_words']) == (1, 2)
    # The argument goes before the dataset.
    found = score(WERMetric(gloss_cleanup='none'), samples, gloss_cleanup='phoenix2014')
    assert found['video/reference_words'] == 4


def test_characters_if_they_are_asked_for(score):
    samples = [sample('a', '你好 吗', video='你 吗好')]
    # The level of the dataset is that of its sentences, and does not matter here.
    meta = dict(gloss_cleanup='none', level='character')
    found = score(WERMetric(), samples, **meta)
    assert (found['video/reference_words'], found['video/S']) == (2, 2)
    found = score(WERMetric(level='character'), samples, **meta)
    assert found['video/reference_words'] == 3
    assert (found['video/S'], found['video/D'], found['video/I']) == (0, 1, 1)


def test_empty_reference_and_empty_hypothesis_count(score):
    samples = [sample('a', '', video='ROT'), sample('b', 'ROT BLAU', video='')]
    found = score(WERMetric('none'), samples)
    assert (found['video/I'], found['video/D'], found['video/WER']) == (1, 2, 150.0)
    with pytest.raises(DataError):
        score(WERMetric('none'), samples[:1])  # no reference word at all


def test_missing_predictions_name_the_clip(score):
    lacking = sample('clip8', 'ROT')
    with pytest.raises(DataError, match='clip8'):
        score(WERMetric(), [lacking])
    del lacking.predictions
    with pytest.raises(DataError, match='clip8'):
        score(WERMetric(), [lacking])


@pytest.mark.parametrize(
    'cleanup, level, name',
    [(None, 'word', 'None'), ('PHOENIX', 'word', 'PHOENIX'), ('none', 'x', 'x')],
)
def test_rules_that_are_not_known(cleanup, level, name, score):
    with pytest.raises(ConfigError, match=name):
        score(WERMetric(cleanup, level), [sample('a', 'ROT', video='ROT')])


def test_dump(tmp_path, score):
    metric = WERMetric('phoenix2014', dump=str(tmp_path / 'dev'))
    score(metric, [sample('a', 'loc-ROT', video='ROT'), sample('b', '', video='')])
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
