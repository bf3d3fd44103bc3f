"""How many threads compute on a CPU."""

import os
import re
import time

import torch
from mmengine.runner import Runner

# Each, if set, is a user's own choice.
VARIABLES = 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'
# Up to so many parameters a step's operators are over sooner than threads have met.
SMALL_NETWORK = 2_000_000


def choose_threads(parameters: int, cores: int, idle: float) -> int:
    """Threads for a network on a CPU.

    Threads that share a core wait for each other at every operator: on two busy cores
    two threads are many times slower than one. So there are never more than idle
    cores, and a small network has one.

    Args:
        parameters: Of the network.
        cores: That this process is given.
        idle: Cores on which nothing runs, on average.

    Examples:
        >>> choose_threads(60_000_000, 8, 5.8), choose_threads(60_000_000, 2, 0.3)
        (6, 1)
        >>> choose_threads(500_000, 8, 8.0)
        1
    """
    if parameters <= SMALL_NETWORK:
        return 1
    return max(1, min(cores, round(idle)))


def usable_cores() -> int:
    """Cores that this process may use; of a container, as many as it is given."""
    cores = len(_own_cores())
    try:
        with open('/sys/fs/cgroup/cpu.max', encoding='ascii') as file:
            quota, period = map(int, file.read().split())
    except (OSError, ValueError):  # no limit, another version, another system
        return cores
    return max(1, min(cores, quota // period))


def idle_cores(seconds: float = 0.5) -> float:
    """Cores that this process may use and nothing uses, while it sleeps.

    Not the load of the last minute, which may be that of the training before. Where the
    system does not say, all are taken to be idle.
    """
    before = _times()
    time.sleep(seconds)
    shares = []
    for core, (idle, total) in _times().items():
        idle_before, total_before = before.get(core, (0, 0))
        passed = total - total_before
        shares.append((idle - idle_before) / passed if passed else 1.0)
    return sum(shares) if shares else float(len(_own_cores()))


def _own_cores() -> set[int]:
    if hasattr(os, 'sched_getaffinity'):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _times() -> dict[int, tuple[int, int]]:
    """Time without work and time in all of each core, in Linux' ticks."""
    try:
        with open('/proc/stat', encoding='ascii') as file:
            rows = [line.split() for line in file if re.match(r'cpu\d', line)]
    except OSError:
        return {}
    numbers = {int(name[3:]): list(map(int, ticks[:8])) for name, *ticks in rows}
    own = _own_cores() & numbers.keys()
    # idle and iowait
    return {core: (sum(numbers[core][3:5]), sum(numbers[core])) for core in own}


def settle_threads(runner: Runner) -> None:
    """Set the threads of a runner whose network is on a CPU, and log them.

    Nothing is done where a variable of the environment says how many, as what starts
    several processes does.
    """
    network = next(runner.model.parameters(), None)
    on_cpu = network is not None and network.device.type == 'cpu'
    if not on_cpu or any(map(os.environ.get, VARIABLES)):
        return
    cores, idle = usable_cores(), idle_cores()
    parameters = sum(p.numel() for p in runner.model.parameters())
    torch.set_num_threads(choose_threads(parameters, cores, idle))
    runner.logger.info(
        f'{torch.get_num_threads()} thread(s) compute: {parameters / 1e6:.1f} million '
        f'parameters, {cores} core(s), {idle:.1f} idle. OMP_NUM_THREADS=N sets another '
        'number, and the same for every run'
    )
