"""Benchmarks of fdx, run by asv; the first lines of each module state the question it answers.

No timing has a ``setup``: with one, asv times single calls, which is too coarse for small arrays.
The data comes from cached functions instead, called during asv's warm-up.
"""
