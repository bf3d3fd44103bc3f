from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch

from mmsign.compat import choose_device, has_triton
from mmsign.errors import ConfigError


def test_without_a_name_it_is_the_best_there_is():
    expected = 'cuda' if torch.cuda.is_available() else 'cpu'
    assert choose_device().type == expected


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', 'meta', 'xla', ''])
def test_a_device_that_cannot_be_used(name):
    with pytest.raises(ConfigError, match=repr(name)) as caught:
        choose_device(name)
    assert 'cpu' in str(caught.value) and len(str(caught.value)) < 500


def test_a_device_that_can():
    assert choose_device('cpu') == choose_device(torch.device('cpu'))


def test_triton_can_be_done_without(monkeypatch):
    def answer() -> bool:
        has_triton.cache_clear()
        return has_triton()

    try:
        monkeypatch.setitem(sys.modules, 'triton', ModuleType('triton'))
        sys.modules['triton'].__file__ = 'triton/__init__.py'
        assert answer()
        monkeypatch.setenv('MMSIGN_TRITON', '0')
        assert not answer()
        monkeypatch.delenv('MMSIGN_TRITON')
        monkeypatch.setitem(sys.modules, 'triton', None)  # as if it were not there
        assert not answer()
    finally:
        monkeypatch.undo()
        answer()
