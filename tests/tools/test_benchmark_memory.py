import pytest
import torch
from benchmark_run import run_benchmark
from tiny_run import TOOLS


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')
    import memory

    if not memory.can_count():
        with pytest.raises(SystemExit):
            monkeypatch.setattr('sys.argv', ['memory.py'])
            memory.main()
        pytest.skip('this torch does not tell when memory is let go')
    return memory


def test_counts_what_is_held_at_once(tool):
    with tool.HeldMemory() as memory:
        a = torch.zeros(256)  # 1 KiB
        b = a + 1
        view = b[:4]  # of the same storage
        del b
        assert memory.held == 2048
        c = torch.zeros(1024)
        del c, a
        assert memory.held == 1024
        del view
    assert memory.held == 0
    assert memory.peak == 2048 + 4096


def test_counts_what_the_backward_pass_keeps(tool):
    weight = torch.zeros(64, 64, requires_grad=True)  # made before: not counted
    with tool.HeldMemory() as memory:
        hidden = torch.zeros(64, 64) @ weight
        y = hidden.tanh()
        del hidden
        # The input for the weight's gradient, and the output of tanh.
        assert memory.held == 2 * 4 * 64 * 64
        del y
        assert memory.held == 0


def test_checkpointing_and_bfloat16_take_less(tool):
    sizes = ['--frames=64', '--long=128', '--size=96', '--width=0.125']
    found = run_benchmark('tools/benchmark/memory.py', *sizes)
    plain = found['float32, 64 frames, GiB']
    low = found['bfloat16, 64 frames, GiB']
    assert found['ratio bfloat16 / float32'] == pytest.approx(low / plain)
    checkpointed = found['bfloat16, checkpointing, 64 frames, GiB']
    long = found['bfloat16, checkpointing, long, 128 frames, GiB']
    ratio = found['ratio bfloat16, checkpointing / float32']
    assert ratio == pytest.approx(checkpointed / plain)
    assert checkpointed < low < plain
    assert checkpointed < long < 2 * checkpointed
