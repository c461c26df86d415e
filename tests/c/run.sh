#!/usr/bin/env bash
# Build csrc/ as its users do, with any warning an error, and run its tests:  run.sh [cases] [compiler flags]
set -euo pipefail
cd "$(dirname "$0")/../.."
cases=${1:-20000}
shift || true
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
${CC:-cc} -std=c99 -O3 -Wall -Wextra -Wpedantic -Werror "$@" -Icsrc csrc/*.c tests/c/test_gradient.c -lm -o "$build/test_gradient"
"$build/test_gradient" "$cases"
