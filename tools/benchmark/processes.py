"""Throughput of several training processes on one machine over a single one.

Each trains the same two-stream network on clips of its own, as tools/dist_train.sh
has it: DistributedDataParallel with gloo on a CPU, the threads shared out. A single
process has all threads. GPUs are one per process, with nccl.

    python tools/benchmark/processes.py --processes 2
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from _clips import batch
from _report import show
from torch.nn.parallel import DistributedDataParallel
from training_step import network

from mmsign.engine.launch import reported_errors


def train(rank: int, processes: int, threads: int, port: int, args, result) -> None:
    """Train in one of the processes; the first puts the seconds of a step away."""
    torch.set_num_threads(threads)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(rank)
    if processes > 1:
        # Asked for by whoever sums over processes, such as the masked batch norm.
        dist.init_process_group(
            'nccl' if on_gpu else 'gloo',
            init_method=f'tcp://127.0.0.1:{port}',
            rank=rank,
            world_size=processes,
        )
    net = network(args).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-5)
    model = net
    if processes > 1:
        model = DistributedDataParallel(net, broadcast_buffers=False)
    data = batch(args)
    taken = []
    for index in range(args.repeats + 1):
        if processes > 1:
            dist.barrier()
        start = time.perf_counter()
        ready = net.data_preprocessor(data, True)
        losses = model(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()
        if processes > 1:
            # The step is done when the slowest has done it.
            dist.barrier()
        if on_gpu:
            torch.cuda.synchronize()
        if index:  # the first warms up
            taken.append(time.perf_counter() - start)
    if rank == 0:
        result['seconds'] = statistics.median(taken)
        result['parameters'] = sum(p.numel() for p in net.parameters())
    if processes > 1:
        dist.barrier()
        dist.destroy_process_group()


def seconds_per_step(processes: int, cores: int, args) -> tuple[float, int]:
    """Median seconds of a step of ``processes``, and the network's parameters."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    with mp.Manager() as manager:
        result = manager.dict()
        threads = max(1, cores // processes)
        arguments = (processes, threads, port, args, result)
        # Forks of one process that has imported all, which a GPU would not bear.
        method = 'spawn' if torch.cuda.is_available() else 'forkserver'
        mp.set_forkserver_preload(['mmsign'])
        mp.start_processes(train, arguments, processes, start_method=method)
        return result['seconds'], result['parameters']


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1, help='of each process')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    args.checkpointing = False
    gpus = torch.cuda.device_count()
    if args.processes < 2 or 0 < gpus < args.processes:
        parser.error(f'--processes must be 2 or more, and at most the GPUs ({gpus})')
    cores = len(os.sched_getaffinity(0))
    alone, parameters = seconds_per_step(1, cores, args)
    together, _ = seconds_per_step(args.processes, cores, args)
    single = args.batch_size / alone
    several = args.processes * args.batch_size / together
    rows = {
        'processes': args.processes,
        'cores': cores,
        'frames of a clip': args.frames,
        'one process, clips/s': single,
        f'{args.processes} processes, clips/s together': several,
        'ratio of throughput': several / single,
        'gradients exchanged in a step, MB': 4 * parameters / 1e6,
    }
    show('processes on one machine', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
