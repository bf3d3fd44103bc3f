# Sourced by slurm_train.sh and slurm_test.sh; not a command of its own.
#
#   submit PARTITION JOB_NAME SCRIPT [arguments]

submit() {
    local partition="$1" job_name="$2" script="$3" tools root gpus per_node
    shift 3
    tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    root="$(dirname "$tools")"
    gpus="${GPUS:-8}"
    per_node="${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}"
    # One port per job, the same in all its processes.
    export MASTER_PORT="${MASTER_PORT:-$((12000 + RANDOM % 20000))}"
    # SRUN_ARGS is unquoted: it may hold several options.
    # shellcheck disable=SC2086
    PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" srun -p "$partition" \
        --job-name="$job_name" --gres="gpu:$per_node" --ntasks="$gpus" \
        --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" \
        --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "${PYTHON:-python}" -u "$tools/$script" "$@" --launcher slurm
}
