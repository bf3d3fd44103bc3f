"""List mmsign's configs: ``python tools/configs.py [WORD …]``.

Each with its task, its corpus and what the paper reports for it (in percent), from the
metafiles beside the configs; with WORDs those that contain all of them. A tool takes a
config by the name in this list, from any folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

if __name__ == '__main__':
    from _light import import_lightly

    import_lightly('engine', 'engine.launch')

from mmsign.engine.launch.errors import reported_errors
from mmsign.shipped import shipped


def read_models() -> list[dict]:
    """The entries of all metafiles that ``model-index.yml`` names, in its order."""
    index = yaml.safe_load(shipped('model-index.yml').read_text(encoding='utf-8'))
    files = map(shipped, index['Import'])
    texts = (file.read_text(encoding='utf-8') for file in files)
    return [model for text in texts for model in yaml.safe_load(text)['Models']]


def row(model: dict) -> list[str]:
    """Name, task, corpus and the paper's figures of an entry."""
    name = Path(model['Config']).relative_to('configs').with_suffix('').as_posix()
    (result,) = model['Results']
    return [name, result['Task'], result['Dataset'], figures(result['Metrics'])]


def figures(metrics: dict[str, float]) -> str:
    """``{'WER (dev)': 18.39, 'WER (test)': 18.79}`` → ``WER 18.39 / 18.79``."""
    texts = {key: f'{value:.2f}' for key, value in metrics.items()}
    names = dict.fromkeys(key.partition(' (')[0] for key in metrics)
    splits = 'dev', 'test'
    return ', '.join(
        f'{name} {" / ".join(texts.get(f"{name} ({split})", "–") for split in splits)}'
        for name in names
    )


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'words', nargs='*', metavar='WORD', help='in any column, in any case'
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print; 0 if a config was listed, 1 if there is none with these words."""
    words = [word.lower() for word in parse_args(arguments).words]
    rows = [
        cells
        for cells in map(row, read_models())
        if all(word in '\t'.join(cells).lower() for word in words)
    ]
    if not rows:
        print(f'no config with {" ".join(words)}', file=sys.stderr)
        return 1
    table = [['config', 'task', 'corpus', 'paper, dev / test'], *rows]
    widths = [max(map(len, column)) for column in zip(*table)]
    for cells in table:
        print('  '.join(cell.ljust(w) for cell, w in zip(cells, widths)).rstrip())
    return 0


if __name__ == '__main__':
    with reported_errors():
        raise SystemExit(main())
