#!/usr/bin/env bash
# Fuzz all of fdx.h for so many seconds:  run.sh SECONDS [libFuzzer's arguments]
#
# `run.sh 0 FILE...` only makes the calls of these files, to reproduce a finding. FDX_FUZZ_LIMITS is "short" (limits so
# small that small arrays are computed as large ones are; the default), "long" (lines and blocks long enough for vector
# loops, np.gradient's blocks of few elements) or "none". FDX_FUZZ_SEED is libFuzzer's seed, FDX_FUZZ_KEEP a
# folder that the corpus is merged into afterwards, FDX_FUZZ_FINDINGS one for inputs with a finding.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 1 ] || { sed -n 's/^# //p' "$0" >&2; exit 2; }
seconds=$1 root=$PWD
shift
CC=${CC:-clang}
if ! command -v "$CC" > /dev/null; then
    echo "$CC is not here: install the packages clang and libclang-rt-dev (for clang 14: libclang-rt-14-dev)" >&2
    exit 3
fi

: "${FDX_FUZZ_LIMITS:=short}"
said=$(bash tests/c/limits.sh "$FDX_FUZZ_LIMITS")
limits=()
[ -z "$said" ] || mapfile -t limits <<< "$said"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile=("$CC" -std=c99 -O1 -g -fno-sanitize-recover=all -Wall -Wextra -Wno-pass-failed "-I$root/csrc" "${limits[@]}")
# Coverage of csrc/ only, and not of its comparisons: numbers in loops say nothing about the input's bytes.
covered=(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-coverage=trace-cmp)
(
    cd "$work"
    printf '%s\n' "$root"/csrc/*.c | xargs -P "$(nproc)" -I '{}' "${compile[@]}" "${covered[@]}" -c '{}'
    printf '%s\n' "$root"/tests/fuzz/*.c |
        xargs -P "$(nproc)" -I '{}' "${compile[@]}" -fsanitize=address,undefined -c '{}'
    "$CC" -fsanitize=fuzzer,address,undefined ./*.o -lm -o fuzz
)
status=0
if [ "$seconds" = 0 ]; then
    "$work/fuzz" -detect_leaks=0 "$@" || status=$?
    exit "$status"
fi

findings=${FDX_FUZZ_FINDINGS:-$(mktemp -d)}
mkdir -p "$findings" "$work/corpus"
cp tests/fuzz/corpus/* "$work/corpus"
# Nothing is allocated, so there are no leaks to look for.
options=("-max_total_time=$seconds" "-seed=${FDX_FUZZ_SEED:-1}" -max_len=512 -timeout=20 -rss_limit_mb=2048
    -entropic=0 -detect_leaks=0 -print_final_stats=1 "-artifact_prefix=$findings/")
"$work/fuzz" "${options[@]}" "$work/corpus" "$@" > "$work/log" 2>&1 || status=$?
if [ "$status" = 0 ]; then
    grep -E '^#[0-9]+[[:space:]]+(INITED|DONE)|^Done|^stat::' "$work/log"
else
    grep -v -E '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)|NEW_FUNC' "$work/log"
    for input in "$findings"/*; do
        echo "a finding, which is made again by: FDX_FUZZ_LIMITS=$FDX_FUZZ_LIMITS bash tests/fuzz/run.sh 0 $input"
    done
fi
rmdir "$findings" 2> /dev/null || true
if [ -n "${FDX_FUZZ_KEEP:-}" ]; then
    mkdir -p "$FDX_FUZZ_KEEP"
    "$work/fuzz" -merge=1 -max_len=512 -detect_leaks=0 "$FDX_FUZZ_KEEP" "$work/corpus" 2>&1 | tail -n 1
fi
exit "$status"
