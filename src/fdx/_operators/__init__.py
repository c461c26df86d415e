"""Operators: sums of terms, their compilation, analysis, matrices and pictures."""
