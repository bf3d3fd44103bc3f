from mmsign.structures import (
    GlossPrediction,
    SignDataSample,
    TimedGloss,
    TranslationPrediction,
)

A = TimedGloss('A', 0, 4)


def test_a_sample_travels_as_a_plain_dict():
    sample = SignDataSample(metainfo=dict(clip_id='c', glosses=['A'], length=4))
    sample.predictions = dict(video=GlossPrediction((A,), -0.5))
    found = sample.to_dict()
    assert found['clip_id'] == 'c' and found['predictions']['video'].glosses == ('A',)


def test_translations_travel_beside_the_glosses():
    sample = SignDataSample(metainfo=dict(clip_id='c'))
    sample.predictions = dict(video=GlossPrediction((A,), -0.5))
    sample.translations = dict(video=TranslationPrediction('ein satz .', -0.25))
    found = sample.to_dict()
    assert found['translations']['video'].text == 'ein satz .'
    assert found['translations']['video'].n_best == ()
    assert found['predictions']['video'].glosses == ('A',)


def test_a_prediction_has_one_span_per_gloss():
    found = GlossPrediction((A, TimedGloss('B', 6, 3, 0.5)), -0.5)
    assert found.glosses == ('A', 'B') and found.spans == ((0, 4), (6, 9))


def test_a_timed_gloss_ends_where_it_was_rounded_to():
    gloss = TimedGloss('RAIN', 0.1, 0.2, 0.7)
    assert gloss.to_dict() == dict(gloss='RAIN', start=0.1, end=0.3, confidence=0.7)
    assert (gloss.gloss, gloss.end, gloss.confidence) == ('RAIN', 0.3, 0.7)
