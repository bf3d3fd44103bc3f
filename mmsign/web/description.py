"""What the page must know of a network besides its graph, as JSON.

Everything by which Python recognizes a stream is handed on, so that the page types no
number of its own.
"""

import inspect

import mmsign
from mmsign.apis.clip_keypoints import PERSON_SCORE, PERSON_SHARE, UPPER_BODY
from mmsign.apis.clip_statistics import WRISTS
from mmsign.apis.live import LiveRecognizer
from mmsign.apis.network import Network
from mmsign.apis.stream import PAUSE
from mmsign.apis.windows import NOTHING, WindowedNetwork, window_for_streams
from mmsign.datasets.io.frame_times import DEFAULT_FPS
from mmsign.decoding import AVERAGE, Calibration
from mmsign.errors import ConfigError
from mmsign.interop.mediapipe_points import MEDIAPIPE_TABLE, PARTS, UNUSABLE
from mmsign.keypoints import CONFIDENT, SELECTED_79, SHOULDERS, SKELETON

from .points_network import WIDTH

FORMAT, VERSION = 'mmsign-web', 1
# What chooses the box, with the settings that the page needs.
_CROPS = dict(ClipCenterCrop=('fraction',), SignerCrop=('size', 'below'))


def describe(network: Network) -> dict:
    """Dicts, lists, numbers and strings only.

    Args:
        network: Of ``keypoint_network``.

    Raises:
        ConfigError: If clips are prepared in a way that the page does not know.
    """
    window, hop = window_for_streams(network)
    model = network.model
    fps, search = network.fps or DEFAULT_FPS, network.search()
    calibration = network.calibrations.get(AVERAGE, Calibration()).glosses
    statistics = network.statistics
    limits = inspect.signature(LiveRecognizer).parameters
    return dict(
        format=FORMAT,
        version=VERSION,
        mmsign=mmsign.__version__,
        glosses=model.vocab.decode(range(1, len(model.vocab))),
        blank=model.vocab.blank_index,
        fps=fps,
        rate=fps / network.step,
        frame_size=network.pipeline.frame_size,
        frame_width=_width(network),
        crop=_crop(network),
        held=network.pipeline.held,
        window=window,
        hop=hop,
        stride=WindowedNetwork(network, window, hop).stride,
        time_stride=network.time_stride,
        statistics=None if statistics is None else statistics.to_dict(),
        pause=PAUSE,
        beam_width=search.beam_width,
        merge_adjacent=search.merge_adjacent,
        cut_probability=limits['cut_probability'].default,
        max_steps=limits['max_steps'].default,
        calibration=None if calibration is None else vars(calibration),
        person=dict(
            score=PERSON_SCORE,
            share=PERSON_SHARE,
            seen=network.body,
            upper_body=UPPER_BODY,
            nothing=NOTHING,
        ),
        confident=CONFIDENT,
        unusable=UNUSABLE,
        shoulders=SHOULDERS,
        wrists=WRISTS,
        skeleton=SKELETON,
        landmarks=_landmarks(),
    )


def _width(network: Network) -> int | None:
    """To which the page scales frames of any width: heatmaps whose sigma is a share of
    it, if no frame size is known."""
    seen = network.model.data_preprocessor
    is_share = seen.keypoint_input == 'heatmaps' and seen.sigma is None
    return WIDTH if is_share and network.pipeline.frame_size is None else None


def _crop(network: Network) -> dict:
    """The step that chooses the box, with its settings."""
    found = [type(step).__name__ for step in network.pipeline.crops]
    if len(found) != 1 or found[0] not in _CROPS:
        raise ConfigError(
            f'the page knows {" or ".join(_CROPS)} between SampleClip and PackClip, '
            f'not {", ".join(found) or "none"}'
        )
    (step,) = network.pipeline.crops
    return dict(type=found[0]) | {k: getattr(step, k) for k in _CROPS[found[0]]}


def _landmarks() -> list[list]:
    """MediaPipe's part and number of each of the 79."""
    sources = {target: name for name, target in MEDIAPIPE_TABLE.items()}
    found = [sources[target].rpartition('_') for target in SELECTED_79]
    return [[PARTS.index(part), int(number)] for part, _, number in found]
