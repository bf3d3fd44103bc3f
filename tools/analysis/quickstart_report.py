"""The quickstart's last words: a table, a text report, a picture.

Reads what ``tools/test.py`` left in the work directory: the metrics
(``test_metrics.json``) and the dumped predictions, and writes ``report.txt``
and ``picture.png`` beside them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError, DataError
from mmsign.evaluation import read_predictions
from mmsign.files import write_text
from mmsign.registry import DATASETS, MODELS

OUTPUTS = ('video', 'keypoint', 'joint', 'average')


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
    from mmsign.visualization.alignment import render_alignment

    sentences = []
    for record in records:
        sides = record['reference'], record['hypotheses']['average']['glosses']
        pairs = align_words(*(clean_glosses(side, cleanup) for side in sides))
        errors = sum(a != b for a, b in pairs)
        head = f'{record["clip_id"]}  {record["signer"]}  {errors} errors'
        sentences.append((errors, f'{head}\n{render_alignment(pairs)}'))
    sentences.sort(key=lambda item: -item[0])
    text = '\n\n'.join([table(metrics), *(lines for _, lines in sentences)])
    write_text(path, text + '\n')


def write_picture(path: Path, cfg: Config, dataset, record: dict) -> None:
    """The network's view of one test clip over what each output recognized."""
    from mmsign.structures import TimedGloss
    from mmsign.visualization import Timeline, draw_timeline, view_clip
    from mmsign.visualization.clip_view import write_image

    clips = range(len(dataset))
    names = [dataset.get_data_info(index)['clip_id'] for index in clips]
    clip = dataset[names.index(record['clip_id'])]
    preprocessor = MODELS.build(
        {'type': 'SignDataPreprocessor', **cfg.model.data_preprocessor}
    )
    sample, fps = clip['data_samples'], cfg.corpus.fps
    glosses = {
        name: [
            TimedGloss(gloss, start / fps, (end - start) / fps)
            for gloss, (start, end) in zip(found['glosses'], found['spans'])
        ]
        for name, found in record['hypotheses'].items()
    }
    timeline = Timeline(
        f'{record["clip_id"]}   ·   {record["signer"]}',
        (0.0, sample.num_frames / fps),
        glosses,
        reference=record['reference'],
        view=view_clip(clip['inputs'], sample, preprocessor),
        times=(sample.frame_indices + 0.5) / fps,
    )
    write_image(path, draw_timeline(timeline))


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
            raise DataError(
                f'{needed} is missing: run tools/test.py on this work dir first'
            )
    config = args.config or next(iter(sorted(work.glob('*.py'))), None)
    if config is None:
        raise ConfigError(f'no config in {work}: name one with --config')
    import mmsign  # noqa: F401  registers the parts
    from mmsign.evaluation.signers import familiar_signers

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
    trained = dataset.metainfo['training_signers']
    if notice := familiar_signers((r['signer'] for r in records), trained):
        print(notice)
    print(f'picture: {picture}')
    print(f'report:  {report}')


if __name__ == '__main__':
    with reported_errors():
        main()
