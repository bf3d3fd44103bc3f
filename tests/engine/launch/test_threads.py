from io import StringIO
from types import SimpleNamespace

import pytest
import torch

from mmsign.engine.launch import threads
from mmsign.engine.launch.threads import VARIABLES, choose_threads, settle_threads

LARGE = 50_000_000


def test_never_more_than_idle_cores_and_one_at_least():
    for cores in (1, 2, 3, 16):
        for idle in (0.0, 0.4, 0.6, 1.5, 2.0, 99.0):
            found = choose_threads(LARGE, cores, idle)
            assert 1 <= found <= cores and (found == 1 or found <= idle + 0.5)
    assert choose_threads(LARGE, 16, 15.9) == 16
    assert choose_threads(1000, 16, 16.0) == 1


def test_a_busy_core_is_not_idle(monkeypatch):
    core = min(threads._own_cores())
    head = 'cpu  9 9 9 9\n'
    stats = iter(
        [
            f'{head}cpu{core} 100 0 0 100 0 0 0 0\nintr 1\n',
            f'{head}cpu{core} 130 0 0 105 5 0 0 0\nintr 1\n',
        ]
    )
    monkeypatch.setattr('builtins.open', lambda *_, **__: StringIO(next(stats)))
    assert threads.idle_cores(0) == pytest.approx(10 / 40)


def test_where_nothing_is_counted_all_are_idle(monkeypatch):
    def refuse(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr('builtins.open', refuse)
    assert threads.idle_cores(0) == threads.usable_cores() >= 1


@pytest.fixture
def settled(monkeypatch):
    """Settle on 4 cores, three of them idle; the threads and what was logged."""
    before = torch.get_num_threads()
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, 'usable_cores', lambda: 4)
    monkeypatch.setattr(threads, 'idle_cores', lambda: 2.9)
    monkeypatch.setattr(threads, 'SMALL_NETWORK', 4)

    def settled(parameters: int, device: str = 'cpu') -> tuple[int, list[str]]:
        torch.set_num_threads(2)
        said: list[str] = []
        network = torch.nn.Linear(parameters - 1, 1, device=device)
        settle_threads(
            SimpleNamespace(model=network, logger=SimpleNamespace(info=said.append))
        )
        return torch.get_num_threads(), said

    yield settled
    torch.set_num_threads(before)


def test_the_choice_is_made_and_told(settled):
    found, said = settled(5)
    assert found == 3 and len(said) == 1 and 'OMP_NUM_THREADS' in said[0]
    assert settled(4)[0] == 1


@pytest.mark.parametrize('name', VARIABLES)
def test_a_choice_of_the_user_stays(settled, monkeypatch, name):
    monkeypatch.setenv(name, '2')
    assert settled(4) == (2, [])


def test_a_network_elsewhere_is_left_alone(settled):
    assert settled(4, device='meta') == (2, [])
