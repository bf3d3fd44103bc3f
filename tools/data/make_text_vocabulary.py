"""Make a text vocabulary from the sentences of a corpus' training split.

    python tools/data/make_text_vocabulary.py DATASET DATA_ROOT OUT [--size 2000]

DATASET is a corpus that mmsign knows, such as Phoenix2014TDataset; only its
annotations are read. OUT is the folder that ``mbart.vocabulary`` of a config names.
For networks that start from random weights: a pretrained mBART brings its own
vocabulary, which tools/convert/prune_mbart.py prunes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs


def training_texts(dataset: str, data_root: str) -> list[str]:
    """The sentences of a corpus' training split.

    Raises:
        ConfigError: the corpus is unknown, or has no sentences.
    """
    import mmsign  # noqa: F401  registers the corpora
    from mmsign.registry import DATASETS

    corpus = DATASETS.get(dataset)
    if not hasattr(corpus, 'load_annotations'):
        raise ConfigError(
            f'{dataset!r} is no sign language corpus that mmsign knows; expected '
            'Phoenix2014TDataset, CSLDailyDataset, …'
        )
    if not Path(data_root).is_dir():
        raise ConfigError(f'data root {data_root} is not a folder')
    clips = corpus.load_annotations(data_root, 'train')
    texts = [clip['text'] for clip in clips if clip['text'] and clip['text'].strip()]
    if not texts:
        raise ConfigError(f'{dataset} under {data_root} has no sentences')
    return texts


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dataset', help='type of the corpus')
    parser.add_argument('data_root', help='folder of the corpus')
    parser.add_argument('out', help='folder to write')
    parser.add_argument('--size', type=int, default=2000, help='number of pieces')
    args = parser.parse_args(arguments)
    check_outputs([args.out], folders=True)
    texts = training_texts(args.dataset, args.data_root)
    from mmsign.text import TextVocabulary, train_sentencepiece

    vocabulary = TextVocabulary(train_sentencepiece(texts, args.size), name=args.out)
    lost = [text for text in texts if vocabulary.round_trip_loss(text) is not None]
    if lost:
        raise ConfigError(f'{len(lost)} sentences do not survive, first: {lost[0]!r}')
    vocabulary.save(args.out)
    print(
        f'{args.out}: {len(vocabulary)} ids; all {len(texts)} training sentences '
        'survive encoding and decoding'
    )


if __name__ == '__main__':
    with reported_errors():
        main()
