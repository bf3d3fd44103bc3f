import json
import math

import pytest

from mmsign.errors import DataError
from mmsign.evaluation import read_predictions, write_predictions


def record(clip_id, reference, score=-1.5, **glosses):
    return dict(
        clip_id=clip_id,
        signer='s1',
        reference=reference,
        hypotheses={
            output: dict(
                glosses=g,
                score=score,
                spans=[[0, 4]] * len(g),
                n_best=[[g, score], [[], -9.0]],
            )
            for output, g in glosses.items()
        },
    )


def test_files(tmp_path):
    records = [
        record('b', ['ROT', 'GRÜN'], video=['ROT'], average=[]),
        record('a', [], video=[], average=['ROT', 'ROT']),
    ]
    paths = write_predictions(tmp_path / 'new' / 'dev.epoch1', records)
    names = ['dev.epoch1.jsonl', 'dev.epoch1.reference.txt']
    names += ['dev.epoch1.video.txt', 'dev.epoch1.average.txt']
    assert [path.name for path in paths] == names
    assert sorted(p.name for p in (tmp_path / 'new').iterdir()) == sorted(names)
    texts = [path.read_text(encoding='utf-8') for path in paths]
    assert [json.loads(line) for line in texts[0].splitlines()] == records
    assert texts[1:] == ['ROT GRÜN\n\n', 'ROT\n\n', '\nROT ROT\n']


def test_scores_that_json_cannot_hold(tmp_path):
    path, *_ = write_predictions(tmp_path / 'x', [record('a', [], -math.inf, video=[])])
    hypothesis = json.loads(path.read_text(encoding='utf-8'))['hypotheses']['video']
    assert hypothesis['score'] is None
    assert hypothesis['n_best'] == [[[], None], [[], -9.0]]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (path, *_) = write_predictions(tmp_path / 'x', [record('a', [], video=[])])
    before = path.read_bytes()
    broken = [record('a', ['ROT'], video=[]), record('b', [{1}], video=[])]
    with pytest.raises(TypeError):
        write_predictions(tmp_path / 'x', broken)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob('*.part'))


def test_sentences(tmp_path):
    records = [
        dict(
            clip_id='a',
            signer='s1',
            reference='am tag\nregen .',
            hypotheses=dict(joint=dict(text='regen .', score=-1.0, n_best=[])),
        )
    ]
    path, reference, joint = write_predictions(tmp_path / 'x', records)
    assert [json.loads(line) for line in path.read_text().splitlines()] == records
    assert reference.read_text() == 'am tag regen .\n'
    assert joint.read_text() == 'regen .\n'


def test_reading_back(tmp_path):
    records = [
        record('b', ['ROT', 'GRÜN'], video=['ROT'], average=[]),
        record('a', [], video=[], average=['ROT']),
    ]
    path, *_ = write_predictions(tmp_path / 'x', records)
    assert read_predictions(path) == records


def test_files_that_are_no_dump(tmp_path):
    path = tmp_path / 'x.jsonl'
    good = json.dumps(record('a', ['ROT'], video=['ROT']))
    mixed = record('b', 'ein satz', video=['ROT'])
    for lines, named in (
        ([], 'x.jsonl'),
        ([good, '{'], 'line 2'),
        ([good, '[1]'], 'line 2'),
        ([good, '{"clip_id": "b"}'], 'line 2'),
        ([good, good], "line 2: clip 'a'"),
        ([good, json.dumps(mixed)], "line 2: clip 'b'"),
        ([good, json.dumps(record('b', [], joint=[]))], "line 2: clip 'b'"),
    ):
        path.write_text('\n'.join(lines), encoding='utf-8')
        with pytest.raises(DataError, match=named):
            read_predictions(path)
