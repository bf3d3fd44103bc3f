"""The networks that end in sentences."""

from .ensemble import TranslatorEnsemble
from .gloss_to_text import GlossToText
from .sign_translator import SignTranslator
