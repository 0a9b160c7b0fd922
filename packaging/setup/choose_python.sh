#!/usr/bin/env bash
# Prints the Python to build .venv with: $PYTHON if given, else the first of python3, python3.13, 3.12, 3.11
# that is 3.11 to 3.13. constraints.txt has been tried on those.
set -eu

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    command -v "$candidate"
    exit 0
  fi
done
echo "set-up stopped: needs Python 3.11, 3.12 or 3.13; looked for ${PYTHON:-python3, python3.13, python3.12, python3.11}," \
  "found $(python3 --version 2>&1 || true)" >&2
exit 1
