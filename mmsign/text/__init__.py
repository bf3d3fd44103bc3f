"""Spoken-language text as token ids: mBART's vocabulary over sentencepiece."""

from .gloss_tokens import GlossTokens
from .languages import LANGUAGE_CODES
from .sentencepiece_training import train_sentencepiece
from .vocabulary import TextVocabulary
