"""Kill a training run at random moments, and resume it each time, until it ends.

Run as a program, so that what is killed are processes of its own:

    python kill_runs.py CONFIG WORK_DIR --kills N --interval ITERATIONS --seed S

An undisturbed run leaves its files beside WORK_DIR, in ``alone``.

Modules are imported once; each run is a fork of this process, in a process group of
its own with its data loaders' workers, to all of which SIGKILL is sent from a thread.
After each death every checkpoint must load, and no more than the iterations of one
checkpoint interval may be lost. The last line is a JSON object that says what
happened.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import threading
import time
import traceback
from pathlib import Path

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_run import unformatted_configs, unique_name

import mmsign  # noqa: F401  registers the parts
from mmsign import compat
from mmsign.registry import HOOKS


@HOOKS.register_module(force=True)
class ProgressHook(Hook):
    """Tells the parent about every iteration that is done, and ends with a kill.

    Args:
        pipe: File descriptor to write to.
        target: Iteration after which the kill comes, None for never.
        delay: Seconds from that iteration to the kill.
    """

    priority = 'LOWEST'

    def __init__(self, pipe: int, target: int | None, delay: float) -> None:
        self.pipe, self.target, self.delay = pipe, target, delay

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        os.write(self.pipe, b'%d\n' % (runner.iter + 1))
        if runner.iter + 1 != self.target:
            return
        if self.delay < 0.001:
            kill_group()
        threading.Timer(self.delay, kill_group).start()


def kill_group() -> None:
    os.killpg(0, signal.SIGKILL)


def train(config: Path, work: Path, **progress) -> None:
    """Train in ``work``, going on from what is there."""
    cfg = Config.fromfile(config)
    cfg.work_dir = str(work)
    cfg.experiment_name = unique_name()
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='ProgressHook', **progress)]
    latest = compat.find_latest_checkpoint(work)
    if latest is not None:
        cfg.resume, cfg.load_from = True, latest
    with unformatted_configs():
        Runner.from_cfg(cfg).train()


def run(
    config: Path, work: Path, target: int | None = None, delay: float = 0.0
) -> tuple[int, bool, float]:
    """Train in a fork; kill it ``delay`` seconds after iteration ``target``.

    Returns:
        The last iteration that was done, whether the run was killed, and the seconds
        from the first to the last iteration.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reader)
        log = os.open(work.with_suffix('.log'), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            train(config, work, pipe=writer, target=target, delay=delay)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writer)
    done, first = 0, None
    with open(reader) as pipe:
        for line in pipe:
            done, last = int(line), time.monotonic()
            first = first or last
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and os.WEXITSTATUS(status):
        raise RuntimeError(work.with_suffix('.log').read_text()[-3000:])
    return done, killed, last - first if first else 0.0


def saved_iterations(work: Path) -> int:
    """Of the checkpoint that a run in ``work`` goes on from; all must be whole."""
    for file in work.glob('*.pth'):
        compat.load_checkpoint(file)
    latest = compat.find_latest_checkpoint(work)
    return compat.load_checkpoint(latest)['meta']['iter'] if latest else 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('config', type=Path)
    parser.add_argument('work', type=Path)
    parser.add_argument('--kills', type=int, required=True)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--interval', type=int, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True)
    alone = args.work.with_name('alone')
    alone.mkdir()
    total, _, seconds = run(args.config, alone)
    # Long enough for the kill to meet what follows an epoch: saving, validating.
    longest = seconds * args.interval / total
    draw = random.Random(args.seed)
    last_target = total - args.interval
    targets = sorted(draw.sample(range(1, last_target + 1), args.kills))
    before = args.work.with_name('before')
    lost, saved = [], 0
    for drawn in targets:
        # The life before may have come further than this.
        target = max(drawn, saved + 1)
        delay = longest * draw.random()
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(args.work, before)
        while True:
            done, killed, _ = run(args.config, args.work, target, delay)
            saved = saved_iterations(args.work)
            if killed and saved < total:
                break
            # It was at its end before the kill came: once more, and sooner.
            shutil.rmtree(args.work)
            shutil.copytree(before, args.work)
            delay /= 4
        assert done - saved <= args.interval, f'{done} iterations done, {saved} saved'
        lost.append(done - saved)
    done, killed, _ = run(args.config, args.work)
    assert (done, killed) == (total, False)
    print(json.dumps(dict(killed_after=targets, lost=lost)))


if __name__ == '__main__':
    main()
