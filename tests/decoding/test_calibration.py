import json

import numpy as np
import pytest
import torch

from mmsign.decoding import (
    Calibration,
    ConfidenceMap,
    CTCBeamSearch,
    Hypothesis,
    IncrementalCTC,
    SignCalibration,
    StepClock,
    calibrations_from,
    timed_glosses,
)
from mmsign.errors import ConfigError
from mmsign.vocab import GlossVocabulary

TIMID = ConfidenceMap(0.5, -0.7)
FULL = Calibration(
    TIMID, SignCalibration(3.0, 0.25, -1.5, 30), dict(glosses=40), ('a note',)
)


@pytest.mark.parametrize('slope', [0.0, 0.3, 1.0, 1e6])
def test_a_map_keeps_the_order(slope):
    mapped = [ConfidenceMap(slope, -0.4)(c) for c in np.linspace(0, 1, 101)]
    assert mapped == sorted(mapped) and 0 <= mapped[0] <= mapped[-1] <= 1


def test_the_confidences_of_glosses_are_mapped_offline_and_in_a_stream():
    vocab = GlossVocabulary(['RAIN'])
    steps = torch.tensor([[0.2, 0.8], [0.4, 0.6], [0.95, 0.05]]).log()
    clock = StepClock.of_frames(np.arange(3), 3, 3)
    best = Hypothesis((1,), -1.0, ((0, 2),))
    (plain,) = timed_glosses(best, steps, vocab, clock)
    (mapped,) = timed_glosses(best, steps, vocab, clock, TIMID)
    assert plain.score == 0.7 and mapped.score == round(TIMID(0.7), 4) < 0.6
    settings = CTCBeamSearch(), vocab, 1, lambda n: (n, n + 1)
    decoder = IncrementalCTC(*settings, confidences=TIMID)
    assert decoder.step(steps)[0].score == mapped.score


def test_what_is_written_is_read():
    written = json.dumps(dict(average=FULL.to_dict(), video=Calibration().to_dict()))
    found = calibrations_from(json.loads(written))
    assert found == dict(average=FULL, video=Calibration())
    assert calibrations_from(None) == {}
    earlier = FULL.to_dict()
    del earlier['signs']['steps']
    assert Calibration.from_dict(earlier).signs.steps == 0


@pytest.mark.parametrize(
    'change',
    [
        dict(glosses=3),
        dict(glosses=dict(slope=1.0)),
        dict(glosses=dict(slope=-1.0, offset=0.0)),
        dict(glosses=dict(slope=float('nan'), offset=0.0)),
        dict(glosses=dict(slope='steep', offset=0.0)),
        dict(glosses=dict(slope=10**400, offset=0.0)),
        dict(signs=dict(temperature=1.0, threshold=0.5)),
        dict(signs=dict(temperature=0.0, threshold=0.5, no_sign=0.0)),
        dict(signs=dict(temperature=1.0, threshold=1.5, no_sign=0.0)),
        dict(signs=dict(temperature=1.0, threshold=0.5, no_sign=float('inf'))),
        dict(measured=[1]),
        dict(measured=dict(ECE='low')),
        dict(notes=None),
    ],
)
def test_what_is_no_calibration_is_refused(change):
    with pytest.raises(ConfigError, match='calibration'):
        calibrations_from(dict(average=FULL.to_dict() | change))
    with pytest.raises(ConfigError, match='calibration'):
        calibrations_from(['average'])
