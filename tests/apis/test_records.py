from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from mmsign.apis.records import ClipResult, OutputResult
from mmsign.structures import TimedGloss

GLOSSES = (TimedGloss('REGEN', 0.0, 0.32, 0.9), TimedGloss('SÜD', 0.4, 0.16, 0.5))
N_BEST = ((('REGEN', 'SÜD'), -1.5), (('REGEN',), -2.0))
RESULT = ClipResult(
    clip='a.mp4',
    sentence='regen im süden .',
    translations=dict(joint='regen im süden .'),
    outputs=dict(average=OutputResult(GLOSSES, -1.5, N_BEST)),
    num_frames=14,
    duration=0.56,
    notices=('only',),
    timing=dict(load=0.1),
)


def test_the_names_of_the_glosses():
    assert RESULT.gloss_sequence == ('REGEN', 'SÜD')
    assert ClipResult('clip-0').gloss_sequence == ()


def test_it_becomes_json_with_every_field():
    record = json.loads(json.dumps(RESULT.to_dict(), ensure_ascii=False))
    assert list(record) == [
        *('clip', 'glosses', 'score', 'n_best', 'sentence', 'translations', 'outputs'),
        *('num_frames', 'duration', 'calibrated', 'single_sign', 'notices'),
        *('timing', 'error'),
    ]
    assert record['score'] == -1.5 and record['sentence'] == 'regen im süden .'
    assert record['glosses'][1] == dict(
        gloss='SÜD', start=0.4, end=0.56, confidence=0.5
    )
    assert record['n_best'] == [[['REGEN', 'SÜD'], -1.5], [['REGEN'], -2.0]]
    assert record['outputs']['average'] == dict(
        glosses=record['glosses'], score=-1.5, n_best=record['n_best']
    )
    assert record['error'] is None and record['notices'] == ['only']


def test_records_do_not_change_and_share_nothing():
    with pytest.raises(FrozenInstanceError):
        RESULT.score = 0.0
    first = ClipResult('a', error='no video file a')
    first.outputs['average'] = first.timing['load'] = None
    assert ClipResult('b').outputs == {} and ClipResult('b').timing == {}
    record = RESULT.to_dict()
    record['timing']['load'] = 9
    assert RESULT.timing == dict(load=0.1)
