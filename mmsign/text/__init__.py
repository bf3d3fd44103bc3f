"""Spoken-language text as token ids: mBART's vocabulary over sentencepiece."""

from .gloss_tokens import GlossTokens
from .languages import LANGUAGE_CODES
from .vocabulary import TextVocabulary, train_sentencepiece
