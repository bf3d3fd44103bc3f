"""The quickstart's last words on translation: sentences side by side, and scores.

Reads what ``tools/test.py`` left in the work directory: the metrics
(``test_metrics.json``) and the dumped sentences (``sentences.jsonl``).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmsign.engine.launch import reported_errors
from mmsign.errors import DataError

SCORES = ('BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4', 'ROUGE-L')
ENSEMBLE = 'ensemble'


def side_by_side(records: list[dict], count: int, output: str = ENSEMBLE) -> str:
    """The sentences of some clips, evenly spread: what was signed, what was read."""
    step = max(1, len(records) // count)
    blocks = []
    for record in records[::step][:count]:
        found = record['hypotheses'][output]['text']
        blocks.append(
            f'{record["clip_id"]}\n  reference  {record["reference"]}\n'
            f'  {output:<9}  {found}'
        )
    return '\n'.join(blocks)


def table(metrics: dict[str, float]) -> str:
    """One row per translating output, the ensemble last."""
    outputs = [key.split('/')[0] for key in metrics if key.endswith('/BLEU-4')]
    outputs.sort(key=lambda name: (name == ENSEMBLE, name))
    rows = [f'{"output":<10}' + ''.join(f'{score:>9}' for score in SCORES)]
    for output in outputs:
        values = (metrics[f'{output}/{score}'] for score in SCORES)
        rows.append(f'{output:<10}' + ''.join(f'{value:>9.2f}' for value in values))
    return '\n'.join(rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', required=True, type=Path)
    parser.add_argument('--sentences', type=int, default=5, help='how many are shown')
    args = parser.parse_args(arguments)
    metrics_file = args.work_dir / 'test_metrics.json'
    dump = args.work_dir / 'sentences.jsonl'
    for needed in (metrics_file, dump):
        if not needed.is_file():
            raise DataError(
                f'{needed} is missing: run tools/test.py on this work dir first'
            )
    metrics = json.loads(metrics_file.read_text(encoding='utf-8'))
    with dump.open(encoding='utf-8') as lines:
        records = [json.loads(line) for line in lines]
    print(side_by_side(records, args.sentences))
    print(table(metrics))
    print(f'WER of the recognized glosses: {metrics["average/WER"]:.2f}')
    print('Translation by the ensemble:')
    for score in SCORES:
        print(f'{score} {metrics[f"{ENSEMBLE}/{score}"]:.2f}')


if __name__ == '__main__':
    with reported_errors():
        main()
