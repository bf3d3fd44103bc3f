"""How many threads compute on a CPU."""

import os

import torch
from mmengine.runner import Runner

# Each, if set, is a user's own choice.
VARIABLES = 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'
# Up to so many parameters a step's operators are over sooner than threads have met.
SMALL_NETWORK = 2_000_000


def choose_threads(parameters: int, cores: int, busy: float) -> int:
    """Threads for a network on a CPU.

    Threads that share a core wait for each other at every operator: on two busy cores
    two threads are many times slower than one. So there are never more than idle
    cores, and a small network has one.

    Args:
        parameters: Of the network.
        cores: That this process may use.
        busy: Of them, on average.

    Examples:
        >>> choose_threads(60_000_000, 8, 2.2), choose_threads(60_000_000, 2, 3.5)
        (6, 1)
        >>> choose_threads(500_000, 8, 0.0)
        1
    """
    if parameters <= SMALL_NETWORK:
        return 1
    return max(1, cores - round(busy))


def usable_cores() -> int:
    """Cores that this process may use; of a container, as many as it is given."""
    known = hasattr(os, 'sched_getaffinity')
    cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    try:
        with open('/sys/fs/cgroup/cpu.max', encoding='ascii') as file:
            quota, period = map(int, file.read().split())
    except (OSError, ValueError):  # no limit, another version, another system
        return cores
    return max(1, min(cores, quota // period))


def settle_threads(runner: Runner) -> None:
    """Set the threads of a runner whose network is on a CPU, and log them.

    Nothing is done where a variable of the environment says how many, as what starts
    several processes does.
    """
    network = next(runner.model.parameters(), None)
    on_cpu = network is not None and network.device.type == 'cpu'
    if not on_cpu or any(map(os.environ.get, VARIABLES)):
        return
    cores = usable_cores()
    busy = os.getloadavg()[0] if hasattr(os, 'getloadavg') else 0.0
    parameters = sum(p.numel() for p in runner.model.parameters())
    torch.set_num_threads(choose_threads(parameters, cores, busy))
    runner.logger.info(
        f'{torch.get_num_threads()} thread(s) compute: {parameters / 1e6:.1f} million '
        f'parameters, {cores} core(s), {busy:.1f} busy in the last minute. '
        'OMP_NUM_THREADS=N sets another number, and the same for every run'
    )
