#!/usr/bin/env bash
# Usage: bash tools/build_docs.sh [FOLDER]
#
# Builds the documentation site in FOLDER (default: site in the checkout) from README.md,
# docs and the docstrings, without network. A link that leads nowhere, a page that
# mkdocs.yml does not list and a page that would ask another host end it with an error.
#
#   pip install -r requirements/docs.txt     what it needs; not mmsign itself
#   python -m http.server -d site            then shows it on http://localhost:8000
#
# PYTHON names another interpreter than `python`.
set -euo pipefail

for argument in "$@"; do
    if [[ "$argument" == -h || "$argument" == --help ]]; then
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
    fi
done

# MkDocs wants paths from the folder that it is called in.
folder="$(realpath -m "${1:-"$(dirname "${BASH_SOURCE[0]}")/../site"}")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="${PYTHON:-python}"
if ! "$PYTHON" -c 'import math_core, material, mkdocstrings'; then
    echo "error: install what is missing: pip install -r requirements/docs.txt" >&2
    exit 1
fi
# Says that Material will not support MkDocs 2.
export NO_MKDOCS_2_WARNING=1
"$PYTHON" -m mkdocs build --strict --site-dir "$folder"
echo "written: $folder/index.html"
