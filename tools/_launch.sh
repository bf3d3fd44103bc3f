# Sourced by dist_train.sh and dist_test.sh; not a command of its own.
#
#   launch PROCESSES SCRIPT [arguments]
#
# runs tools/SCRIPT in PROCESSES processes on each of NNODES machines.

launch() {
    local processes="$1" script="$2" tools root python port cores status=0
    shift 2
    tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    root="$(dirname "$tools")"
    python="${PYTHON:-python}"
    if ! [[ "$processes" =~ ^[1-9][0-9]*$ ]]; then
        echo "error: the number of processes must be positive, not '$processes'" >&2
        return 2
    fi
    port="${PORT:-29500}"
    if [[ -z "${PORT:-}" && "${NNODES:-1}" == 1 ]]; then
        # Two runs on one machine must not meet.
        port="$("$python" -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')"
    fi
    cores="$("$python" -c '
import os
print(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
      else os.cpu_count() or 1)')"
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((cores > processes ? cores / processes : 1))}"
    PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" "$python" -m torch.distributed.run \
        --nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}" \
        --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "$port" \
        --nproc_per_node "$processes" \
        "$tools/$script" "$@" --launcher pytorch || status=$?
    if ((status)); then
        echo "error: a process ended early and the others were ended with it; its" \
            "message, or its signal in the summary above, says why. Signal 9 (SIGKILL)" \
            "mostly means that memory ran out. Checkpoints that training has written" \
            "are whole: it goes on with --resume" >&2
    fi
    return "$status"
}
