"""Networks of every family, built once."""

from __future__ import annotations

import pytest
from families import FAMILIES, built


@pytest.fixture(params=FAMILIES)
def family(request):
    """(network, input channels, expected stages); nobody may change the network."""
    _, channels, expected = FAMILIES[request.param]
    return built(request.param), channels, expected
