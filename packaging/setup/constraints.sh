#!/usr/bin/env bash
# Writes constraints.txt from .venv, keeping its heading. editables is only needed to build, and stays.
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"
take_turn

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
grep '^#' constraints.txt >"$fresh"
.venv/bin/python -m pip freeze --exclude-editable 2>/dev/null | sort -f >>"$fresh"
grep -qs '^hatchling==' "$fresh" || fail "pip freeze told nothing sensible; constraints.txt is as it was"
cat "$fresh" >constraints.txt
say "constraints.txt now names $(grep -c '==' constraints.txt) packages; try it on 3.11, 3.12 and 3.13 before committing"
