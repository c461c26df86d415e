#!/usr/bin/env bash
# Compile csrc/ as its users do, with warnings as errors, and run its tests:  run.sh [cases] [compiler flags]
set -euo pipefail
cd "$(dirname "$0")/../.."
cases=${1:-20000}
shift || true
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
csrc=$PWD/csrc tests=$PWD/tests/c
compile=(${CC:-cc} -std=c99 -O3 -Wall -Wextra -Wpedantic -Werror "$@" "-I$csrc")
each() { xargs -P "$(nproc)" -I '{}' "$@"; } # for each line, on all processors
cd "$build"
printf '%s\n' "$csrc"/*.c | each "${compile[@]}" -c '{}'
for test in "$tests"/test_*.c; do basename "$test" .c; done | each "${compile[@]}" "$tests/{}.c" ./*.o -lm -o '{}'
printf '%s\n' test_* | each bash -c "./{} $cases"
