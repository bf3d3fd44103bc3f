#!/usr/bin/env bash
# Usage: bash tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
#
# Tests with GPUS processes on this machine: one per GPU or, where there is no GPU,
# on the CPU. For several machines set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail
if (($# < 3)) || [[ "$1" == -* ]]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit $(($# > 0 ? 0 : 2))
fi
config="$1"
checkpoint="$2"
processes="$3"
shift 3
# shellcheck source=tools/_launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
launch "$processes" test.py "$config" "$checkpoint" "$@"
