"""Checks and conversions of arguments, for all functions except `gradient`, which follows NumPy's.

One rule holds for all: an array or a number is used as it is, or an error names the argument and
says what to write instead. What an argument means beyond its numbers (a mask, a unit, labels,
chunks, a graph of gradients) is never dropped silently, not even in a list or in what an object's
``__array__`` returns.
"""
