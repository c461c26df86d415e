/* Factorised operators along an axis: what fdx_solver.c makes, and fdx_solve.c applies to arrays. */
#ifndef FDX_SOLVER_H
#define FDX_SOLVER_H

#include "fdx_operator.h"

/* An LU decomposition without fill outside of the matrix's own outline. Its rows and columns are places: the points in
 * their order or, for periodic ones, folded. Row p is stored as it is applied: from `diagonal[p]` on the reciprocal
 * pivot, and what the `upper[p]` rows after it are multiplied by; before it, backwards, what the `lower[p]` rows before
 * it are. With exchanges of rows, what row p adds to the row j places after it is in that one, j before its pivot. */
struct fdx_solver {
    ptrdiff_t n;
    const fdx_isa *isa;
    int folded, exchanges;
    int double_only; /* numbers over- or underflow in single precision */
    double *w;
    ptrdiff_t *diagonal;
    int *lower, *upper;
    int *exchange; /* row p is exchanged with the one so many places after it */
    int *reach;    /* the last row that has row p added, in places after it */
};

/* Places of a folded axis: 0, n - 1, 1, n - 2, ... So points that are near each other across the ends are near, and
 * the corners of a periodic matrix are in a band of twice the width. */
static inline ptrdiff_t half_of(ptrdiff_t n)
{
    return n - n / 2;
}

static inline ptrdiff_t place_of(const fdx_solver *s, ptrdiff_t point)
{
    return !s->folded ? point : point < half_of(s->n) ? 2 * point : 2 * (s->n - 1 - point) + 1;
}

static inline ptrdiff_t point_at(const fdx_solver *s, ptrdiff_t place)
{
    return !s->folded ? place : place % 2 == 0 ? place / 2 : s->n - 1 - place / 2;
}

/* Multiply n numbers in each of the rows of a tile, `row` bytes apart, in the order of places, by the inverse of L, and
 * by that of U. */
void fdx_substitute_forwards(const fdx_solver *s, const fdx_sums *sums, char *tile, ptrdiff_t row, ptrdiff_t n);
void fdx_substitute_backwards(const fdx_solver *s, const fdx_sums *sums, char *tile, ptrdiff_t row, ptrdiff_t n);

#endif
