import pytest

from mmsign.structures import (
    GlossPrediction,
    SignDataSample,
    TranslationPrediction,
)


def test_a_sample_travels_as_a_plain_dict():
    sample = SignDataSample(metainfo=dict(clip_id='c', glosses=['A'], length=4))
    sample.predictions = dict(video=GlossPrediction(('A',), -0.5, ((0, 4),)))
    found = sample.to_dict()
    assert found['clip_id'] == 'c' and found['predictions']['video'].glosses == ('A',)


def test_translations_travel_beside_the_glosses():
    sample = SignDataSample(metainfo=dict(clip_id='c'))
    sample.predictions = dict(video=GlossPrediction(('A',), -0.5, ((0, 4),)))
    sample.translations = dict(video=TranslationPrediction('ein satz .', -0.25))
    found = sample.to_dict()
    assert found['translations']['video'].text == 'ein satz .'
    assert found['translations']['video'].n_best == ()
    assert found['predictions']['video'].glosses == ('A',)


def test_one_span_per_gloss():
    with pytest.raises(ValueError, match='2 glosses need as many spans, got 1'):
        GlossPrediction(('A', 'B'), 0.0, ((0, 4),))
