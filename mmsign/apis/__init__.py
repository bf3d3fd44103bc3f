"""Recognition for those who do not train."""

from mmsign.errors import BundleError, ClipError

from .bundle import Bundle, open_network, read_bundle, write_bundle
from .clips import DEFAULT_FPS, Clip
from .inferencer import SignInferencer
from .live import LiveEvent, LiveRecognizer
from .network import Network, NetworkSpec, build_network, load_network
from .records import ClipResult, OutputResult
