# Sourced by quickstart.sh and run_tests.sh; not a command of its own.
#
#   set_up_environment EXTRAS
#
# makes sure that a virtual environment holds mmsign with these extras (such as
# "tests", or "" for none) and sets PYTHON to its interpreter. The active virtual
# environment is used, else .venv in the checkout, which is made if need be.
#
# PYTHON (or --python of the scripts)  interpreter to make .venv with
# MMSIGN_TORCH   what to install as PyTorch where there is none, with any options of
#                pip, instead of requirements/torch.txt

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\n\033[1m[%3d s] %s\033[0m\n' "$SECONDS" "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# True if $1 is an interpreter that mmsign runs on and that can make environments.
_usable_python() {
    "$1" -c '
import sys, venv, ensurepip
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

_find_python() {
    local candidate
    if [[ -n "${PYTHON:-}" ]]; then
        _usable_python "$PYTHON" ||
            fail "$PYTHON is not a Python 3.10, 3.11 or 3.12 with the venv module"
        return
    fi
    for candidate in python3 python3.11 python3.12 python3.10 python; do
        if _usable_python "$candidate"; then
            PYTHON="$candidate"
            return
        fi
    done
    fail "found no Python 3.10, 3.11 or 3.12 with the venv module" \
        "(on Debian: apt install python3-venv); name one with PYTHON=/path/to/python"
}

_choose_environment() {
    if [[ -n "${VIRTUAL_ENV:-}" && -x "$VIRTUAL_ENV/bin/python" ]]; then
        ENVIRONMENT="$VIRTUAL_ENV"
    elif [[ -n "${CONDA_PREFIX:-}" && "${CONDA_DEFAULT_ENV:-base}" != base ]]; then
        ENVIRONMENT="$CONDA_PREFIX"
    else
        ENVIRONMENT="$ROOT/.venv"
        # An interrupted first run leaves an environment without pip.
        if ! "$ENVIRONMENT/bin/python" -m pip --version >/dev/null 2>&1; then
            _find_python
            say "Making $ENVIRONMENT with $("$PYTHON" --version)"
            "$PYTHON" -m venv --clear "$ENVIRONMENT"
        fi
    fi
    PYTHON="$ENVIRONMENT/bin/python"
}

# What the installation depends on: the files that decide it, and where they are.
_fingerprint() {
    "$PYTHON" - "$ROOT" "$1" <<'PY'
import hashlib, pathlib, sys

root, extras = pathlib.Path(sys.argv[1]), sys.argv[2]
digest = hashlib.sha256(f"{root}\n{extras}\n{sys.version}\n".encode())
for file in [root / "setup.py", root / "pyproject.toml"] + sorted(
    (root / "requirements").glob("*.*")
):
    digest.update(file.read_bytes())
print(digest.hexdigest())
PY
}

set_up_environment() {
    local extras="$1" fingerprint stamp
    [[ -f "$ROOT/setup.py" ]] ||
        fail "$ROOT is no checkout; an installed mmsign has the command mmsign quickstart"
    _choose_environment
    fingerprint="$(_fingerprint "$extras")"
    stamp="$ENVIRONMENT/.mmsign-installed-${extras:-core}"
    if [[ "$(cat "$stamp" 2>/dev/null)" == "$fingerprint" ]] &&
        (cd / && "$PYTHON" -c 'import importlib.util as u, sys
sys.exit(not all(map(u.find_spec, ("torch", "mmaction", "mmsign"))))'); then
        say "Environment $ENVIRONMENT is ready"
        return
    fi
    if ! (cd / && "$PYTHON" -c 'import importlib.metadata as m; m.version("torch")') \
        >/dev/null 2>&1; then
        say "Installing PyTorch into $ENVIRONMENT"
        if [[ -n "${MMSIGN_TORCH:-}" ]]; then
            # Unquoted: it may hold several words, such as an option with a value.
            # shellcheck disable=SC2086
            "$PYTHON" -m pip install --quiet $MMSIGN_TORCH
        else
            "$PYTHON" -m pip install --quiet -r "$ROOT/requirements/torch.txt"
        fi
    fi
    say "Installing mmsign${extras:+ with extras: $extras}"
    (cd "$ROOT" && "$PYTHON" -m pip install --quiet -e ".${extras:+[$extras]}")
    if [[ "$extras" == all ]] && ! (cd / && "$PYTHON" -c 'import triton') 2>/dev/null; then
        say "Installing Triton into $ENVIRONMENT, for the tests of kernels"
        "$PYTHON" -m pip install --quiet -r "$ROOT/requirements/triton.txt"
    fi
    printf '%s\n' "$fingerprint" >"$stamp"
}
