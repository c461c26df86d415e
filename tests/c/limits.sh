#!/usr/bin/env bash
# Flags by which arrays of some dozen elements are large ones, made as those of megabytes are: in tiles, many chunks and
# blocks, by stores past the cache, without divisions. One a line:  limits.sh short|long|none
# Short lines have the ends of everything; long ones, or several of them, are enough for loops of registers.
set -euo pipefail
limits=(BLOCK_OF_SUMS=24 BLOCK_STAGED=20 IN_L2=128 STREAM_SUMS=64 SHORT_UNIT=4 TURNED=4 PIECE=8 SQUARE=4 LINE_LEAST=1
    FDX_BLOCK=8)
case ${1:-} in
    short) limits+=(BLOCK=24 LINE_PIECE=128 IN_L1=64 IN_L3=1024) ;;
    long) limits+=(BLOCK=1500 LINE_PIECE=512 IN_L1=10000 IN_L3=20000) && printf -- '-D%s\n' CHUNK_ONE=16 CHUNK_MANY=8 ;;
    none) exit ;;
    *) echo "expected short, long or none, got '${1:-}'" >&2 && exit 2 ;;
esac
printf -- '-D%s\n' CACHE=256 WORTH=1 STREAM=64 CONVERTED=128
for limit in "${limits[@]}"; do echo "-D${limit%=*}=((ptrdiff_t)${limit#*=})"; done
