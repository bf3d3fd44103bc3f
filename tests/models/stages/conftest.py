"""Networks of every family, built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from families import FAMILIES, built


@pytest.fixture(params=FAMILIES)
def family(request):
    """(network, input channels, expected stages); nobody may change the network."""
    _, channels, expected = FAMILIES[request.param]
    return built(request.param), channels, expected
