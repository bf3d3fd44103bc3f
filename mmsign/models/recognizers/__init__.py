"""The network that recognizes."""

from .recognizer import SignRecognizer, SingleStreamRecognizer, TwoStreamRecognizer

__all__ = ['SignRecognizer', 'SingleStreamRecognizer', 'TwoStreamRecognizer']
