#!/usr/bin/env bash
# Sees that this machine has the programs we need: installs them with apt as root, else says what to install.
# Usage: packaging/setup/system.sh [browser] [etcd] [balancers] [java]
#   browser: also Chromium and fonts, for the browser tests;  etcd: also etcd, for the demo and the store's tests
#   balancers: also Apache with mod_jk, HAProxy, nginx and dnsmasq, for the tests of the files that we write for them
#   java: also Java's compiler, 17 or newer, for the JTAPI peer of the tests
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
wants java && ! command -v javac >/dev/null && missing+=(default-jdk-headless)

if wants balancers; then
  # Daemons lie where not everybody's PATH goes.
  has_daemon() { PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null; }
  has_daemon apache2 || missing+=(apache2)
  [ -f /usr/lib/apache2/modules/mod_jk.so ] || missing+=(libapache2-mod-jk)
  has_daemon haproxy || missing+=(haproxy)
  has_daemon nginx || missing+=(nginx-light)
  has_daemon dnsmasq || missing+=(dnsmasq-base)
fi

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
  # Some packages start a service, two of them on the same port 80. Demo and tests start programs of their own, and
  # nobody asked for services: while packages are installed none may start, unless this machine has a rule about that.
  policy=/usr/sbin/policy-rc.d
  ours=
  if ! [ -e "$policy" ]; then
    ours=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  trap 'rm -f "$log" ${ours:+"$ours"}' EXIT
  install_packages() {
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
      { tail -n 30 "$log" >&2 && return 1; }
  }
  timed "installing system packages (${missing[*]})" install_packages
  # Neither do they start with the machine.
  for each in etcd-server:etcd apache2:apache2 haproxy:haproxy nginx-light:nginx; do
    case " ${missing[*]} " in
      *" ${each%%:*} "*) systemctl disable --now "${each##*:}" >/dev/null 2>&1 || true ;;
    esac
  done
fi

node_major=$(node -p 'process.versions.node.split(".")[0]')
[ "$node_major" -ge 18 ] || fail "Node 18 or newer is needed to build the pages; this is $(node --version)"
