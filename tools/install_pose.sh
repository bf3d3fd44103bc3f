#!/usr/bin/env bash
# Usage: bash tools/install_pose.sh [--env FOLDER | --here] [options]
#
# Installs what keypoints are estimated with: mmcv with compiled operators, MMDetection
# and MMPose (requirements/pose.txt), and mmsign itself. Compiling mmcv needs a C++
# compiler and takes most of the time (with GCC 12, all of this took 7 minutes of
# processor time, PyTorch's installation apart); the wheel is kept and used again.
#
#   --env FOLDER          a virtual environment, made if need be (default: .venv-pose)
#   --here                the active environment instead
#   --replace-mmcv-lite   take mmcv-lite away where it is installed. It has the same
#                         import name as mmcv, so both cannot be; without this option
#                         such an environment is left as it is
#   --wheels FOLDER       where the compiled mmcv is kept
#                         (default: ~/.cache/mmsign/wheels)
#   --jobs N              compilers at once (default: one per core)
#
# PYTHON         interpreter to make the environment with (3.10, 3.11 or 3.12)
# MMSIGN_TORCH   what to install as PyTorch where there is none, with any options of
#                pip, instead of requirements/torch.txt
set -euo pipefail

show_help() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

# shellcheck source=tools/_setup_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_setup_env.sh"

environment="$ROOT/.venv-pose"
here=0
replace=0
wheels="${XDG_CACHE_HOME:-$HOME/.cache}/mmsign/wheels"
jobs="$(nproc 2>/dev/null || echo 2)"
while (($#)); do
    case "$1" in
    -h | --help) show_help && exit 0 ;;
    --here) here=1 ;;
    --replace-mmcv-lite) replace=1 ;;
    --env | --wheels | --jobs)
        (($# > 1)) || fail "$1 needs a value (--help says more)"
        case "$1" in
        --env) environment="$2" ;;
        --wheels) wheels="$2" ;;
        --jobs) jobs="$2" ;;
        esac
        shift
        ;;
    *) fail "unknown argument $1 (--help says more)" ;;
    esac
    shift
done
[[ "$jobs" =~ ^[1-9][0-9]*$ ]] || fail "--jobs takes a number of 1 or more, not $jobs"

if ((here)); then
    environment="${VIRTUAL_ENV:-${CONDA_PREFIX:-}}"
    [[ -x "$environment/bin/python" ]] ||
        fail "--here needs an active virtual or conda environment"
elif ! "$environment/bin/python" -m pip --version >/dev/null 2>&1; then
    [[ ! -e "$environment" || -f "$environment/pyvenv.cfg" ]] ||
        fail "$environment exists and is no virtual environment"
    _find_python
    say "Making $environment with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear "$environment"
fi
PYTHON="$environment/bin/python"

# The version of an installed distribution; nothing if there is none.
version_of() {
    (cd / && "$PYTHON" -c 'import importlib.metadata as m, sys
print(m.version(sys.argv[1]))' "$1" 2>/dev/null) || true
}

# Lines of requirements/pose.txt whose names match a pattern.
pose_requirements() {
    sed 's/ *#.*//' "$ROOT/requirements/pose.txt" | grep -E "^($1)[=>]"
}

install() { "$PYTHON" -m pip install --quiet "$@"; }

if [[ -n "$(version_of mmcv-lite)" ]]; then
    ((replace)) || fail "$environment holds mmcv-lite, which would break mmcv and be" \
        "broken by it; run again with --replace-mmcv-lite to replace it, or without" \
        "--here for an environment of its own"
    say "Taking mmcv-lite out of $environment"
    "$PYTHON" -m pip uninstall --quiet --yes mmcv-lite
    # Had both been installed, what is left of mmcv is not whole.
    [[ -z "$(version_of mmcv)" ]] || "$PYTHON" -m pip uninstall --quiet --yes mmcv
fi

if [[ -z "$(version_of torch)" ]]; then
    say "Installing PyTorch into $environment"
    # shellcheck disable=SC2086  # may hold options
    install ${MMSIGN_TORCH:--r "$ROOT/requirements/torch.txt"}
fi

# After PyTorch, which brings a newer setuptools: mmcv's setup.py imports
# pkg_resources, which setuptools 80 and later warn about and then lack.
say "Installing what compiles"
install 'setuptools<80' wheel ninja psutil packaging cython numpy

mmcv="$(pose_requirements mmcv)"
if [[ "mmcv==$(version_of mmcv)" != "$mmcv" ]]; then
    # Operators compiled for one PyTorch do not load into another.
    tag="$("$PYTHON" -c 'import sys, torch
print(f"py{sys.version_info[0]}{sys.version_info[1]}-torch{torch.__version__}")')"
    kept="$wheels/$tag"
    mkdir -p "$kept"
    wheel="$(find "$kept" -name "mmcv-${mmcv#mmcv==}-*.whl" | head -n 1)"
    if [[ -z "$wheel" ]]; then
        say "Compiling $mmcv for $tag: a cup of tea"
        build="$(mktemp -d)"
        trap 'rm -rf "$build"' EXIT
        "$PYTHON" -m pip download --quiet --no-deps --no-build-isolation \
            --no-binary mmcv --dest "$build" "$mmcv"
        tar -xf "$build"/mmcv-*.tar.gz -C "$build"
        # PyTorch's headers need C++17 since 2.1; this mmcv asks for C++14.
        sed -i.old 's/-std=c++14/-std=c++17/g; s/std:c++14/std:c++17/g' \
            "$build"/mmcv-*/setup.py
        # Without debugging information, and the header of all files but once.
        header="$(find "$build" -name pytorch_cpp_helper.hpp)"
        export HEADER_ONCE="$header" COMPILER_ONCE="${CXX:-c++}"
        CXX="$ROOT/tools/_header_once.sh" CFLAGS="${CFLAGS:-} -g0" \
            MMCV_WITH_OPS=1 MAX_JOBS="$jobs" "$PYTHON" -m pip wheel --quiet --no-deps \
            --no-build-isolation --wheel-dir "$kept" "$build"/mmcv-*/
        wheel="$(find "$kept" -name "mmcv-${mmcv#mmcv==}-*.whl" | head -n 1)"
        [[ -n "$wheel" ]] || fail "mmcv was not compiled; see the messages above"
    fi
    say "Installing $wheel"
    install --no-deps --force-reinstall "$wheel"
fi

# Sees the mmcv that is there now and leaves it.
say "Installing mmsign into $environment"
install -e "$ROOT"

say "Installing MMPose and MMDetection"
# Listed one per line, without spaces.
# shellcheck disable=SC2046
install $(pose_requirements '[a-z-]+' | grep -vE '^(mmcv|mmdet|mmpose|xtcocotools)[=>]')
# shellcheck disable=SC2046
install --no-deps $(pose_requirements 'mmdet|mmpose')
install --no-deps --no-build-isolation --no-binary xtcocotools \
    "$(pose_requirements xtcocotools)"

say "Trying them"
(cd / && "$PYTHON" -W ignore - <<'PY')
import mmcv.ops
import numpy as np
import torch

from mmsign.pose import RANDOM_WEIGHTS, PoseEstimator, SignerDetector

boxes = mmcv.ops.nms(torch.tensor([[0.0, 0, 9, 9]]), torch.ones(1), 0.5)[0]
assert boxes.tolist() == [[0, 0, 9, 9, 1]]
SignerDetector(checkpoint=RANDOM_WEIGHTS, device='cpu')
estimator = PoseEstimator(checkpoint=RANDOM_WEIGHTS, device='cpu')
points = estimator(np.zeros((1, 64, 64, 3), np.uint8))
print(f'mmcv {mmcv.__version__}, keypoints of shape {points.shape}: works')
PY
say "Done: $PYTHON tools/data/extract_keypoints.py --help"
