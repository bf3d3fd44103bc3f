"""Train a sentencepiece model, for networks without pretraining."""

from __future__ import annotations

import io
from collections.abc import Sequence

from mmsign.errors import DataError, optional_import


def train_sentencepiece(texts: Sequence[str], size: int) -> bytes:
    """Train a model whose pieces can express every one of ``texts``.

    Args:
        texts: Sentences. The same sentences give the same model.
        size: Number of pieces wanted; a small corpus gets fewer.

    Returns:
        The serialised model.

    Raises:
        DataError: If ``size`` is too small for the letters of the texts, or
            there are no texts.

    Examples:
        >>> model = train_sentencepiece(['am tag regnet es .', 'es schneit .'], 40)
        >>> isinstance(model, bytes)
        True
    """
    sentencepiece = optional_import('sentencepiece', 'translation')
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise DataError('no sentences to train a sentencepiece model on')
    buffer = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(texts),
            model_writer=buffer,
            vocab_size=size,
            # Small corpora: its pieces are whole words sooner than unigram's.
            model_type='bpe',
            # Letters that would be rewritten or left out would be lost.
            normalization_rule_name='identity',
            character_coverage=1.0,
            hard_vocab_limit=False,
            max_sentence_length=1 << 20,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise DataError(
            f'no sentencepiece model of {size} pieces for {len(texts)} sentences: '
            f'{str(error).splitlines()[0]}'
        ) from error
    return buffer.getvalue()
