#!/usr/bin/env bash
# Flags by which arrays of some dozen elements are computed as those of megabytes are: in tiles, many blocks and line
# segments, by non-temporal stores, without divisions, and AVX-512's loops have the registers of AVX2. One a line:
# limits.sh short|long|none
# Short lines have all kinds of line ends; long ones, or several of them, are enough for vector loops.
set -euo pipefail
limits=(STREAM_MIN_BYTES=64 STREAM_MIN_RUN=1 TERMS_BLOCK_ELEMENTS=24 STAGED_BLOCK_ELEMENTS=20
    MAX_ELEMENTS_PER_POINT=4 TRANSPOSED_LINES=4 SEGMENT_ELEMENTS=8 TRANSPOSED_SIDE=4 MIN_LINE_ELEMENTS=1
    MIN_CROSSED=1 MIN_WEIGHED_LINE=16 MIN_INTERIOR_PERCENT=1 MIN_NESTED_PERCENT=-1000 FDX_BUFFER_ELEMENTS=8)
case ${1:-} in
    short)
        limits+=(BLOCK_ELEMENTS=24 LINE_SEGMENT_BYTES=128 L1_BYTES=64 L2_BYTES=512
            TILE_BYTES=256 MAX_TILE_LINES=6 MIN_TILE_LINES=2 MAX_TRANSPOSED=4)
        ;;
    long)
        limits+=(BLOCK_ELEMENTS=1500 LINE_SEGMENT_BYTES=512 L1_BYTES=10000 L2_BYTES=20000
            TILE_BYTES=10000 MAX_TILE_LINES=40 MIN_TILE_LINES=12 MAX_TRANSPOSED=20)
        printf -- '-D%s\n' ONE_AXIS_BLOCK_ELEMENTS=16 AXES_BLOCK_ELEMENTS=8
        ;;
    none) exit ;;
    *) echo "expected short, long or none, got '${1:-}'" >&2 && exit 2 ;;
esac
printf -- '-D%s\n' CACHE_BYTES=256 MIN_DIVISIONS=1 CONVERTED_BYTES=128 FDX_EMULATE_SHIFTS
for limit in "${limits[@]}"; do echo "-D${limit%=*}=((ptrdiff_t)${limit#*=})"; done
