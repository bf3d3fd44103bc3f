import numpy as np
import pytest
import torch

from mmsign.decoding import ConfidenceMap, SignCalibration, read_single_signs
from mmsign.evaluation import SignEvidence, fit_calibration, judge_glosses
from mmsign.evaluation.calibration import TEMPERATURES
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['A', 'B', 'C', 'D'])


def glosses_like(truth: ConfidenceMap, count: int, seed: int = 0) -> list:
    """Raw confidences, right as often as ``truth`` says."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.3, 1.0, count)
    return [(c, bool(rng.random() < truth(c))) for c in raw]


def likelihoods(count: int, certainty: float, seed: int = 0, idle: int = 0):
    """Clips of ``VOCAB`` and their targets, wrong every tenth time as surely as they
    are right; idle ones show no sign, or a faint one."""
    rng = np.random.default_rng(seed)
    clips = []
    for number in range(count):
        row = rng.normal(0, 1, 5) * certainty / 4
        target = 1 + number % 4
        seen = target if rng.random() < 0.9 else 1 + target % 4
        row[seen] += certainty
        clips.append((torch.tensor(row), target))
    for _ in range(idle):
        row = rng.normal(0, 1, 5) * certainty / 4
        row[0] += certainty * rng.uniform(-0.2, 1)
        clips.append((torch.tensor(row), None))
    return clips


def evidence(clips) -> list[SignEvidence]:
    return [SignEvidence.of(*clip) for clip in clips]


# Glosses -----------------------------------------------------------------------


@pytest.mark.parametrize('truth', [(0.4, -0.8), (2.0, 0.5), (1.0, 0.0)])
def test_a_known_map_is_found(truth):
    truth = ConfidenceMap(*truth)
    fit = fit_calibration(glosses_like(truth, 4000))
    for raw in (0.4, 0.7, 0.9, 0.99):
        assert fit.glosses(raw) == pytest.approx(truth(raw), abs=0.05)
    assert fit.measured['ECE'] < 4 and fit.measured['glosses'] == 4000


def test_too_much_confidence_is_corrected():
    fit = fit_calibration(glosses_like(ConfidenceMap(0.4, -0.8), 400))
    assert fit.measured['ECE'] < fit.measured['ECE_before'] / 3


def test_nothing_found_changes_nothing():
    fit = fit_calibration([])
    assert fit.glosses is None and fit.signs is None
    assert 'no gloss' in fit.notes[0]


@pytest.mark.parametrize('raw', [0.2, 0.6, 0.95])
def test_all_right_or_all_wrong_is_a_share_like_another(raw):
    near = raw + np.linspace(-0.04, 0.04, 80)
    for is_right in (True, False):
        fit = fit_calibration([(c, is_right) for c in near])
        assert abs(fit.glosses(raw) - is_right) < 0.05
        assert 1e-3 < fit.glosses(raw) < 1 - 1e-4  # 80 make nothing certain
        assert fit.measured['ECE'] < min(5, fit.measured['ECE_before'])
    one = fit_calibration([(0.95, True)])
    assert 0.95 < one.glosses(0.95) < 0.97  # it says little


def test_a_few_glosses_change_little():
    pair = fit_calibration([(0.9, True), (0.6, False)])
    # Both are told apart without error: nothing becomes certain by that.
    assert 0.05 < pair.glosses(0.6) < pair.glosses(0.9) < 0.95
    separable = [(0.9 + i / 1000, True) for i in range(40)]
    separable += [(0.5 + i / 1000, False) for i in range(40)]
    fit = fit_calibration([*separable, (1.0, True), (0.0, False)])
    assert fit.glosses(0.5) > 0.002 and 0.9 < fit.glosses(0.95) < 0.998


def test_the_order_is_never_turned_round():
    surest_are_wrong = [(0.5, True)] * 60 + [(0.99, False)] * 40
    fit = fit_calibration(surest_are_wrong)
    assert fit.glosses.slope == 0
    assert fit.glosses(0.5) == pytest.approx(0.6, abs=0.02)


def test_glosses_are_judged_in_the_alignment():
    reference, found = ['A', 'B', 'C'], ['A', 'X', 'C', 'D']
    assert judge_glosses(reference, found) == [True, False, True, False]
    assert judge_glosses([], ['A']) == [False] and judge_glosses(['A'], []) == []
    # Cleaned like the reference; what the clean-up leaves out is not judged.
    found = ['__EMOTION__', 'cl-NORD', 'WIND']
    judged = judge_glosses(['loc-NORD', 'SUED'], found, 'phoenix2014')
    assert judged == [None, True, False]


# Single signs --------------------------------------------------------------------


@pytest.mark.parametrize('no_sign', [0.0, -2.0])
def test_evidence_is_what_a_reading_says(no_sign):
    for clip, target in likelihoods(12, 6.0, idle=4):
        found = SignEvidence.of(clip, target)
        for k in (0, 12, 30):
            calibration = SignCalibration(TEMPERATURES[k], 0.0, no_sign)
            (reading,) = read_single_signs(clip[None], VOCAB, [1], calibration)
            ((name, probability),) = reading.n_best
            odds = np.exp(found.odds[k] - no_sign / TEMPERATURES[k])
            expected = found.among[k] * odds / (1 + odds)
            assert expected == pytest.approx(probability)
            assert (found.margin > no_sign) == reading.accepted
        assert found.is_right == ([target] == VOCAB.encode([name], ''))


@pytest.mark.parametrize('truth', [0.5, 6.0])
def test_a_known_temperature_is_found(truth):
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(3000):
        row = torch.tensor(rng.normal(0, 2, 5))
        row[0] = -20.0
        target = int(rng.choice(5, p=row.softmax(0).numpy()))
        clips.append((row * truth, target))
    fit = fit_calibration([], evidence(clips))
    assert fit.signs.temperature == pytest.approx(truth, rel=0.25)
    assert fit.measured['signs_ECE'] < 4
    if truth > 2:
        assert fit.measured['signs_ECE_before'] > 10


def test_one_wrong_annotation_does_not_decide():
    clips = [(x, t) for x, t in likelihoods(60, 8.0, seed=3) if int(x.argmax()) == t]
    near, far = (torch.tensor([0, x, 0, 5, 0.0]) for x in (9.0, 2000.0))
    before, fit = (
        fit_calibration([], evidence([*clips, (wrong, 2)])) for wrong in (near, far)
    )
    assert fit.signs.temperature <= 2 * before.signs.temperature
    assert fit.measured['signs_ECE'] < 5


def read(clips, calibration):
    """Of each clip whether its best sign is accepted."""
    rows = torch.stack([row for row, _ in clips])
    readings = read_single_signs(rows, VOCAB, [1] * len(rows), calibration)
    return [reading.accepted for reading in readings]


@pytest.mark.parametrize('count', [1, 7, 20, 61])
@pytest.mark.parametrize('max_rejected', [0.0, 0.05, 0.3])
@pytest.mark.parametrize('faint', [0.0, 7.0])
def test_no_more_signs_are_rejected_than_may_be(count, max_rejected, faint):
    """Also where the network falls silent at most of them."""
    signs = likelihoods(count, 8.0, seed=count)
    for row, _ in signs:
        row[0] += faint
    clips = signs + likelihoods(0, 8.0, idle=9)
    fit = fit_calibration([], evidence(clips), max_rejected)
    accepted = read(clips, fit.signs)
    rejected = accepted[:count].count(False)
    assert rejected <= max_rejected * count
    assert fit.measured['rejected_signs'] == pytest.approx(100 * rejected / count)
    false = accepted[count:].count(True)
    assert fit.measured['false_accepts'] == pytest.approx(100 * false / 9)


def test_strangers_have_half_of_the_margin():
    """Where idle clips and signs lie far apart, the limit lies between."""
    signs = [(torch.tensor([0.0, 8.0, 0, 0, 0]), 1)] * 20
    idle = [(torch.tensor([12.0, 0.0, 0, 0, 0]), None)] * 5
    fit = fit_calibration([], evidence(signs + idle))
    assert fit.signs.no_sign == pytest.approx(-2, abs=0.01)
    assert 0.3 < fit.signs.threshold < 0.6
    unsure = torch.tensor([1.0, 1.5, 0, -9, -9.0])
    assert read([(unsure, 1), *idle], fit.signs) == [True] + [False] * 5
    # As it is without idle clips: nothing asks for another limit.
    assert fit_calibration([], evidence(signs)).signs.no_sign == 0


def test_idle_clips_in_which_the_network_sees_something():
    signs = [(torch.tensor([0.0, 8.0, 0, 0, 0]), 1)] * 20
    idle = [(torch.tensor([0.0, 2.0, 0, 0, 0]), None)] * 5
    fit = fit_calibration([], evidence(signs + idle))
    assert fit.measured['rejected_signs'] == fit.measured['false_accepts'] == 0
    assert read(signs + idle, fit.signs) == [True] * 20 + [False] * 5


@pytest.mark.parametrize(
    ('clips', 'temperature', 'why'),
    [
        ([(torch.tensor([0.0, 5.0, 1.0]), 2)], None, 'none of 1 single signs'),
        ([(torch.tensor([0.0, 5.0, 1.0]), None)], None, 'idle clips'),
        ([(torch.tensor([0.0, 5.0, 1.0]), 1)], 1.0, 'all 1 single signs are right'),
        ([(torch.full((3,), -torch.inf), 1)] * 2, None, 'none of'),
    ],
)
def test_odd_splits_keep_the_identity(clips, temperature, why):
    fit = fit_calibration([(0.9, True), (0.8, False)], evidence(clips))
    assert (fit.signs and fit.signs.temperature) == temperature
    assert why in fit.notes[-1]
    assert fit.glosses is not None  # these are another matter
