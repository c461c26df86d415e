"""Are derivatives made of as many instructions as they were?

    python tests/counts [--update] [rows] [calls]

`rows`: the C core's loops, per point. `calls`: calls of the fdx that is installed, by valgrind.
Unlike times, counts are the same on a busy machine, and say which part has changed. What changes by
more than 3 %, either way, is shown, and the exit status is 1; it is 3 if nothing could be counted.

If a change is meant, `python tests/counts --update` stores all figures as they are now; install fdx
from the same source before. Figures belong to a compiler: CC=clang python tests/counts rows
--update stores those of clang. A processor without AVX-512 counts its loops, too, but for those of
weights, whose figures stay as they are.
"""

import argparse
import sys
import time

import calls
import rows
from figures import CannotCount

WHAT = {"rows": rows.main, "calls": calls.main}


def main():
    parser = argparse.ArgumentParser("tests/counts", description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="store the figures as they are now")
    parser.add_argument("what", nargs="*", help="rows or calls; by default both")
    options = parser.parse_args()
    if not set(options.what) <= WHAT.keys():
        parser.error("expected rows, calls, both or nothing")
    status = 0
    for name in options.what or WHAT:
        start = time.perf_counter()
        try:
            if WHAT[name](options.update):
                status = max(status, 1)
        except CannotCount as error:
            print(f"{name}: cannot count: {error}", file=sys.stderr)
            status = 3
        print(f"{name}: {time.perf_counter() - start:.0f} s\n", flush=True)
    if status == 1:
        print("If these changes are meant: python tests/counts --update")
    return status


if __name__ == "__main__":
    sys.exit(main())
