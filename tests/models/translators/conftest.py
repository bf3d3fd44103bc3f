"""A tiny translator and its inputs, shared; nobody may change them."""

from __future__ import annotations

import pytest
from tiny_models import network_inputs
from tiny_translators import build_translator


@pytest.fixture(scope='session')
def translator():
    return build_translator('video', 'keypoint', 'joint').eval()


@pytest.fixture(scope='session')
def pooled(translator):
    """Cached features of the two clips, as the data preprocessor makes them."""
    found, _ = translator.pooled(network_inputs())
    return {f'{name}_features': x for name, x in found.items()}
