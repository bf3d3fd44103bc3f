"""A network ready to recognize, from a config and a checkpoint.

A ``NetworkSpec`` is all that inference needs besides the weights, as plain data: it
is what a bundle stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from mmsign import compat
from mmsign.config import load_config, resolve_vocabulary
from mmsign.datasets.io.frame_times import checked_fps
from mmsign.errors import CheckpointError, ConfigError
from mmsign.models import SignRecognizer, SignTranslator
from mmsign.models.inference import prepare_for_inference
from mmsign.models.weights import required_tensors
from mmsign.registry import MODELS, TRANSFORMS

from .clip_statistics import ClipStatistics, measure_clip_statistics

# Parts of a config that only training needs; with them gone, nothing outside of
# the spec is read when the network is built.
TRAINING_ONLY = (
    'checkpoint',
    'distillation',
    'init_cfg',
    'loss',
    'pretrained',
    'pyramid',
    'pyramid_head',
)


@dataclass(frozen=True)
class NetworkSpec:
    """A network and its input, without weights.

    Attributes:
        model: Config of the recognizer, its glosses written out.
        pipeline: The transforms of testing.
        corpus: What it was trained on: ``fps`` and ``frame_size`` (width, height)
            of the frames, as far as the config says; ``signing``, the habits of its
            clips, as measured unless the config says; ``dataset``, its type.
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
        transforms: ``spec.pipeline``, built.
        device: Where it computes.
        dtype: In which its convolutions compute.
    """

    model: SignRecognizer | SignTranslator
    spec: NetworkSpec
    transforms: list
    device: torch.device
    dtype: torch.dtype = torch.float32

    @property
    def recognizer(self) -> SignRecognizer:
        """The recognizer, which may be part of a translator."""
        return self.model.recognizer if self.translates else self.model

    @property
    def translates(self) -> bool:
        """Whether it writes sentences."""
        return isinstance(self.model, SignTranslator)

    @property
    def time_stride(self) -> int:
        """Frames per output step."""
        return self.recognizer.output_stride

    @property
    def fps(self) -> float | None:
        """Frames per second of the training corpus, None if nobody says."""
        fps = self.spec.corpus.get('fps')
        return None if fps is None else checked_fps(fps, "the config's corpus.fps")

    @property
    def habits(self) -> ClipStatistics | None:
        """Of the training clips, None if nobody has measured them."""
        signing = self.spec.corpus.get('signing')
        return None if signing is None else ClipStatistics.from_dict(signing)

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(width, height) of the training corpus's frames in pixels, or None."""
        size = self.spec.corpus.get('frame_size')
        return None if size is None else (int(size[0]), int(size[1]))


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
    whole = cfg
    cfg = Config(
        dict(
            # The glosses are written into it: the caller's keeps what it says.
            model=cfg.model.copy(),
            test_dataloader=cfg.get('test_dataloader', {}),
            test_pipeline=cfg.get('test_pipeline') or [],
            corpus=cfg.get('corpus') or {},
        )
    )
    resolve_vocabulary(cfg, checkpoint)
    dataset = cfg.test_dataloader.get('dataset') or {}
    while 'pipeline' not in dataset and 'dataset' in dataset:
        dataset = dataset.dataset
    pipeline = _plain(dataset.get('pipeline') or [])
    if pipeline and pipeline[0].get('type') == 'LoadFeatures':
        # Features that were computed once are no way in for a new video.
        pipeline = _plain(cfg.test_pipeline)
    if not pipeline:
        raise ConfigError(
            'the config has no test_dataloader.dataset.pipeline that reads clips, nor '
            'a test_pipeline beside one that reads features: inference prepares clips '
            'as testing does'
        )
    model = _inference_config(_plain(cfg.model))
    if 'keypoint' not in model.get('recognizer', model):
        pipeline = [
            step | dict(keypoints=False) if step['type'] == 'LoadClip' else step
            for step in pipeline
        ]
    corpus = _plain(cfg.corpus) | dict(dataset=dataset.get('type', ''))
    if 'signing' not in corpus:
        habits = measure_clip_statistics(whole)
        corpus |= dict(signing=habits.to_dict()) if habits else {}
    return NetworkSpec(
        model=model,
        pipeline=pipeline,
        corpus=corpus,
    )


def build_network(
    spec: NetworkSpec,
    checkpoint: Mapping[str, Any],
    device: str | torch.device | None = None,
    fast: bool = False,
) -> Network:
    """Build a network and give it its weights.

    Args:
        spec: Its description.
        checkpoint: A state dict, or a checkpoint with ``state_dict`` and ``meta``.
        device: None takes a GPU if there is one.
        fast: Whether to merge what can be merged and to compute in bfloat16 where
            the device does; see ``prepare_for_inference``. Probabilities change in
            their last digits, and the network cannot be written to a bundle.

    Raises:
        ValueError: If the checkpoint is that of another network.
    """
    model = MODELS.build(spec.model)
    if not isinstance(model, (SignRecognizer, SignTranslator)):
        raise ConfigError(
            f'{type(model).__name__} is no sign language recognizer; expected a config '
            'such as configs/twostream_slr_phoenix.py'
        )
    model.load_state_dict(required_tensors(model, checkpoint), strict=False)
    device = compat.choose_device(device)
    model = model.to(device).eval().requires_grad_(False)
    transforms = [TRANSFORMS.build(step) for step in spec.pipeline]
    network = Network(model, spec, transforms, device)
    if not fast:
        return network
    return replace(network, dtype=prepare_for_inference(network.recognizer))


def load_network(
    config: str | Path | Config,
    checkpoint: str | Path,
    device: str | torch.device | None = None,
    fast: bool = False,
) -> Network:
    """A network from a config and a checkpoint.

    Raises:
        ConfigError: See ``spec_of_config``.
        FileNotFoundError, CheckpointError: If the checkpoint cannot be read, or
            is that of another network; the file is named.
    """
    cfg = config if isinstance(config, Config) else load_config(str(config))
    loaded = compat.load_checkpoint(checkpoint)
    spec = spec_of_config(cfg, str(checkpoint))
    try:
        return build_network(spec, loaded, device, fast)
    except ValueError as error:
        raise CheckpointError(f'{checkpoint}: {error}') from error


def _plain(value: Any) -> Any:
    """ConfigDicts and tuples as dicts and lists, which JSON keeps as they are."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _inference_config(model: dict) -> dict:
    if 'recognizer' not in model:
        return _without_training(model)
    # Of a translator, the text side keeps its files: vocabulary and pieces.
    own = {key: value for key, value in model.items() if key not in TRAINING_ONLY}
    own.pop('recognizer_checkpoint', None)
    heads = {
        output: {key: value for key, value in head.items() if key != 'g2t_checkpoint'}
        for output, head in (model.get('translation') or {}).items()
    }
    # The translator gives it its own vocabulary.
    recognizer = _without_training(model['recognizer'])
    recognizer.pop('vocab', None)
    return own | dict(recognizer=recognizer, translation=heads)


def _without_training(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_training(item)
            for key, item in value.items()
            if key not in TRAINING_ONLY
        }
    if isinstance(value, list):
        return [_without_training(item) for item in value]
    return value
