#!/usr/bin/env bash
# Sees that this machine has the programs we need: installs them with apt as root, else says what to install.
# Usage: packaging/setup/system.sh [browser] [etcd]
#   browser: also Chromium and fonts, for the browser tests;  etcd: also etcd, for the demo and the store's tests
# shellcheck source=packaging/setup/common.sh
source "$(dirname "$0")/common.sh"

missing=()
wants() { case " $wanted " in *" $1 "*) true ;; *) false ;; esac; }
wanted=$*

# python3 may come without ensurepip (Debian packs it apart), and then makes environments without pip.
python=$(packaging/setup/choose_python.sh)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=(python3-venv)
fi

command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)

if wants browser; then
  command -v chromium >/dev/null || missing+=(chromium)
  # Latin text, and the shapes that stand for an agent's state (● ▲ ■ ◆ ○): Chromium brings no fonts.
  [ -d /usr/share/fonts/truetype/liberation ] || [ -d /usr/share/fonts/truetype/liberation2 ] ||
    missing+=(fonts-liberation)
  [ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
fi

wants etcd && ! command -v etcd >/dev/null && missing+=(etcd-server)

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    fail "this machine lacks ${missing[*]} (Debian's names); install them and run the same command again"
  elif [ "$(id -u)" -ne 0 ]; then
    fail "some system packages are missing; run
    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}
and then the same command again"
  fi
  take_turn
  export DEBIAN_FRONTEND=noninteractive
  # With apt's own lock another installation is waited for; output only matters when it fails.
  apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  install_packages() {
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
      { tail -n 30 "$log" >&2 && return 1; }
  }
  timed "installing system packages (${missing[*]})" install_packages
  # The package starts a service; demo and tests start members of their own, and nobody asked for one on port 2379.
  case " ${missing[*]} " in
    *" etcd-server "*) systemctl disable --now etcd >/dev/null 2>&1 || true ;;
  esac
fi

node_major=$(node -p 'process.versions.node.split(".")[0]')
[ "$node_major" -ge 18 ] || fail "Node 18 or newer is needed to build the pages; this is $(node --version)"
