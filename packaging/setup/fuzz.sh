#!/usr/bin/env bash
# Adds the fuzzer to .venv. Only `make fuzz` needs it, so it is not among the packages that every set-up installs.
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"
take_turn

.venv/bin/python -c 'import atheris' 2>/dev/null && exit 0
install_fuzzer() { .venv/bin/python -m pip install -q 'atheris>=3,<4' 2> >(grep -v '^WARNING: Location ' >&2); }
timed "installing the fuzzer" install_fuzzer
