"""What the hook says without a GPU; its training is in tests/gpu."""

from types import SimpleNamespace

import pytest
from tiny_models import two_stream

from mmsign.engine.hooks import CudaGraphsHook
from mmsign.errors import ConfigError


def test_a_network_on_a_cpu_is_refused():
    with pytest.raises(ConfigError, match='on a GPU; this one is on cpu'):
        CudaGraphsHook().before_train(SimpleNamespace(model=two_stream()))
