"""What can be said without a GPU; the rest is in tests/gpu."""

import pytest
import torch
from tiny_models import two_stream

from mmsign.errors import ConfigError
from mmsign.models.inference import prepare_for_inference


def test_a_network_on_a_cpu_has_none():
    with pytest.raises(ConfigError, match='cpu'):
        prepare_for_inference(two_stream(), torch.float32, cuda_graphs=True)
