#!/usr/bin/env bash
# Usage: bash tools/run_tests.sh [arguments of pytest]
#
# Sets up an environment (the active virtual environment, else .venv in the checkout,
# which is made if need be), checks style and format, and runs the test suite.
# The last lines say what passed.
#
#   bash tools/run_tests.sh                     everything
#   bash tools/run_tests.sh --quick             what is not marked slow, in a minute
#   bash tools/run_tests.sh tests/decoding      one folder, without the style check
#   bash tools/run_tests.sh tests/web --web-clip=clip.mp4 --web-shots=/tmp
#                                               the page in Chromium: docs/web.md
#   MMSIGN_TEST_PROCESSES=1 bash tools/run_tests.sh -x
set -euo pipefail

for argument in "$@"; do
    if [[ "$argument" == -h || "$argument" == --help ]]; then
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
    fi
done

# shellcheck source=tools/_setup_env.sh
source "$(dirname "${BASH_SOURCE[0]}")/_setup_env.sh"
set_up_environment all

# Paths among the arguments are relative to the checkout, as pytest prints them.
cd "$ROOT"
processes="${MMSIGN_TEST_PROCESSES:-2}"
parallel=()
if ((processes > 1)); then
    # A process that dies ends the run: pytest-xdist can wait forever for one in its place.
    parallel=(-n "$processes" --dist loadfile --max-worker-restart 0)
    # Each process computes on one core.
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
fi

if [[ "${1:-}" == --quick ]]; then
    shift
    set -- -m "not slow" "$@"
fi

style=0
if (($# == 0)); then
    say "Style and format"
    "$PYTHON" -m ruff check . || style=1
    "$PYTHON" -m ruff format --check . || style=1
fi

say "Tests"
tests=0
"$PYTHON" -m pytest ${parallel[@]+"${parallel[@]}"} "$@" || tests=$?

if ((style)); then
    say "Style or format failed (see above); tests ended with status $tests"
    exit 1
fi
say "Done: tests ended with status $tests"
exit "$tests"
