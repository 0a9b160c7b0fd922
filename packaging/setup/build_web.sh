#!/usr/bin/env bash
# Builds the pages and the client library into the Python package, unless they were built from the same sources.
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"
take_turn

static=src/unified_agent/server/static
stamp=web/node_modules/.built
mapfile -d '' -t sources < <(find web -name node_modules -prune -o -path web/tests -prune -o -type f -print0 | sort -z)
key=$(key_of -- "${sources[@]}")
[ -d "$static" ] && done_before "$stamp" "$key" && exit 0

build() { npm --prefix web run --silent build; }
timed "building the pages and the client library" build
echo "$key" >"$stamp"
