"""Benchmarks of fdx, run by asv; each module's first lines say which question it answers.

None of the timings has a ``setup``: with one, asv times single calls, which is too coarse for
small arrays. The data comes from cached functions instead, made during asv's warm-up.
"""
