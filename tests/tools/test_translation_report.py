from __future__ import annotations

import json

import pytest
from tiny_run import load_tool

from mmsign.errors import DataError

tool = load_tool('analysis/translation_report')
SCORES = ('BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4', 'ROUGE-L')


def test_sentences_then_the_scores_of_the_ensemble(tmp_path, capsys):
    with pytest.raises(DataError, match='test_metrics.json'):
        tool.main(['--work-dir', str(tmp_path)])
    metrics = {'average/WER': 9.5}
    for base, output in ((80, 'ensemble'), (60, 'video'), (70, 'joint')):
        metrics |= {f'{output}/{s}': base + i for i, s in enumerate(SCORES)}
    (tmp_path / 'test_metrics.json').write_text(json.dumps(metrics))
    records = [
        dict(
            clip_id=f'c{i}',
            reference=f'regen {i} .',
            hypotheses=dict(ensemble=dict(text=f'schnee {i} .')),
        )
        for i in range(10)
    ]
    lines = ''.join(json.dumps(record) + '\n' for record in records)
    (tmp_path / 'sentences.jsonl').write_text(lines)
    tool.main(['--work-dir', str(tmp_path), '--sentences', '2'])
    printed = capsys.readouterr().out.splitlines()
    assert printed[:4] == [
        *('c0', '  reference  regen 0 .', '  ensemble   schnee 0 .'),
        'c5',
    ]
    assert [line.split()[0] for line in printed[7:10]] == ['joint', 'video', 'ensemble']
    assert printed[10] == 'WER of the recognized glosses: 9.50'
    assert printed[-5:] == [
        *('BLEU-1 80.00', 'BLEU-2 81.00', 'BLEU-3 82.00', 'BLEU-4 83.00'),
        'ROUGE-L 84.00',
    ]
