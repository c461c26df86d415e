"""Functions of arrays, which make operators and apply them: derivatives and weights."""
