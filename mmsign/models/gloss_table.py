"""First values of the gloss embeddings, the "source language" of translation.

Symbols: V ids of the text vocabulary, D width of mBART.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.files import read_lines, write_lines
from mmsign.text import GlossTokens, TextVocabulary

# In a folder that tools/convert/prune_mbart.py wrote.
TABLE_FILE = 'gloss_embedding.safetensors'
LIST_FILE = 'gloss_embedding.txt'


def gloss_table_from_text(
    embeddings: Tensor, vocabulary: TextVocabulary, glosses: GlossTokens, language: str
) -> Tensor:
    """(rows, D): the mean of the embeddings of the pieces of each lower-cased gloss.

    A gloss that is spelt like a word of the sentences begins as that word, which a
    network learns to copy, however rare the gloss is.

    Args:
        embeddings: (V, D) of the text.
        vocabulary: Of the text.
        glosses: The rows.
        language: Its embedding is that of the gloss language's row.
    """
    pieces = [vocabulary.pieces(symbol.lower()) for symbol in glosses.symbols]
    rows = [embeddings[ids or [vocabulary.unk_id]].mean(0) for ids in pieces]
    table = torch.stack(rows)
    table[:4] = embeddings[:4]
    table[glosses.language_id] = embeddings[vocabulary.language_id(language)]
    return table


def save_gloss_table(folder: Path, table: Tensor, glosses: GlossTokens) -> None:
    """Write the embeddings (rows, D) and the names of the rows."""
    save_file(dict(weight=table.contiguous()), folder / TABLE_FILE)
    write_lines(folder / LIST_FILE, glosses.symbols)


def load_gloss_table(folder: Path, symbols: Sequence[str]) -> Tensor:
    """(rows, D): what ``save_gloss_table`` wrote, in the order of ``symbols``.

    Raises:
        FileNotFoundError: If the folder has no such table.
        ConfigError: If a symbol has no row.
    """
    table, names = folder / TABLE_FILE, folder / LIST_FILE
    if not table.is_file() or not names.is_file():
        raise FileNotFoundError(
            f'no {table} with {names.name}: prepare the directory with tools/convert/'
            'prune_mbart.py, or set gloss_table=False for random gloss embeddings'
        )
    rows = {symbol: row for row, symbol in enumerate(read_lines(names))}
    if missing := [symbol for symbol in symbols if symbol not in rows]:
        raise ConfigError(
            f'{table} has no embedding for {len(missing)} glosses of the vocabulary '
            f'(first: {missing[:5]}); prepare it for this corpus'
        )
    return load_file(table)['weight'][[rows[symbol] for symbol in symbols]]
