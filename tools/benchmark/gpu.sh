#!/usr/bin/env bash
# Usage: bash tools/benchmark/gpu.sh OUT
#
# Tests and measures on one GPU, in five minutes at most: the tests that need one, speed
# and memory of training and inference, a training step by kernel, a minute of training
# on the toy corpus. Nothing is installed and no network is used. What fails is said, and
# the rest goes on. OUT gets gpu.md, the raw figures and a log of each part.
#
#   PYTHON=python3.12 bash tools/benchmark/gpu.sh work_dirs/gpu
#
# The interpreter is $PYTHON (python by default); it must find PyTorch and mmsign's
# other requirements. Without a GPU it runs as well, in small sizes, to be tried.
set -euo pipefail

if (($# != 1)) || [[ "$1" == -h || "$1" == --help ]]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit $(($# == 1 ? 0 : 2))
fi
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python}" "$root/tools/benchmark/_gpu.py" "$1"
