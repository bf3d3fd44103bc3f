import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmsign.errors import ConfigError, DataError
from mmsign.evaluation import ClipMetric, count_word_errors, read_predictions


class Count(ClipMetric):
    """Word errors without any clean-up, of records that are ready."""

    def record(self, data_sample):
        return dict(data_sample, signer='s1')

    reference = hypothesis = None

    def compare(self, references, hypotheses, signers):
        found = hypotheses.items()
        errors = {name: count_word_errors(references, rows) for name, rows in found}
        return errors, 'table'


def clip(clip_id, reference, **outputs):
    hypotheses = {name: dict(glosses=g.split()) for name, g in outputs.items()}
    return dict(clip_id=clip_id, reference=reference.split(), hypotheses=hypotheses)


def test_clips_seen_twice_count_once():
    metric = Count()
    metric.process(None, [clip('a', 'ROT', video='ROT'), clip('b', 'BLAU', video='')])
    metric.process(None, [clip('a', 'ROT', video='BLAU')])  # padding
    found = metric.evaluate(2)
    assert (found['video/WER'], found['video/D'], found['video/S']) == (50, 1, 0)
    assert metric.results == []


def test_clips_that_do_not_go_together():
    metric = Count()
    metric.process(None, [clip('a', 'ROT', video='ROT')] * 2)
    with pytest.raises(DataError):
        metric.evaluate(2)
    with pytest.raises(DataError):
        metric.compute_metrics([])
    whole = clip('a', 'ROT', video='ROT', joint='ROT')
    lacking = clip('clip7', 'ROT', video='ROT')
    for clips in ([whole, lacking], [lacking, whole]):
        with pytest.raises(DataError, match='clip7'):
            metric.compute_metrics(clips)


def test_dump(tmp_path):
    metric = Count(dump=str(tmp_path / 'dev'), prefix='p')
    metric.process(None, [clip('a', 'ROT', video='ROT')])
    assert metric.evaluate(1)['p/video/WER'] == 0
    assert json.loads((tmp_path / 'dev.jsonl').read_text())['clip_id'] == 'a'


def test_what_is_recognized_is_on_the_disk_at_once(tmp_path):
    partial = tmp_path / 'dev.partial.jsonl'
    for _ in range(2):
        metric = Count(dump=str(tmp_path / 'dev'))
        for count, name in enumerate('ab', 1):
            metric.process(None, [clip(name, 'ROT', video='ROT')])
            assert len(read_predictions(partial)) == count
        with pytest.raises(DataError):  # a clip is missing: what is there stays
            metric.evaluate(3)
    metric.process(None, [clip(name, 'ROT', video='ROT') for name in 'ab'])
    metric.evaluate(2)
    assert not partial.exists() and len(read_predictions(tmp_path / 'dev.jsonl')) == 2


def test_a_dump_replaces_nothing_else(tmp_path):
    path = tmp_path / 'manifest.jsonl'
    path.write_text('{"id": "a"}\n')
    for prefix in (path.with_suffix(''), path / 'dev'):
        with pytest.raises(ConfigError, match='manifest.jsonl'):
            Count(dump=str(prefix))
    assert path.read_text() == '{"id": "a"}\n'


RANK_SCRIPT = """
import json, sys
import torch.distributed as dist
from mmsign.evaluation import WERMetric
from mmsign.structures import GlossPrediction, TimedGloss

assert 'sacrebleu' not in sys.modules  # an extra; imported when it is used
rank, meeting, dump = int(sys.argv[1]), sys.argv[2], sys.argv[3]
dist.init_process_group('gloo', f'file://{meeting}', rank=rank, world_size=2)
metric = WERMetric(gloss_cleanup='none', dump=dump)
# Contiguous shares of 5 clips, the second filled up with its own last one.
for clip in [[0, 1, 2], [3, 4, 4]][rank]:
    found = ['ROT'] * clip
    metric.process(None, [dict(
        clip_id=f'c{clip}', signer='', glosses=['ROT', 'ROT'],
        predictions=dict(video=GlossPrediction((TimedGloss('ROT', 0, 1),) * clip, 0.0)),
    )])
print('RESULT', json.dumps(metric.evaluate(5)))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes(tmp_path):
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), os.environ.get('PYTHONPATH', '')])
    arguments = [str(tmp_path / 'meeting'), str(tmp_path / 'dump')]
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', RANK_SCRIPT, str(rank), *arguments],
            cwd=tmp_path,
            env=dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS='1'),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    found = [json.loads(out.split('RESULT')[1].splitlines()[0]) for out in outputs]
    assert found[0] == found[1]
    assert {k: found[0][f'video/{k}'] for k in 'SDI'} == {'S': 0, 'D': 3, 'I': 3}
    assert found[0]['video/reference_words'] == 10
    lines = (tmp_path / 'dump.jsonl').read_text(encoding='utf-8').splitlines()
    assert not list(tmp_path.glob('*.partial*'))
    assert sorted(json.loads(line)['clip_id'] for line in lines) == [
        f'c{i}' for i in range(5)
    ]
