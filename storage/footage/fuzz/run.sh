#!/usr/bin/env bash
# Runs the fuzz targets: `run.sh [SECONDS [TARGET...]]`, 10 s each unless told. Needs nothing but the toolchain of the project:
# libFuzzer is a crate, and the coverage it lives by comes from flags that the stable compiler knows. (What is fuzzed is
# safe Rust, so no sanitizer is needed, and none of nightly's flags.) With cargo-fuzz installed, `cargo +nightly fuzz run
# TARGET` in this folder does the same under AddressSanitizer.
#
# What is found stays in artifacts/TARGET; put it into corpus/TARGET with the fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:-10}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(record block footer segment)

host=$(rustc -vV | sed -n 's/^host: //p')
# The flags that cargo-fuzz passes, without a sanitizer. They must not reach build scripts and macros: hence --target.
coverage="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares"
export CARGO_TARGET_DIR=${FUZZ_TARGET_DIR:-$PWD/target}
RUSTFLAGS=$(echo $coverage) cargo build --locked --release --target "$host" "${targets[@]/#/--bin=}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in "${targets[@]}"; do
  mkdir -p "artifacts/$target" "target/found/$target"
  # New inputs go to target/found, so that a run leaves the corpus in the repository alone.
  status=0
  "$CARGO_TARGET_DIR/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="artifacts/$target/" "target/found/$target" "corpus/$target" >"$log" 2>&1 ||
    status=$?
  if [ "$status" -ne 0 ]; then
    cat "$log"
    printf 'fuzzing: %s found something, see artifacts/%s\n' "$target" "$target" >&2
    exit 1
  fi
  printf '%s: %s runs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
done
