#!/usr/bin/env bash
# Fetches the packages that build and test the pages, exactly as web/package-lock.json says.
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"
take_turn

stamp=web/node_modules/.set-up
key=$(key_of -- web/package.json web/package-lock.json web/.npmrc)
done_before "$stamp" "$key" && exit 0

# None of these packages needs its install script (esbuild's only saves 30 ms a call), so none is run.
fetch() { npm --prefix web ci --ignore-scripts --no-progress --loglevel=error >/dev/null; }
timed "installing web packages" fetch
echo "$key" >"$stamp"
