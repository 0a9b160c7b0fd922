# Shared by the set-up scripts: where we are, how to speak, and how a step is skipped when nothing changed.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "set-up: $*" >&2; }

fail() {
  printf '%s\n' "set-up stopped: $*" >&2
  exit 1
}

# Two set-ups in one checkout take turns. The lock ends with the process that holds it.
take_turn() {
  exec 9<packaging/setup
  flock --wait 900 9 || fail "another set-up has held this checkout for 15 minutes"
}

# One line that changes when any of the named files does. Usage: key_of <word>... -- <file>...
key_of() {
  local words=()
  while [ "$1" != -- ]; do
    words+=("$1")
    shift
  done
  shift
  { printf '%s\n' "${words[@]}" && sha256sum -- "$@"; } | sha256sum | cut -d ' ' -f 1
}

# True when <stamp> holds <key>: this step was finished with the same inputs.
done_before() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# Runs a command after saying what it is for, and says how long it took. Usage: timed <what> <command>...
timed() {
  local what=$1 began=$SECONDS
  shift
  say "$what ..."
  "$@" || fail "$what failed (exit $?); its own words are above"
  say "$what took $((SECONDS - began)) s"
}
