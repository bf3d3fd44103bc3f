"""A dump of six clips, and a second run on them."""

from __future__ import annotations

import pytest

from mmsign.evaluation import write_predictions

REFERENCES = ['ROT BLAU', 'ROT', 'GELB GELB ROT', '', '<script>alert(1)</script>', 'A']
SIGNERS = ['s1', 's2', 's1', 's2', '<b>', 's1']
FIRST = dict(
    video=['ROT', 'ROT', 'GELB ROT', '', 'A&B', 'A'],
    average=['ROT GRAU', 'ROT', 'GELB', 'NEU', '<img/src=x>', 'A'],
)
SECOND = dict(average=['ROT BLAU', 'ROT', 'GELB', '', '<img/src=x>', 'A B C'])


def records(outputs):
    return [
        dict(
            clip_id=f'clip{i}' if i else '"><i>clip0',
            signer=SIGNERS[i],
            reference=reference.split(),
            hypotheses={
                name: dict(glosses=lines[i].split(), score=0.0, spans=[], n_best=[])
                for name, lines in outputs.items()
            },
        )
        for i, reference in enumerate(REFERENCES)
    ]


@pytest.fixture
def first(tmp_path):
    return write_predictions(tmp_path / 'first', records(FIRST))[0]


@pytest.fixture
def second(tmp_path):
    # Another order of the clips, as several processes may leave it.
    return write_predictions(tmp_path / 'second', records(SECOND)[::-1])[0]


SIGNS = [  # signer, reference, what was read best first, whether it is believed
    ('s1', 'ROT', ['ROT', 'BLAU'], True),
    ('s1', 'ROT', ['<b>BLAU', 'ROT'], True),
    ('s2', 'BLAU', ['BLAU', 'ROT'], False),
    ('s2', '', ['ROT', 'BLAU'], True),
]


@pytest.fixture
def signs(tmp_path):
    """A dump of four clips of one sign or none, and of one sentence."""
    made = []
    for number, (signer, reference, names, accepted) in enumerate(SIGNS):
        best = [dict(gloss=name, confidence=0.5) for name in names]
        sign = dict(n_best=best, no_sign=0.1, none_of_these=not accepted)
        found = dict(average=dict(glosses=names[:1], single_sign=sign))
        record = dict(clip_id=f'clip{number}', signer=signer, hypotheses=found)
        made.append(record | dict(reference=reference.split()))
    return write_predictions(tmp_path / 'signs', [*made, *records(SECOND)[:1]])[0]
