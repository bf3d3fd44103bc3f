"""What the network says of a batch of clips, step by step.

Symbols: B clips, T' output steps, V classes with the blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmsign.models.recognizers.base import average_log_probs, output_steps

from .networks import Network
from .preparation import PreparedClip


@torch.inference_mode()
def log_probs_of(
    network: Network, clips: Sequence[PreparedClip]
) -> list[dict[str, Tensor]]:
    """Run the network.

    Args:
        network: The network.
        clips: At least one.

    Returns:
        Per clip and output, the average included: (T', V) natural
        log-probabilities on the CPU, valid steps only.
    """
    model = network.model
    batch = [dict(inputs=clip.inputs, data_samples=clip.sample) for clip in clips]
    data = model.data_preprocessor(pseudo_collate(batch))
    frames = next(iter(data['inputs'].values())).shape[2]
    outputs = model.forward(data['inputs'], data['data_samples'], mode='tensor')
    logits = {
        name: x for name, x in outputs.items() if name not in ('average', 'lengths')
    }
    log_probs = {name: x.float().log_softmax(-1) for name, x in logits.items()}
    log_probs['average'] = average_log_probs(logits)
    log_probs = {name: x.cpu() for name, x in log_probs.items()}
    lengths = [clip.sample.length for clip in clips]
    steps = output_steps(lengths, frames, log_probs['average'].shape[1])
    return [
        {name: x[index, :valid] for name, x in log_probs.items()}
        for index, valid in enumerate(steps)
    ]
