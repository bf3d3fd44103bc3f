"""Numbers of the published networks of VAC and its followers, and the weights and
inputs that they were made with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from slrt_files import GOLDEN, drawn_tensor

# Those of other seeds are tested alike, in a folder of their own.
PEERS = Path(os.environ.get('MMSIGN_PEERS', GOLDEN / 'peers'))


def peer_state(what: str, seed: int) -> dict[str, torch.Tensor]:
    """Tensors under the published names, drawn by name."""
    shapes = json.loads((PEERS / f'{what}_state_shapes.json').read_text())
    return {name: drawn_tensor(name, shape, seed) for name, shape in shapes.items()}


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
        """Drawn from the seed, normal numbers."""
        x = np.random.default_rng(self.seed).standard_normal(
            self.expected['input_shape']
        )
        x = torch.from_numpy(x.astype(np.float32))
        total = x.double().abs().sum().item()
        assert abs(total / float(self.expected['input_checksum']) - 1) < 1e-5
        return x

    def check(self, name: str, found: torch.Tensor) -> None:
        """Within 5 times what a float32 run of the published code is off by, at least
        1e-5, of the largest value."""
        expected = torch.from_numpy(np.asarray(self.expected[name])).double()
        found = found.detach().double()
        assert found.shape == expected.shape, name
        error = (found - expected).abs().max() / expected.abs().max()
        assert error <= max(1e-5, 5 * self.errors.get(name, 0)), (name, float(error))
