"""Prune an mBART to a corpus, and make its gloss embeddings.

    python tools/convert/prune_mbart.py MBART_DIR CORPUS OUT [--dataset TYPE]
        [--language de_DE]

MBART_DIR is a local directory such as mBART-large-cc25's: config.json,
model.safetensors or pytorch_model.bin, sentencepiece.bpe.model. CORPUS is the folder
of the corpus; only its annotations are read. OUT gets the same files with the
special tokens, the languages and the pieces of the training sentences alone; the map
from new to old ids (text_vocabulary.json); and an embedding for every training
gloss: the mean of mBART's embeddings of the pieces of the lower-cased gloss.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

import mmsign  # noqa: F401  registers the corpora
from mmsign.compat.transformers_mbart import load_mbart, read_mbart_config
from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs
from mmsign.models.mbart import gloss_table_from_text, save_gloss_table
from mmsign.registry import DATASETS
from mmsign.text import GlossTokens, TextVocabulary
from mmsign.vocab import GlossVocabulary


def read_corpus(dataset: str, root: str) -> tuple[list[str], GlossVocabulary]:
    """Training sentences and glosses of a corpus.

    Raises:
        ConfigError: the corpus is unknown, not there, or has no sentences.
    """
    corpus = DATASETS.get(dataset)
    if not hasattr(corpus, 'load_annotations'):
        raise ConfigError(f'{dataset!r} is no sign language corpus that mmsign knows')
    if not Path(root).is_dir():
        raise ConfigError(f'corpus {root} is not a folder')
    clips = corpus.load_annotations(root, 'train')
    texts = [clip['text'] for clip in clips if clip['text']]
    if not texts:
        raise ConfigError(f'{dataset} under {root} has no sentences')
    vocab = GlossVocabulary.from_sentences([clip['glosses'] for clip in clips])
    return texts, vocab


def prune_network(network: nn.Module, kept: Sequence[int]) -> None:
    """Keep the embeddings, outputs and biases of the ids ``kept``, in place."""
    kept = torch.tensor(kept)
    weight = network.get_input_embeddings().weight.detach()[kept].clone()
    bias = network.final_logits_bias[:, kept].clone()
    network.resize_token_embeddings(len(kept))
    with torch.no_grad():
        network.get_input_embeddings().weight.copy_(weight)
        network.final_logits_bias = bias


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('mbart', metavar='MBART_DIR', help='directory of an mBART')
    parser.add_argument('corpus', metavar='CORPUS', help='folder of the corpus')
    parser.add_argument('out', metavar='OUT', type=Path, help='directory to write')
    parser.add_argument(
        '--dataset',
        default='Phoenix2014TDataset',
        help='type of the corpus (default: %(default)s; CSLDailyDataset, …)',
    )
    parser.add_argument(
        '--language',
        default='de_DE',
        help='of the sentences (default: %(default)s; zh_CN, …)',
    )
    args = parser.parse_args(arguments)
    check_outputs([args.out], [args.mbart], folders=True)
    texts, glosses = read_corpus(args.dataset, args.corpus)
    whole = TextVocabulary.from_folder(args.mbart)
    whole.language_id(args.language)
    size = read_mbart_config(args.mbart).get('vocab_size')
    if size != len(whole):
        raise ConfigError(
            f'{args.mbart}: config.json has {size} ids, its sentencepiece model makes '
            f'{len(whole)}: the files do not belong together'
        )
    pruned = whole.prune(texts)
    network = load_mbart(args.mbart)
    rows = GlossTokens(glosses)
    embeddings = network.get_input_embeddings().weight.detach()
    table = gloss_table_from_text(embeddings, whole, rows, args.language)
    position = {old: index for index, old in enumerate(whole.old_ids())}
    prune_network(network, [position[old] for old in pruned.old_ids()])
    args.out.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(args.out)
    pruned.save(args.out)
    save_gloss_table(args.out, table, rows)
    lost = [text for text in texts if pruned.round_trip_loss(text) is not None]
    print(
        f'{args.out}: {len(pruned)} of {len(whole)} ids, {len(rows)} gloss embeddings'
    )
    if lost:
        print(
            f'{len(lost)} of {len(texts)} training sentences come back changed by '
            f"mBART's own sentencepiece model, such as {lost[0]!r} as "
            f'{pruned.round_trip_loss(lost[0])!r}'
        )


if __name__ == '__main__':
    with reported_errors():
        main()
