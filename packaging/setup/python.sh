#!/usr/bin/env bash
# Makes .venv with the exact versions of constraints.txt, and this project in it as an editable install.
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"
take_turn

stamp=.venv/.set-up
key=$(key_of -- constraints.txt pyproject.toml)

# An environment cannot be moved: its programs name the folder they were made in.
usable() {
  .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null &&
    grep -qsF "$(pwd -P)/.venv/" .venv/bin/pip
}
usable && done_before "$stamp" "$key" && exit 0

if ! usable; then
  python=$(packaging/setup/choose_python.sh)
  rm -rf .venv
  timed "making .venv with $("$python" --version)" "$python" -m venv .venv
fi
# A place that pip was told to look in and cannot is not worth a warning on each of these lines.
quiet_pip() { .venv/bin/python -m pip install -q "$@" 2> >(grep -v '^WARNING: Location .* is ignored: ' >&2); }
timed "installing Python packages" quiet_pip -r constraints.txt
# hatchling and editables are in that list, so the build needs no environment of its own.
timed "installing unified-agent" quiet_pip -c constraints.txt --no-build-isolation -e '.[dev]'
echo "$key" >"$stamp"
