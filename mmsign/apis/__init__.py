"""Recognition for those who do not train."""

from mmsign.datasets.io.frame_times import DEFAULT_FPS
from mmsign.errors import BundleError, ClipError

from .bundle import Bundle, load_network, open_network, read_bundle, write_bundle
from .clips import Clip
from .inferencer import SignInferencer
from .live import LiveEvent, LiveRecognizer
from .network import Network, NetworkSpec, build_network
from .records import ClipResult, OutputResult
