"""What the network says of a batch of clips, step by step.

Symbols: B clips, T' output steps, V classes with the blank.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmsign.decoding import log_probabilities
from mmsign.models.inference import inference_context
from mmsign.structures import FEATURES_SUFFIX

from .networks import Network
from .preparation import PreparedClip


def log_probs_of(
    network: Network, clips: Sequence[PreparedClip], translate: bool = False
) -> tuple[dict[str, Tensor], int]:
    """Run the network.

    Args:
        network: The network.
        clips: At least one.
        translate: Whether a network that translates does so, into the clips'
            ``translations``.

    Returns:
        By output, the average included: (B, T', V) natural log-probabilities on the
        CPU; and the frames of the padded batch.
    """
    batch = [dict(inputs=clip.inputs, data_samples=clip.sample) for clip in clips]
    with inference_context(network.device, network.dtype):
        data = network.model.data_preprocessor(pseudo_collate(batch))
        inputs, samples = data['inputs'], data['data_samples']
        frames = next(iter(inputs.values())).shape[2]
        if network.translates:
            # The backbones run once; glosses and sentences come from what they say.
            pooled, _ = network.model.pooled(inputs)
            inputs = {f'{name}{FEATURES_SUFFIX}': x for name, x in pooled.items()}
        outputs = network.model(inputs, samples, mode='tensor')
        if network.translates and translate:
            samples = network.model(inputs, samples, mode='predict')
            for clip, sample in zip(clips, samples):
                clip.translations = {
                    name: found.text for name, found in sample.translations.items()
                }
    log_probs = log_probabilities(outputs)
    return {name: x.cpu() for name, x in log_probs.items()}, frames
