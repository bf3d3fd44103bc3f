"""The network that recognizes."""

from .recognizer import SignRecognizer, SingleStreamRecognizer, TwoStreamRecognizer
