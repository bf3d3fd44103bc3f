#!/usr/bin/env bash
# Usage: bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options]
#
# Tests under slurm, with the options of tools/test.py. GPUS (8) is the total number of
# processes, GPUS_PER_NODE (8) and CPUS_PER_TASK (5) say how they are spread; SRUN_ARGS
# holds further options of srun.
set -euo pipefail
if (($# < 4)) || [[ "$1" == -* ]]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit $(($# > 0 ? 0 : 2))
fi
partition="$1"
job_name="$2"
shift 2
# shellcheck source=tools/_slurm.sh
source "$(dirname "${BASH_SOURCE[0]}")/_slurm.sh"
submit "$partition" "$job_name" test.py "$@"
