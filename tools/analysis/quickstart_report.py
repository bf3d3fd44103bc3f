"""The quickstart's last words: a table, a text report, a picture.

Reads what ``tools/test.py`` left in the work directory: the metrics
(``test_metrics.json``) and the dumped predictions, and writes ``report.txt``
and ``picture.png`` beside them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmsign.registry import DATASETS

OUTPUTS = ('video', 'keypoint', 'joint', 'average')


def read_predictions(path: Path) -> list[dict]:
    """One record per clip, as the metric dumped them."""
    with path.open(encoding='utf-8') as lines:
        return [json.loads(line) for line in lines]


def table(metrics: dict[str, float]) -> str:
    """One row per output: WER and the counts of each kind of error."""
    rows = [f'{"output":<10} {"WER":>7} {"S":>5} {"D":>5} {"I":>5}']
    for name in OUTPUTS:
        if f'{name}/WER' in metrics:
            counts = ' '.join(f'{int(metrics[f"{name}/{k}"]):>5}' for k in 'SDI')
            rows.append(f'{name:<10} {metrics[f"{name}/WER"]:>7.2f} {counts}')
    return '\n'.join(rows)


def write_report(
    path: Path, metrics: dict[str, float], records: list[dict], cleanup: str
) -> None:
    """Totals, then every test sentence aligned, the worst first."""
    from mmsign.evaluation.cleanup import clean_glosses
    from mmsign.evaluation.wer import align_words

    sentences = []
    for record in records:
        sides = record['reference'], record['hypotheses']['average']['glosses']
        pairs = align_words(*(clean_glosses(side, cleanup) for side in sides))
        errors = sum(a != b for a, b in pairs)
        widths = [max(len(a or '*'), len(b or '*')) for a, b in pairs]
        lines = [f'{record["clip_id"]}  {record["signer"]}  {errors} errors']
        for label, side in (('  reference ', 0), ('  average   ', 1)):
            words = [
                (pair[side] or '*').ljust(width)
                for pair, width in zip(pairs, widths, strict=True)
            ]
            lines.append((label + ' '.join(words)).rstrip())
        sentences.append((errors, '\n'.join(lines)))
    sentences.sort(key=lambda item: -item[0])
    text = '\n\n'.join([table(metrics), *(lines for _, lines in sentences)])
    path.write_text(text + '\n', encoding='utf-8')


def write_picture(path: Path, cfg: Config, dataset, record: dict) -> None:
    """The network's view of one test clip over what each output recognized."""
    from mmsign.models import SignDataPreprocessor
    from mmsign.visualization import clip_sheet, save_timeline

    index = next(
        i
        for i in range(len(dataset))
        if dataset.get_data_info(i)['clip_id'] == record['clip_id']
    )
    clip = dataset[index]
    preprocess = SignDataPreprocessor(
        **{k: v for k, v in cfg.model.data_preprocessor.items() if k != 'type'}
    )
    sample, keypoints = clip['data_samples'], clip['inputs']['keypoints']
    ready = preprocess(
        dict(
            inputs={key: [value] for key, value in clip['inputs'].items()},
            data_samples=[sample],
        )
    )
    sheet = clip_sheet(
        clip['inputs']['video'].permute(1, 2, 3, 0).contiguous().numpy(),
        ready['inputs']['heatmaps'][0].float().numpy(),
        np.asarray(keypoints),
        sample.crop_box,
        columns=10,
    )
    predictions = {
        name: (found['glosses'], found['spans'])
        for name, found in record['hypotheses'].items()
    }
    save_timeline(
        path,
        sheet,
        record['reference'],
        predictions,
        sample.num_frames,
        f'{record["clip_id"]}, {record["signer"]}',
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', required=True, type=Path)
    parser.add_argument(
        '--config', type=Path, help='config of the run (default: the one in WORK_DIR)'
    )
    args = parser.parse_args()
    work = args.work_dir
    metrics_file, dump = work / 'test_metrics.json', work / 'predictions.jsonl'
    for needed in (metrics_file, dump):
        if not needed.is_file():
            sys.exit(f'{needed} is missing: run tools/test.py on this work dir first')
    config = args.config or next(iter(sorted(work.glob('*.py'))), None)
    if config is None:
        sys.exit(f'no config in {work}: name one with --config')
    import mmsign  # noqa: F401  registers the parts

    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    metrics = json.loads(metrics_file.read_text(encoding='utf-8'))
    records = read_predictions(dump)
    report, picture = work / 'report.txt', work / 'picture.png'
    write_report(report, metrics, records, dataset.metainfo['gloss_cleanup'])
    # The longest test sentence shows most.
    longest = max(records, key=lambda record: len(record['reference']))
    write_picture(picture, cfg, dataset, longest)
    print(table(metrics))
    print(f'picture: {picture}')
    print(f'report:  {report}')


if __name__ == '__main__':
    main()
