#!/usr/bin/env bash
# Usage: CXX=tools/_header_once.sh HEADER_ONCE=FILE.hpp COMPILER_ONCE=c++ …
#
# A C++ compiler for sources that all begin with one header: the first call compiles
# that header alone, with its own options, and GCC takes the result from then on. mmcv's
# 77 files spend most of their time on PyTorch's headers, which theirs includes. Another
# compiler passes over the result, and so do calls that come before it is there.
set -euo pipefail

read -ra compiler <<<"$COMPILER_ONCE"

compile_header() {
    local options=() skip=0 option
    for option in "$@"; do
        if ((skip)); then
            skip=0
            continue
        fi
        case "$option" in
        -c | -MMD | *.cpp) ;;
        -o | -MF) skip=1 ;;
        *) options+=("$option") ;;
        esac
    done
    # It appears whole or not at all: other calls may be looking for it.
    "${compiler[@]}" "${options[@]}" -x c++-header "$HEADER_ONCE" \
        -o "$HEADER_ONCE.part" && mv "$HEADER_ONCE.part" "$HEADER_ONCE.gch"
}

if [[ " $* " == *' -c '*.cpp* ]] && mkdir "$HEADER_ONCE.begun" 2>/dev/null; then
    compile_header "$@" || true
fi
exec "${compiler[@]}" "$@"
