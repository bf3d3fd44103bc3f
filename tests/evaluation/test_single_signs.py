import math

import numpy as np
import pytest

from mmsign.errors import DataError
from mmsign.evaluation import (
    SignClip,
    SignScores,
    expected_calibration_error,
    sign_group_table,
    sign_score_table,
    sign_scores_of,
)

CLIPS = (
    SignClip('RAIN', ('RAIN', 'SUN'), True, 0.9, 'a'),
    SignClip('RAIN', ('SUN', 'RAIN'), True, 0.6, 'a'),
    SignClip('RAIN', ('RAIN', 'SUN'), False, 0.3, 'b'),
    SignClip('SUN', ('WIND', 'RAIN'), True, 0.7, 'b'),  # the class' one recording
    SignClip('', ('SUN', 'RAIN'), True, 0.5, 'a'),
    SignClip('', ('SUN', 'RAIN'), False, 0.2, 'b'),
)
SCORES = SignScores(CLIPS)


def test_accuracies():
    assert SCORES.accuracy(1) == 50 and SCORES.accuracy(5) == 75
    assert SCORES.mean_class_accuracy == pytest.approx((200 / 3 + 0) / 2)
    assert (SCORES.rejected, SCORES.false_accepts) == (25, 50)
    signers = {name: one.accuracy() for name, one in SCORES.by('signer').items()}
    assert signers == dict(a=50, b=50)
    signs = {name: one.accuracy() for name, one in SCORES.by('reference').items()}
    assert list(signs.items()) == [('RAIN', pytest.approx(200 / 3)), ('SUN', 0)]


def test_confusions_are_counted_whether_or_not_they_are_believed():
    expected = {('RAIN', 'SUN'): 1, ('SUN', 'WIND'): 1, ('', 'SUN'): 1}
    assert SCORES.confusions() == expected
    assert SCORES.by('reference')['RAIN'].taken_for == 'SUN 1'
    twice = SignScores((*CLIPS, *CLIPS, CLIPS[3]))
    assert twice.taken_for == 'SUN 4, WIND 3'


def test_what_is_undefined_is_left_out():
    idle, signs = SignScores(CLIPS[4:]), SignScores(CLIPS[:4])
    assert idle.metrics().keys() == {
        'single_signs',
        'idle_clips',
        'false_accepts',
        'ECE',
    }
    assert (
        'false_accepts' not in signs.metrics() and signs.metrics()['accuracy@1'] == 50
    )
    assert SignScores(()).metrics() == dict(single_signs=0, idle_clips=0)
    assert math.isnan(idle.accuracy()) and math.isnan(idle.mean_class_accuracy)
    assert '–' in sign_score_table(dict(average=idle))
    unsaid = SignScores((SignClip('SUN', ('SUN',)),))
    assert 'ECE' not in unsaid.metrics()


def test_tables():
    row = sign_score_table(dict(average=SCORES)).splitlines()[1].split()
    assert row == ['average', '4', '50.00', '75.00', '33.33', '25.00', '2', '50.00']
    table = sign_group_table('sign', SCORES.by('reference')).splitlines()
    assert table[1].split() == ['RAIN', '3', '66.67', '100.00', '33.33', 'SUN', '1']
    assert table[2].split() == ['SUN', '1', '0.00', '0.00', '0.00', 'WIND', '1']


def test_the_calibration_error_of_honest_confidences_vanishes():
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0, 1, 20_000)
    honest = rng.uniform(0, 1, 20_000) < confidences
    assert expected_calibration_error(confidences, honest) < 0.02
    shy = expected_calibration_error(confidences / 2, honest)
    assert shy == pytest.approx(0.25, abs=0.02)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0
    assert math.isnan(expected_calibration_error([], []))


def record(clip: str, reference: list, names: list, none: bool = False, **changes):
    best = [dict(gloss=name, confidence=1 / (i + 2)) for i, name in enumerate(names)]
    sign = dict(n_best=best, no_sign=0.1, none_of_these=none) | changes
    found = dict(average=dict(glosses=names[:1], single_sign=sign))
    return dict(clip_id=clip, signer=None, reference=reference, hypotheses=found)


def test_records_are_compared_as_the_corpus_does():
    records = [
        record('a', ['loc-NORD'], ['NORD', 'loc-NORD', 'SUED']),
        record('b', ['__EMOTION__'], ['NORD'], none=True),  # no sign
        dict(record('c', ['A', 'B'], []), hypotheses=dict(average=dict(glosses=[]))),
    ]
    clips = sign_scores_of(records, 'average', 'phoenix2014').clips
    assert [(clip.reference, clip.ranked) for clip in clips] == [
        ('NORD', ('NORD', 'SUED')),
        ('', ('NORD',)),
    ]
    assert clips[0].confidence == 0.5 and clips[0].signer == 'unknown'
    nobody = sign_scores_of([record('d', ['A'], [], none=True)], 'average')
    assert nobody.accuracy() == 0 and nobody.rejected == 100


@pytest.mark.parametrize('wrong', [dict(n_best=[3]), dict(n_best=[{}]), dict(n_best=7)])
def test_a_broken_record_names_the_clip(wrong):
    with pytest.raises(DataError, match='odd'):
        sign_scores_of([record('odd', ['A'], ['A'], **wrong)], 'average')
