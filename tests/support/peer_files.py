"""Numbers of the published networks of VAC and its followers, and the weights and
inputs that they were made with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from slrt_files import GOLDEN, drawn_tensor

from mmsign.models import CTCLoss
from mmsign.models.layers.sequence import ClipLengths

# Those of other seeds are tested alike, in a folder of their own.
OTHER_SEEDS = 'MMSIGN_PEERS' in os.environ
PEERS = Path(os.environ.get('MMSIGN_PEERS', GOLDEN / 'peers'))


def peer_state(what: str, seed: int, part: str = '') -> dict[str, torch.Tensor]:
    """Tensors under the published names that begin with ``part``, drawn by name."""
    shapes = json.loads((PEERS / f'{what}_state_shapes.json').read_text())
    shapes = {name: shapes[name] for name in shapes if name.startswith(part)}
    return {name: drawn_tensor(name, shape, seed) for name, shape in shapes.items()}


def scaled(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """CorrNet's tensors with affinities that do not saturate, as in ``_scaled``."""
    smaller = [n for n in state if n.endswith(('.alpha', '.down_conv2.weight'))]
    return state | {name: state[name] * 0.1 for name in smaller}


def peer_files(what: str) -> list[Path]:
    """The files of ``what`` that are there, one per seed."""
    return sorted(PEERS.glob(f'golden_{what}_seed*.npz'))


class PeerFile:
    """One file: ``expected`` arrays, ``labels`` of each clip, how exact they are."""

    def __init__(self, path: Path) -> None:
        self.expected = dict(np.load(path))
        self.seed = int(self.expected['seed'])
        sizes = zip(self.expected['labels'], self.expected['label_lens'])
        self.labels = [row[:size].tolist() for row, size in sizes]
        errors = json.loads((PEERS / 'f32_err.json').read_text())
        first = path.stem.rpartition('seed')[0] + 'seed0'
        self.errors = errors.get(path.stem) or errors[first]

    def inputs(self) -> torch.Tensor:
        """Frame features: normal numbers, drawn from the seed."""
        rng = np.random.default_rng(self.seed)
        return self._as_drawn(rng.standard_normal(self.expected['input_shape']))

    def frames(self) -> torch.Tensor:
        """A video: uniform numbers from -1 to 1."""
        rng = np.random.default_rng(self.seed)
        return self._as_drawn(rng.uniform(-1, 1, self.expected['input_shape']))

    def _as_drawn(self, x: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(x.astype(np.float32))
        total = x.double().abs().sum().item()
        assert abs(total / float(self.expected['input_checksum']) - 1) < 1e-5
        return x

    def check_head(self, head, x: torch.Tensor) -> torch.Tensor:
        """Logits and losses of a head on features (B, R, C) of its mode; the total."""
        mode, expected = 'train_' * head.training, self.expected
        frames, ends = x.shape[1], 2 * head.edge
        lengths = ClipLengths([n - ends for n in expected['lens']], frames - ends)
        output = head.classify(x, lengths)
        steps = lengths.steps(output.logits.shape[1])
        assert steps == expected['feat_len'].astype(int).tolist()
        main = f'{mode}main_' if f'{mode}main_conv_logits' in expected else mode
        logits = {f'{main}sequence': output.logits}
        for name, auxiliary in output.auxiliary.items():
            pathway, _, conv = name.partition('_')
            pathway = main if pathway == 'convolution' else f'{mode}{pathway}_'
            of_convolutions = conv or name == 'convolution'
            kind = 'conv' if of_convolutions else 'sequence'
            logits[f'{pathway}{kind}'] = auxiliary
        for name, found in logits.items():
            shown = expected[f'{name}_logits'].shape[-1]
            self.check(f'{name}_logits', found.transpose(0, 1)[..., :shown])
        spelt = [output.logits, *output.auxiliary.values()]
        weights = [1.0, *(head.auxiliary_weights[k] for k in output.auxiliary)]
        every = [steps] * len(spelt)
        ctc = CTCLoss()(spelt, every, self.labels, weights=weights)
        terms = head.distill(output, lengths)
        weight = head.distillation.loss_weight
        own = dict(SeqCTC=ctc[0], ConvCTC=ctc[1], Dist=terms['convolution'] / weight)
        for name, found in own.items():
            if f'{mode}loss_{name}' in expected:
                self.check(f'{mode}loss_{name}', found)
        total = sum(ctc) + sum(terms.values())
        self.check(f'{mode}loss' if f'{mode}loss' in expected else 'loss_main', total)
        return total

    def check(self, name: str, found: torch.Tensor) -> None:
        """Within 5 times what a float32 run of the published code is off by, at least
        1e-5, of the largest value."""
        expected = torch.from_numpy(np.asarray(self.expected[name])).double()
        found = found.detach().double()
        assert found.shape == expected.shape, name
        error = (found - expected).abs().max() / expected.abs().max()
        assert error <= max(1e-5, 5 * self.errors.get(name, 0)), (name, float(error))
