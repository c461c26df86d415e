"""Diagonal-norm summation-by-parts (SBP) operators on a uniform grid of spacing 1, derived exactly.

Interior accuracy 2p = 2, 4, 6, 8; accuracy p at the ends.  All weights are Fractions.
    first derivative   D  = H^-1 Q,           Q + Q^T = B = diag(-1, 0, ..., 0, 1)
    second derivative  D2 = H^-1 (-A + B S),  A symmetric, positive semidefinite, the same H
    dissipation        R  = -4^-m H^-1 d^T d, d the undivided difference of order m = p + 1
H is diagonal, with r weights that differ from 1 at each end (r = 1 for p = 1, otherwise 2p).

    python tests/sbp.py > csrc/fdx_sbp.inc    the C core's tables
    python tests/sbp.py --check               exact proofs

References: B. Strand, J. Comput. Phys. 110 (1994) 47; K. Mattsson, J. Nordstrom, J. Comput. Phys.
199 (2004) 503; K. Mattsson, M. Svard, J. Nordstrom, J. Sci. Comput. 21 (2004) 57; P. Diener et al.,
J. Sci. Comput. 32 (2007) 109.
"""

import sys
from fractions import Fraction as F
from functools import lru_cache
from math import comb, factorial

import numpy as np

ORDERS = (1, 2, 3, 4)  # p; the interior accuracy is 2p

# The free parameters, by (derivative, accuracy).  They are the last entries of the closure block:
# Q[4,5] for 6 and Q[5,6], Q[5,7], Q[6,7] for 8; A[5,5] for 6 and A[6,6], A[6,7], A[7,7] for 8.
# Any value keeps every identity and degree exact, so rounding them costs nothing but a little of
# what they were chosen for.  Derivative 1: least_error(), rounded to 1/1000.  Derivative 2: the
# largest part of the norm of S that A contains (its "borrowing constant", on which the penalty for
# a Dirichlet condition depends) for which the spectral radius is that of the interior, by a
# numerical search, rounded: 0.129 and 0.0435.
FREE = {
    (1, 6): [F(141, 200)],
    (1, 8): [F(747, 1000), F(-69, 500), F(763, 1000)],
    (2, 6): [F(673, 250)],
    (2, 8): [F(27, 10), F(-7641, 5000), F(2821, 1000)],
}

PUBLISHED = {  # Mattsson and Nordstrom 2004: H, and the closure rows that have no free parameter
    ("H", 1): "1/2",
    ("H", 2): "17/48 59/48 43/48 49/48",
    ("H", 3): "13649/43200 12013/8640 2711/4320 5359/4320 7877/8640 43801/43200",
    ("H", 4): "1498139/5080320 1107307/725760 20761/80640 1304999/725760 299527/725760 "
    "103097/80640 670091/725760 5127739/5080320",
    (1, 1): "-1 1",
    (2, 1): "1 -2 1",
    (1, 2): "-24/17 59/34 -4/17 -3/34; -1/2 0 1/2; 4/43 -59/86 0 59/86 -4/43; "
    "3/98 0 -59/98 0 32/49 -4/49",
    (2, 2): "2 -5 4 -1; 1 -2 1; -4/43 59/43 -110/43 59/43 -4/43; -1/49 0 59/49 -118/49 64/49 -4/49",
}


# ---- derivation ----------------------------------------------------------------------------------


def dpow(x, k, d=0):
    """The d-th derivative of x^k at the integer x."""
    return F(factorial(k) // factorial(k - d) * x ** (k - d)) if k >= d else F(0)


def affine(rows, rhs):
    """All solutions of rows x = rhs as x0 + sum t_k N_k; t_k is the value of one unknown of x.

    Gauss-Jordan from the left, so the unknowns that stay free are the last ones possible."""
    n, m, piv = (
        len(rows[0]),
        [[*list(map(F, a)), F(b)] for a, b in zip(rows, rhs, strict=False)],
        [],
    )
    for c in range(n):
        i = len(piv)
        k = next((k for k in range(i, len(m)) if m[k][c]), None)
        if k is None:
            continue
        m[i], m[k] = m[k], m[i]
        m[i] = [v / m[i][c] for v in m[i]]
        for k in range(len(m)):
            if k != i and m[k][c]:
                m[k] = [a - m[k][c] * b if b else a for a, b in zip(m[k], m[i], strict=False)]
        piv.append(c)
    assert not any(a[n] for a in m[len(piv) :]), "no solution"
    x0, null = [F(0)] * n, []
    for a, c in zip(m, piv, strict=False):
        x0[c] = a[n]
    for f in (c for c in range(n) if c not in piv):
        null.append([F(int(c == f)) for c in range(n)])
        for a, c in zip(m, piv, strict=False):
            null[-1][c] = -a[f]
    return x0, null


def weights(cols, degree, d):
    """The weights on the nodes cols of the d-th derivative at 0, exact to the degree (unique)."""
    x, null = affine(
        [[dpow(j, k) for j in cols] for k in range(degree + 1)],
        [dpow(0, k, d) for k in range(degree + 1)],
    )
    assert not null
    return x


def difference(m):
    """The undivided difference of order m."""
    return [F((-1) ** (m - j) * comb(m, j)) for j in range(m + 1)]


@lru_cache(None)
def interior(d, p):
    """The interior row: the central derivative, or (d = 0) the dissipation."""
    if d:
        return weights(range(-p, p + 1), 2 * p, d)
    # -4^-m d^T d has the symbol -sin(theta / 2)^2m: -1 for the zigzag, so u + R u removes it.
    return [v * (-1) ** p / F(4) ** (p + 1) for v in difference(2 * p + 2)]


def size(p):
    return 1 if p == 1 else 2 * p


@lru_cache(None)
def family(d, p):
    """The conditions of accuracy on the closure block, solved: (pairs, x0, N).

    The block of Q is antisymmetric but for Q[0,0] = -1/2; its unknowns are those above the diagonal
    (and H, which comes out unique).  The block of A is symmetric.  That builds in the summation by
    parts, so only the accuracy of the r rows is left to ask for."""
    r, c, first = size(p), interior(d, p), d == 1
    h, shift = (None, r) if first else (norm(p), 0)
    pairs = [(i, j) for i in range(r) for j in range(i + first, r)]
    at = {ij: k for k, ij in enumerate(pairs, shift)}
    rows, rhs = [], []
    for k in range(p + d):
        for i in range(r):
            row = [F(0)] * (len(pairs) + shift)
            for j in range(r):
                if i != j or not first:
                    sign = -1 if first and j < i else 1
                    row[at[min(i, j), max(i, j)]] += sign * dpow(j, k)
            known = -sum(c[p + j - i] * dpow(j, k) for j in range(r, i + p + 1))
            if first:  # (Q x^k)_i = h_i k i^(k-1)
                row[i] -= dpow(i, k, 1)
                known += F(1, 2) * dpow(0, k) if i == 0 else 0
            else:  # (A x^k)_i = (B S x^k)_i - h_i k (k-1) i^(k-2), and (B S)_0 = -S_0
                known = -known - h[i] * dpow(i, k, 2) - (dpow(0, k, 1) if i == 0 else 0)
            rows.append(row)
            rhs.append(known)
    return pairs, *affine(rows, rhs)


def norm(p):
    """The first r weights of H."""
    return family(1, p)[1][: size(p)]


def end_derivative(p):
    """The row S_0: d/dx at the left end, exact to degree p+1."""
    return weights(range(p + 2), p + 1, 1)


def closure(d, p, t=None):
    """The closure rows at the left end (columns from 0), for the free parameters t."""
    r, c, h = size(p), interior(d, p), norm(p)
    if d == 0:  # the rows of d that fit into the grid, n - m: R is exact zero to degree m-1 = p
        m, diff, rows = p + 1, difference(p + 1), []
        for i in range(max(r, m)):
            scale = -(F(4) ** m) * (h[i] if i < r else 1)
            rows.append(
                [
                    sum(
                        diff[i - k] * diff[j - k]
                        for k in range(max(i, j) - m, min(i, j) + 1)
                        if k >= 0
                    )
                    / scale
                    for j in range(i + m + 1)
                ]
            )
        return rows
    pairs, x0, null = family(d, p)
    t, rows = FREE.get((d, 2 * p), []) if t is None else t, []
    x = [a + sum(s * v[k] for s, v in zip(t, null, strict=False)) for k, a in enumerate(x0)]
    block = dict(zip(pairs, x[len(x) - len(pairs) :], strict=False))
    ends = [-F(1, 2)] if d == 1 else [-v for v in end_derivative(p)]  # Q[0,0], or B S
    for i in range(r):
        if d == 1:
            row = [block[i, j] if i < j else -block[j, i] if j < i else F(0) for j in range(r)]
        else:
            row = [-block[min(i, j), max(i, j)] for j in range(r)]
        row += [c[p + j - i] for j in range(r, i + p + 1)]
        if i == 0:
            row += [F(0)] * (len(ends) - len(row))
            row = [v + ends[j] if j < len(ends) else v for j, v in enumerate(row)]
        while not row[-1]:
            row.pop()
        rows.append([v / h[i] for v in row])
    return rows


def tables():
    """{(derivative, accuracy): (closure rows, H)}; derivative 0 is the dissipation R."""
    return {(d, 2 * p): (closure(d, p), norm(p)) for d in (0, 1, 2) for p in ORDERS}


def min_points(d, p):
    rows = closure(d, p)
    return max(2 * len(rows), *map(len, rows))


def matrix(d, p, n, dtype=float, t=None):
    """The whole n by n operator; the right closure is the left one mirrored, sign -1 for D."""
    rows, c, full = closure(d, p, t), interior(d, p), np.full((n, n), F(0)).astype(dtype)
    for i in range(len(rows), n - len(rows)):
        full[i, i - len(c) // 2 : i + len(c) // 2 + 1] = c
    for i, row in enumerate(rows):
        full[i, : len(row)] = row
        full[n - 1 - i, n - len(row) :] = [-v if d == 1 else v for v in row[::-1]]
    return full


def ends(p, n, dtype=float):
    """The diagonal of H, and the two rows of outward end derivatives (B S without zero rows)."""
    h, s = norm(p), end_derivative(p)
    diag, out = np.full(n, F(1)), np.full((2, n), F(0))
    diag[: len(h)], diag[n - len(h) :] = h, h[::-1]
    out[0, : len(s)] = out[1, n - len(s) :][::-1] = [-v for v in s]
    return diag.astype(dtype), out.astype(dtype)


# ---- the free parameters -------------------------------------------------------------------------


def errors(d, p, k, t=None):
    """The errors of the closure rows for x^k / k!."""
    return [
        (sum(v * dpow(j, k) for j, v in enumerate(row)) - dpow(i, k, d)) / factorial(k)
        for i, row in enumerate(closure(d, p, t))
    ]


def error_norm(d, p, k, t=None):
    return float(sum(h * e * e for h, e in zip(norm(p), errors(d, p, k, t), strict=False))) ** 0.5


def least_error(d, p):
    """Exact: least H norm of the error of the first wrong degree; what is left, by the next."""
    h, nt, k = norm(p), len(family(d, p)[2]), p + d
    t, basis = [F(0)] * nt, [[F(int(i == j)) for j in range(nt)] for i in range(nt)]
    while basis:
        e = errors(d, p, k, t)
        m = [
            [
                b - a
                for a, b in zip(
                    e, errors(d, p, k, [u + v for u, v in zip(t, z, strict=False)]), strict=False
                )
            ]
            for z in basis
        ]
        dot = [
            [sum(w * a * b for w, a, b in zip(h, u, v, strict=False)) for v in [*m, e]] for u in m
        ]
        s, null = affine([row[:-1] for row in dot], [-row[-1] for row in dot])
        t = [u + sum(a * z[i] for a, z in zip(s, basis, strict=False)) for i, u in enumerate(t)]
        basis = [
            [sum(a * z[i] for a, z in zip(v, basis, strict=False)) for i in range(nt)] for v in null
        ]
        k += 1
    return t


# ---- checks --------------------------------------------------------------------------------------


def semidefinite(a):
    """Exact: the symmetric matrix a of Fractions is positive semidefinite (LDL^T)."""
    a = a.copy()
    for k in range(len(a)):
        if a[k, k] < 0 or (a[k, k] == 0 and a[k, k:].any()):
            return False
        for i in np.nonzero(a[k + 1 :, k])[0] + k + 1:
            a[i, k + 1 :] = a[i, k + 1 :] - a[i, k] / a[k, k] * a[k, k + 1 :]
    return True


def check():
    for (d, p), text in PUBLISHED.items():
        rows = [[F(v) for v in row.split()] for row in text.split(";")]
        assert rows == ([norm(p)] if d == "H" else closure(d, p))
    for (d, acc), t in FREE.items():
        if d == 1:
            assert all(
                abs(a - b) <= F(1, 2000) for a, b in zip(t, least_error(d, acc // 2), strict=False)
            )
    for p in ORDERS:
        s = end_derivative(p)
        good = [sum(v * dpow(j, k) for j, v in enumerate(s)) == (k == 1) for k in range(p + 3)]
        assert all(good[:-1])
        assert not good[-1]
        m, least = p + 1, min_points(0, p)
        for n in (least, least + 1, least + 2 * p + 3):
            (h, out), end = ends(p, n, object), np.eye(n, dtype=int)[[0, -1]]
            q, ha, hr = (h[:, None] * matrix(d, p, n, object) for d in (1, 2, 0))
            assert (q + q.T == np.diag(end[1] - end[0])).all()
            a = end.T @ out - ha
            assert (a == a.T).all()
            assert semidefinite(a)
            diff = np.full((n - m, n), F(0))
            for i in range(n - m):
                diff[i, i : i + m + 1] = difference(m)
            assert (hr * F(4) ** m == -diff.T @ diff).all()
        for d, low, high in ((1, p, 2 * p), (2, p + 1, 2 * p + 1), (0, p, 2 * p + 1)):
            n, rows = 4 * p + 12, len(closure(d, p))
            for k in range(high + 2):
                x = np.array([dpow(i, k) for i in range(n)])
                want = [dpow(i, k, d) if d else 0 for i in range(n)]
                wrong = matrix(d, p, n, object) @ x - want
                assert wrong[rows : n - rows].any() == (k > high)
                if k <= low + 1:  # and in some row of either closure not above low
                    assert wrong[:rows].any() == (k > low) == wrong[n - rows :].any()
        print(f"accuracy {2 * p}: the exact checks hold")


# ---- the C core's tables -------------------------------------------------------------------------


def c_array(name, values):
    """Each value as hi + lo: it rounded, and what is left rounded."""
    text = [f"{{{float(v).hex()}, {float(v - F(float(v))).hex()}}}" for v in values]
    return f"static const double {name}[][2] = {{\n    " + ",\n    ".join(text) + "};"


def c_tables():
    norms, counts, weights, entries = [], [], [], []
    for p in ORDERS:
        for d in (1, 2):
            rows = closure(d, p)
            sizes = min_points(d, p), len(rows), len(counts), len(weights), len(norm(p))
            entries.append(f"    {{{d}, {2 * p}, {', '.join(map(str, sizes))}, {len(norms)}}}")
            counts += [str(len(row)) for row in rows]
            weights += [v for row in rows for v in row]
        norms += norm(p)
    return (
        C_HEADER
        + c_array("sbp_norms", norms)
        + f"\nstatic const unsigned char sbp_counts[] = {{{', '.join(counts)}}};\n"
        + c_array("sbp_weights", weights)
        + "\nstatic const sbp_closure sbp_closures[] = {\n"
        + ",\n".join(entries)
        + "};\n"
    )


C_HEADER = """/* Closures of FDX_SBP for a spacing of 1. Generated by tests/sbp.py, which
 * derives them: do not edit. A number is hi + lo. */
/* clang-format off */
typedef struct {
    int deriv, accuracy;
    int points;        /* that an axis needs: closures of both ends are apart */
    int rows;          /* of the left closure; the right one is it, mirrored */
    int first_count;   /* in sbp_counts: of weights of each row, */
    int first_weight;  /* in sbp_weights: these, row by row, by distance from the end */
    int nnorm;         /* points at either end whose weight in the norm is not 1, */
    int first_norm;    /* in sbp_norms */
} sbp_closure;
"""

if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        check()
    else:
        print(c_tables(), end="")
