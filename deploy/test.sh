#!/usr/bin/env bash
# All tests: formatting, lints, docs, Rust tests, console tests, end-to-end tests in a real browser.
# Every step runs even when one before it failed; the last line counts: "N passed, N failed".
. "$(dirname "$0")/lib.sh"

need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
need_rust
need_node
need_seaweedfs

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# A step that counts as one check.
check() {
  local name=$1
  shift
  say "$name"
  local started=$SECONDS
  if "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$name" >&2
  fi
  printf '    (%s s)\n' "$((SECONDS - started))" >&2
}

# A step that runs many tests: `count RUNNER` reads how many from what it printed.
suite() {
  local name=$1 count=$2
  shift 2
  say "$name"
  local started=$SECONDS status=0 p f
  "$@" 2>&1 | tee "$log" || status=$?
  read -r p f < <("$count" <"$log")
  if [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
  if [ "$status" -eq 0 ] && [ "${p:-0}" -eq 0 ]; then
    printf 'FAILED: %s ran no test\n' "$name" >&2
    f=1
  fi
  passed=$((passed + ${p:-0}))
  failed=$((failed + ${f:-0}))
  printf '    (%s passed, %s failed, %s s)\n' "${p:-0}" "${f:-0}" "$((SECONDS - started))" >&2
}

plain() { sed 's/\x1b\[[0-9;]*m//g'; }
count_nextest() { plain | awk '/tests? run:/ {for (i=2;i<=NF;i++) {if ($i ~ /^passed/) p=$(i-1); if ($i ~ /^(failed|timed)/) f+=$(i-1)}} END {print p+0, f+0}'; }
count_cargo() { plain | awk '/^test result:/ {for (i=2;i<=NF;i++) {if ($i ~ /^passed/) p+=$(i-1); if ($i ~ /^failed/) f+=$(i-1)}} END {print p+0, f+0}'; }
count_vitest() { plain | awk '/^ *Tests / {for (i=2;i<=NF;i++) {if ($i ~ /^passed/) p+=$(i-1); if ($i ~ /^failed/) f+=$(i-1)}} END {print p+0, f+0}'; }
count_node() { plain | awk '$2=="pass" {p+=$3} $2=="fail" {f+=$3} END {print p+0, f+0}'; }

rust_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --workspace --no-fail-fast
  else
    cargo test --locked --workspace --no-fail-fast
  fi
}
counter=count_nextest
cargo nextest --version >/dev/null 2>&1 || counter=count_cargo

check "shell scripts parse" bash -n deploy/lib.sh deploy/run.sh deploy/test.sh
check "Rust formatting" cargo fmt --all --check
npm_install api/console
npm_install tests/browser
check "console: types" npm --prefix api/console run --silent typecheck
check "console: lint" npm --prefix api/console run --silent lint
suite "console: unit tests" count_vitest npm --prefix api/console run --silent test
build_console
check "clippy, warnings denied" cargo clippy --locked --workspace --all-targets -- -D warnings
check "documentation, warnings denied" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
check "build" cargo build --locked --workspace
suite "Rust tests" "$counter" rust_tests
check "fuzzing, 10 s a target" storage/footage/fuzz/run.sh 10
suite "end to end, in a browser" count_node node --test --test-reporter=spec tests/browser/

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
