"""What every benchmark prints: the machine, the versions, the rows."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable

import torch


def machine() -> dict:
    """Processor, threads and versions that the figures depend on."""
    name = platform.processor() or platform.machine()
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as lines:
            name = next(x.split(':')[1].strip() for x in lines if 'model name' in x)
    except (OSError, StopIteration):
        pass
    found = dict(
        cpu=name,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        python=platform.python_version(),
    )
    if torch.cuda.is_available():
        found['gpu'] = torch.cuda.get_device_name()
    return found


def seconds(
    run: Callable[[], object],
    repeats: int = 5,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median seconds of one call by the clock, on a GPU with its work finished."""
    taken = []
    for index in range(warmup + repeats):
        start = clock()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if index >= warmup:
            taken.append(clock() - start)
    return statistics.median(taken)


def show(title: str, rows: dict[str, float | str], as_json: bool) -> None:
    """Print the rows as a table or as one JSON object."""
    if as_json:
        print(json.dumps(dict(benchmark=title, machine=machine(), **rows)))
        return
    print(title)
    print('  ' + ', '.join(f'{key} {value}' for key, value in machine().items()))
    width = max(map(len, rows))
    for key, value in rows.items():
        shown = f'{value:.4g}' if isinstance(value, float) else value
        print(f'  {key:<{width}}  {shown}')
