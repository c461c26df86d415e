#!/usr/bin/env bash
# Build csrc/ as its users do, with any warning an error, and run its tests:  run.sh [cases] [compiler flags]
set -euo pipefail
cd "$(dirname "$0")/../.."
cases=${1:-20000}
shift || true
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
csrc=$PWD/csrc tests=$PWD/tests/c
compile=(${CC:-cc} -std=c99 -O3 -Wall -Wextra -Wpedantic -Werror "$@" "-I$csrc")
(cd "$build" && "${compile[@]}" -c "$csrc"/*.c)
for test in "$tests"/test_*.c; do
    "${compile[@]}" "$test" "$build"/*.o -lm -o "$build/$(basename "$test" .c)"
done
for test in "$build"/test_*; do
    "$test" "$cases"
done
