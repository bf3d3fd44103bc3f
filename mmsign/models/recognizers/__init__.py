"""The networks."""

from .single_stream import SingleStreamRecognizer
from .two_stream import TwoStreamRecognizer

__all__ = ['SingleStreamRecognizer', 'TwoStreamRecognizer']
