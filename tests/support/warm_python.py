"""A ``python`` that has imported torch and mmsign already.

An import takes longer than most of what tests do with a tool. Here one process
imports, and each command is a fork of it: with its own arguments, environment, folder
and streams, run from the top of the script to the end of the interpreter.

    with warm_python(folder) as python:
        subprocess.run([python, 'tools/train.py', ...], env=...)

Its environment has one thread for each process. Whoever sends signals to a process
needs one that is not forked: what is started here only waits for the fork.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def warm_python(folder: Path, root: Path = ROOT) -> Iterator[str]:
    """The path of the command, named ``python``, while the process is there.

    Args:
        folder: Where the command goes.
        root: What ``mmsign`` is imported from.
    """
    here, path = Path(__file__).resolve(), folder / 'socket'
    command = folder / 'python'
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -S {here} {path} "$@"\n')
    command.chmod(0o755)
    environment = os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=str(root))
    # It ends when its standard input does: with this process at the latest.
    with subprocess.Popen(
        [sys.executable, here, path],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout.read(1) == b'.'
        yield str(command)


def ask(path: str, arguments: list[str]) -> int:
    """Have the server run a command; its status as a shell has it."""
    command = dict(argv=arguments, cwd=os.getcwd(), environ=dict(os.environ))
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b'.'], [0, 1, 2])
        with server.makefile('rw') as file:
            print(json.dumps(command), file=file, flush=True)
            return int(file.readline())


def serve(path: str) -> list[str]:
    """Fork for each command; returns its arguments in the fork that is to run it."""
    # What the scripts import.
    import mmengine.runner  # noqa: F401

    import mmsign.apis  # noqa: F401

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        os.write(1, b'.')
        gc.freeze()  # what is imported is there to stay
        waiting = []
        while server in select.select([server, 0], [], [])[0]:
            client, _ = server.accept()
            child = os.fork()
            if child == 0:
                server.close()
                return answer(client)
            client.close()
            waiting.append(child)
    for child in waiting:
        os.waitpid(child, 0)
    os._exit(0)


def answer(client: socket.socket) -> list[str]:
    """Wait for the fork that this returns in, and tell its status."""
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    file = client.makefile('rw')
    command = json.loads(file.readline())
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        print(code if code >= 0 else 128 - code, file=file, flush=True)
        os._exit(0)
    file.close()
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', 1, closefd=False)  # noqa: SIM115
    os.chdir(command['cwd'])
    os.environ.clear()
    os.environ.update(command['environ'])
    added = command['environ'].get('PYTHONPATH', '').split(os.pathsep)
    sys.path[1:1] = [folder for folder in added if folder not in sys.path[1:]]
    return command['argv']


def run(arguments: list[str]) -> None:
    """A script, ``-m MODULE`` or ``-c CODE``, as the interpreter does it."""
    if arguments[0] == '-u':
        arguments = arguments[1:]
        sys.stdout.reconfigure(write_through=True)
    if arguments[0] == '-m':
        sys.argv, sys.path[0] = arguments[1:], os.getcwd()
        runpy.run_module(arguments[1], run_name='__main__', alter_sys=True)
    elif arguments[0] == '-c':
        sys.argv, sys.path[0] = ['-c', *arguments[2:]], ''
        exec(arguments[1], dict(__name__='__main__'))
    else:
        sys.argv = arguments
        sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
        runpy.run_path(arguments[0], run_name='__main__')


if __name__ == '__main__':
    if len(sys.argv) > 2:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
    run(serve(sys.argv[1]))
