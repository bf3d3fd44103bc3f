from __future__ import annotations

import pytest
import torch
from torch import nn

from mmsign import compat
from mmsign.models.layers.part_checkpoint import load_part


def test_loads_what_lies_under_the_prefix(tmp_path):
    path = str(tmp_path / 'a.pth')
    state = {'part.weight': torch.ones(1, 2), 'part.bias': torch.zeros(1), 'x': 1}
    compat.write_checkpoint(dict(state_dict=state), path)
    part = nn.Linear(2, 1)
    load_part(part, path, 'part.', 'the part')
    assert part.weight.tolist() == [[1, 1]]
    with pytest.raises(ValueError, match=r'does not fit the whole: 2 tensors missing'):
        load_part(part, path, '', 'the whole')
    with pytest.raises(ValueError, match=r'1 of another shape .*weight \(1, 2\) inst'):
        load_part(nn.Linear(3, 1), path, 'part.', 'the part')
    with pytest.raises(FileNotFoundError):
        load_part(part, str(tmp_path / 'b.pth'), '', 'the part')
