"""A network ready to recognize, from a config and a checkpoint.

Symbols: B clips, F frames of the padded batch, T' output steps, V classes with the
blank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmsign import compat
from mmsign.config import resolve_vocabulary
from mmsign.datasets.io.frame_times import checked_fps
from mmsign.datasets.sign_dataset import checked_step
from mmsign.decoding import (
    AVERAGE,
    CALIBRATION_KEY,
    Calibration,
    CTCBeamSearch,
    calibrations_from,
    log_probabilities,
)
from mmsign.errors import CheckpointError, ConfigError, explain
from mmsign.keypoints import ESTIMATORS_KEY, checked_estimator
from mmsign.models import SignRecognizer, SignTranslator
from mmsign.models.inference import inference_context, prepare_for_inference
from mmsign.models.weights import required_tensors
from mmsign.registry import MODELS, TRANSFORMS
from mmsign.structures import FEATURES_SUFFIX

from .clip_keypoints import UPPER_BODY
from .clip_statistics import ClipStatistics, measure_clip_statistics
from .pipeline import Pipeline

# Parts of a config that only training needs; with them gone, nothing outside of
# the spec is read when the network is built.
TRAINING_ONLY = (
    *('checkpoint', 'distillation', 'init_cfg', 'loss', 'pretrained'),
    *('pyramid', 'pyramid_head'),
)


@dataclass(frozen=True)
class NetworkSpec:
    """All that inference needs of a network besides its weights, as primitive data.

    Attributes:
        model: Config of the recognizer, its glosses written out.
        pipeline: The transforms of testing.
        corpus: What it was trained on: ``fps`` and ``frame_size`` (width, height)
            of the frames, as far as the config says; ``signing``, the statistics of
            its clips, as measured unless the config says; ``estimators``, what made
            their keypoints, as the checkpoint says unless the config does;
            ``dataset``, its type, and ``step``, if not every frame is seen.
    """

    model: dict
    pipeline: list[dict]
    corpus: dict


@dataclass(frozen=True)
class Network:
    """A built network with its weights, in evaluation mode on its device.

    Attributes:
        model: A recognizer or a translator.
        spec: What it was built from.
        pipeline: Makes its input.
        device: Where it computes.
        dtype: In which its convolutions compute.
    """

    model: SignRecognizer | SignTranslator
    spec: NetworkSpec
    pipeline: Pipeline
    device: torch.device
    dtype: torch.dtype = torch.float32

    @property
    def translates(self) -> bool:
        """Whether it writes sentences."""
        return isinstance(self.model, SignTranslator)

    @property
    def recognizer(self) -> SignRecognizer:
        """The recognizer, which may be part of a translator."""
        return self.model.recognizer if self.translates else self.model

    @property
    def time_stride(self) -> int:
        """Frames per output step."""
        return self.recognizer.output_stride

    @property
    def fps(self) -> float | None:
        """Frames per second of the training corpus, None if nobody says."""
        return checked_fps(self.spec.corpus.get('fps'), "the config's corpus.fps")

    @property
    def step(self) -> int:
        """Of the frames at that rate it sees every so many-th."""
        return checked_step(self.spec.corpus.get('step', 1))

    @property
    def estimators(self) -> tuple[str, ...]:
        """What made the keypoints that it was trained on; empty if nobody says."""
        names = self.spec.corpus.get(ESTIMATORS_KEY) or []
        if not isinstance(names, list):
            raise ConfigError(f'corpus.{ESTIMATORS_KEY} must be a list, not {names!r}')
        where = f"the config's corpus.{ESTIMATORS_KEY}"
        return tuple(checked_estimator(str(name), where) for name in names)

    @property
    def seen_keypoints(self) -> tuple[int, ...]:
        """The channels that its keypoint stream sees; none without such a stream."""
        preparing = self.recognizer.data_preprocessor
        is_read = preparing.keypoint_input in preparing.read
        return tuple(preparing.channels) if is_read else ()

    @property
    def body(self) -> tuple[int, ...]:
        """The channels that tell it whether somebody is there: of the upper body those
        that it sees; or all that it sees."""
        seen = self.recognizer.data_preprocessor.channels
        return tuple(c for c in UPPER_BODY if c in seen) or seen

    @property
    def statistics(self) -> ClipStatistics | None:
        """Of the training clips, None if nobody has measured them."""
        signing = self.spec.corpus.get('signing')
        return None if signing is None else ClipStatistics.from_dict(signing)

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """By output, what makes confidences mean something; of the outputs that have
        one."""
        return self.recognizer.calibrations

    @property
    def calibrated(self) -> bool:
        """Whether the confidences of glosses are calibrated."""
        return self.calibrations.get(AVERAGE, Calibration()).glosses is not None

    def search(self, beam_width: int | None = None, n_best: int = 1) -> CTCBeamSearch:
        """The config's decoder, with another width unless that is None; ``n_best`` is
        at most the width."""
        own = self.recognizer.decoder
        width = own.beam_width if beam_width is None else beam_width
        return CTCBeamSearch(width, min(n_best, width), own.merge_adjacent)

    def log_probs(
        self, clips: Sequence[dict], translate: bool = False
    ) -> tuple[dict[str, Tensor], int]:
        """Run the network.

        Args:
            clips: At least one, as ``pipeline`` prepares them.
            translate: Whether a network that translates does so, into the
                ``translations`` of the clips' data samples.

        Returns:
            By output, the average included: (B, T', V) natural log-probabilities on
            the CPU; and F.
        """
        with inference_context(self.device, self.dtype):
            data = self.model.data_preprocessor(pseudo_collate(clips))
            inputs, samples = data['inputs'], data['data_samples']
            frames = next(iter(inputs.values())).shape[2]
            if self.translates:
                # The backbones run once; glosses and sentences come from what they say.
                pooled, _ = self.model.pooled(inputs)
                inputs = {f'{name}{FEATURES_SUFFIX}': x for name, x in pooled.items()}
            outputs = self.model(inputs, samples, mode='tensor')
            if self.translates and translate:
                samples = self.model(inputs, samples, mode='predict')
                for clip, sample in zip(clips, samples):
                    clip['data_samples'].translations = sample.translations
        log_probs = log_probabilities(outputs)
        return {name: x.cpu() for name, x in log_probs.items()}, frames


def spec_of_config(cfg: Config, checkpoint: str | None = None) -> NetworkSpec:
    """Take from a config what inference needs.

    Args:
        cfg: Of an experiment; it stays as it is.
        checkpoint: Where glosses come from if the config does not list them.

    Raises:
        ConfigError: If the config describes no network or no test pipeline, or its
            glosses are nowhere to be found.
    """
    if cfg.get('model') is None:
        raise ConfigError(f'config {cfg.filename}: it describes no model')
    # The glosses are written into a copy.
    named = Config(dict(model=cfg.model.copy()))
    resolve_vocabulary(named, checkpoint)
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset['dataset']
    pipeline = _to_json(dataset.get('pipeline') or [])
    if pipeline and pipeline[0].get('type') == 'LoadFeatures':
        # Features that were computed once are no way in for a new video.
        pipeline = _to_json(cfg.get('test_pipeline') or [])
    if not pipeline:
        raise ConfigError(
            f'config {cfg.filename}: no test_dataloader.dataset.pipeline that reads '
            'clips, nor a test_pipeline beside one that reads features'
        )
    model = _inference_config(named.model)
    by_keypoints = any(step['type'] == 'SignerCrop' for step in pipeline)
    if 'keypoint' not in model.get('recognizer', model) and not by_keypoints:
        for step in pipeline:
            if step['type'] == 'LoadClip':
                step['keypoints'] = False
    corpus = _to_json(cfg.get('corpus') or {}) | dict(dataset=dataset.get('type', ''))
    if dataset.get('step', 1) != 1:
        corpus['step'] = checked_step(dataset['step'])
    if 'signing' not in corpus and (statistics := measure_clip_statistics(cfg)):
        corpus['signing'] = statistics.to_dict()
    return NetworkSpec(model, pipeline, corpus)


def build_network(
    spec: NetworkSpec,
    checkpoint: Mapping[str, Any],
    device: str | torch.device | None = None,
    fast: bool = False,
) -> Network:
    """Build a network and give it its weights.

    Args:
        spec: Its description.
        checkpoint: A state dict, or a checkpoint with ``state_dict`` and ``meta``,
            in which its calibration may be, and the estimators of its corpus.
        device: None takes a GPU if there is one.
        fast: Whether to merge what can be merged and to compute in bfloat16 where
            the device does; see ``prepare_for_inference``. Probabilities change in
            their last digits, and the network cannot be written to a bundle.

    Raises:
        ConfigError: If the spec describes something else, or there is no such device.
        CheckpointError: If the checkpoint is that of another network.
    """
    device = compat.choose_device(device)
    model = MODELS.build(spec.model)
    if not isinstance(model, (SignRecognizer, SignTranslator)):
        kind = type(model).__name__
        raise ConfigError(f'{kind} is no sign language recognizer: see configs/')
    model.load_state_dict(required_tensors(model, checkpoint), strict=False)
    model = model.to(device).eval().requires_grad_(False)
    steps = [TRANSFORMS.build(step) for step in spec.pipeline]
    pipeline = Pipeline(steps, spec.corpus.get('frame_size'))
    meta = checkpoint.get('meta') or {}
    if meta.get(ESTIMATORS_KEY):
        known = {ESTIMATORS_KEY: meta[ESTIMATORS_KEY]}
        spec = replace(spec, corpus=known | spec.corpus)
    network = Network(model, spec, pipeline, device)
    calibrations = meta.get(CALIBRATION_KEY)
    with explain(CheckpointError, CALIBRATION_KEY, ConfigError):
        network.recognizer.calibrations = calibrations_from(calibrations)
    if not fast:
        return network
    return replace(network, dtype=prepare_for_inference(network.recognizer))


def _to_json(value: Any, without: Sequence[str] = ()) -> Any:
    """ConfigDicts and tuples as dicts and lists, which JSON keeps as they are."""
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if key not in without}
        return {key: _to_json(item, without) for key, item in kept.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(item, without) for item in value]
    return value


def _inference_config(model: Mapping) -> dict:
    if 'recognizer' not in model:
        return _to_json(model, TRAINING_ONLY)
    # Of a translator, the text side keeps its files: vocabulary and pieces.
    own = {key: value for key, value in model.items() if key not in TRAINING_ONLY}
    # The translator gives it its own vocabulary.
    own['recognizer'] = _to_json(own['recognizer'], (*TRAINING_ONLY, 'vocab'))
    own['translation'] = own.get('translation') or {}
    return _to_json(own, ('recognizer_checkpoint', 'g2t_checkpoint'))
