#!/usr/bin/env bash
# The main job: sets this machine up, builds Sightline and runs the demo. Options go to `sightline demo`:
#   deploy/run.sh --cameras 4 --listen 127.0.0.1:0
. "$(dirname "$0")/lib.sh"

need_packages "${BUILD_PACKAGES[@]}"
need_rust
need_node
build_console
say "building Sightline (release; the first build takes a while)"
cargo build --release --locked -p sightline
say "starting the demo; stop it with Ctrl-C"
case " $* " in
  *" --data"*) ;;
  *) set -- --data target/demo "$@" ;;
esac
exec target/release/sightline demo "$@"
