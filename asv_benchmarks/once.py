"""Call each benchmark once, all in this process: asv starts one for each, which takes longer."""

import sys
from collections import Counter
from math import prod
from pathlib import Path

from asv_runner.discovery import disc_benchmarks

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

runs: Counter[str] = Counter()
for benchmark in list(disc_benchmarks(str(HERE / "benchmarks"))):
    benchmark.repeat = benchmark.number = 1
    benchmark.set_cache(None)
    for index in range(prod(map(len, benchmark.params))):
        benchmark.set_param_idx(index)
        skipped = benchmark.do_setup()
        if not skipped:
            benchmark.do_run()
        benchmark.do_teardown()
        runs["skipped" if skipped else "run"] += 1
print(dict(runs))
if runs["run"] < 300:
    sys.exit("expected 300 at least")
