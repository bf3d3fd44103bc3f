"""Recognition for those who do not train."""

from .clips import DEFAULT_FPS, Clip, ClipError
from .inferencer import SignInferencer
from .networks import Network, NetworkSpec, build_network, load_network
from .records import ClipResult, OutputReading, RecognizedGloss

__all__ = [
    'DEFAULT_FPS',
    'Clip',
    'ClipError',
    'ClipResult',
    'Network',
    'NetworkSpec',
    'OutputReading',
    'RecognizedGloss',
    'SignInferencer',
    'build_network',
    'load_network',
]
