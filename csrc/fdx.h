/* fdx: finite differences on strided N-dimensional arrays.
 *
 * This is the one public header; copy the folder and build it with `cc -O3 -c *.c`.
 *
 * np.gradient is fdx_gradient_uniform or fdx_gradient_coords for each axis, and fdx_gradient_apply. Any other
 * derivative, sums, products and transposes of such are fdx_operator_make, and fdx_apply.
 *
 * Contract
 * --------
 * - Strides, and the distance between two coordinates, are in bytes and may be negative or zero; shapes, axes, boxes
 *   and stencil offsets are in elements. Every index is a ptrdiff_t: more than 2^31 elements are fine.
 * - Data may lie at any address: elements that are not aligned, not in native byte order, not floating point or not
 *   next to each other are converted in small blocks, on the stack or in the workspace. No call takes more than 32 KiB
 * of stack, but one for weights by integers of more than 16 KiB (many nodes, far apart, of a high derivative): 44 KiB.
 * - Nothing is allocated: bands and operators are made in memory of the caller's, and applied with a workspace of the
 *   caller's; a function beside each tells how many bytes that takes. Nothing is retained but what is said to be, there
 *   is no global state and there are no hidden threads: every function may be called from any number of threads. Parts
 *   of one call write disjoint elements, so each thread can make one.
 * - Each function checks what it is given, once and before it writes: pointers for NULL, counts, axes, lengths, boxes,
 *   parts, dtypes and other enums, that stencils and bands stay within their array, that arrays can be in memory. No
 *   such number makes it overflow, crash or read elsewhere. What it cannot see is yours: that pointers point at as many
 *   elements as counts, lengths and strides say, aligned as C has it but for arrays' data; that a table of an
 *   instruction set is fdx_isa_find's; that bands and operators are not changed while they are used.
 * - On any status but FDX_OK outputs are untouched. An output whose extent in the box overlaps an input's, coordinates'
 *   or a factor's extent is refused (also where they only lie side by side in one array: columns, members of structs);
 *   outputs that overlap each other are the caller's to avoid, but that two that are the same one are refused.
 * - A result's unit is the data's divided by the spacing's to the power of the derivative's order.
 * - What can be computed in a box [lo, hi) of an array can be so in an array with ghost cells: there the interior's
 *   stencils look into these. Results are the same bits in a box as in the whole, for every instruction set, number of
 *   parts and layout.
 * - Those of fdx_gradient_apply are the bits of NumPy's np.gradient. Two things have no such bits: the sign and the
 * payload of a NaN; and where products of complex data and weights under- or overflow, signs of zeros depend on the
 * processor that NumPy runs on (here each operation is rounded). Floating-point exceptions that the formula raises are
 * left in the calling thread's status flags (<fenv.h>), and no others.
 */
#ifndef FDX_H
#define FDX_H

#include <stddef.h>
#include <stdint.h>

#ifdef FDX_NAMESPACE
#include "fdx_namespace.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FDX_VERSION "0.1.0"
/* The version of the library; FDX_VERSION is that of the header. */
const char *fdx_version(void);

#define FDX_MAXNODES 64 /* the most nodes of one stencil */
#define FDX_MAXDIM 64   /* the most dimensions of an array, and the most operators of a call */

typedef enum {
    FDX_OK = 0,
    FDX_E_NULL,    /* a pointer that must point at something is NULL */
    FDX_E_NDIM,    /* ndim is not in 1 .. FDX_MAXDIM */
    FDX_E_SHAPE,   /* a length is negative, or memory has no room for an array of such lengths and strides */
    FDX_E_DTYPE,   /* an unknown dtype or precision, or an output's or coordinates' dtype does not go with the data's */
    FDX_E_AXIS,    /* an axis is not in 0 .. ndim - 1 */
    FDX_E_SIZE,    /* an axis is too short for its stencils, or what is to be made takes more bytes than there can be */
    FDX_E_STENCIL, /* an unknown kind of stencil, derivative, accuracy or boundary, or a stencil that reaches outside */
    FDX_E_EDGE,    /* edge_order is neither 1 nor 2 */
    FDX_E_COUNT,   /* too few or too many operators, inputs, outputs, terms or stages; outputs that are not in order */
    FDX_E_OVERLAP, /* an output's extent overlaps an input's, coordinates' or a factor's; or its elements each other */
    FDX_E_PART,    /* part is not in 0 .. nparts - 1 */
    FDX_E_BOX,     /* not 0 <= lo <= hi <= the shape, or only one of the two is given */
    FDX_E_NODES,   /* nodes, coordinates, a spacing, a period or a scale of which no finite weights can be made; a scale
                    * or a spacing that is 0, as those are that were forgotten */
    FDX_E_WORKSPACE /* the workspace has too few bytes */
} fdx_status;

/* A sentence in English for a status; never NULL. */
const char *fdx_status_message(fdx_status status);

typedef enum {
    FDX_I8 = 1, /* 0 is none, so that one that was forgotten is refused */
    FDX_U8,
    FDX_I16,
    FDX_U16,
    FDX_I32,
    FDX_U32,
    FDX_I64,
    FDX_U64,
    FDX_F32,
    FDX_F64,
    FDX_C64, /* interleaved real and imaginary parts */
    FDX_C128,
    FDX_NDTYPES
} fdx_dtype;

/* Bytes of one element; 0 for an unknown dtype. */
ptrdiff_t fdx_itemsize(int dtype);
/* The dtype of a derivative: the data's own for floating point, FDX_F64 for integers. */
int fdx_result_dtype(int dtype);

/* An array that somebody else owns. Its shape stands once, in the call. Inputs are only read: cast const away. */
typedef struct {
    void *data;              /* the element with all indices 0, which of an output need not exist if not in the box */
    const ptrdiff_t *stride; /* bytes, one for each dimension */
    uint8_t dtype;           /* fdx_dtype */
    uint8_t swapped;         /* 1: the bytes are not in this machine's order */
} fdx_array;

/* One row of an operator along an axis: which neighbours, weighted how. */
typedef enum {
    FDX_QUOTIENT = 0, /* (x[off[1]] - x[off[0]]) / w[0] */
    FDX_WEIGHTED,     /* (w[0] * x[off[0]] + w[1] * x[off[1]]) + w[2] * x[off[2]] */
    FDX_SPACED        /* FDX_WEIGHTED with weights made from the coordinates, point by point */
} fdx_gradient_formula;

typedef struct {
    uint8_t formula; /* fdx_gradient_formula */
    uint8_t
        mixed; /* 1: single-precision data is divided or weighted in double, then rounded; no matter for other data */
    int8_t off[3]; /* at most 2 apart */
    double w[3];   /* representable in single precision where single-precision data is not `wide` */
} fdx_gradient_row;

/* The operator along one axis: a banded matrix whose first and last rows differ from those between. */
typedef struct {
    int axis;
    fdx_gradient_row first, interior, last;
    fdx_array x; /* FDX_SPACED: the axis's coordinates, 1-D, real; otherwise x.data is NULL */
    ptrdiff_t n; /* how many points the stencils were made for; 0: any number */
    fdx_array out;
} fdx_gradient_axis;

typedef struct fdx_isa fdx_isa; /* the row loops compiled for one instruction set */

/* The table for "base", "avx2" (with FMA), "avx512" (as of Ice Lake and Zen 4), or "auto" (the best for this
 * processor); NULL if there is none of that name, the processor lacks it, or it was compiled with flags that change
 * what it computes, and that nothing tells of but its results (clang's -ffp-contract=fast). */
const fdx_isa *fdx_isa_find(const char *name);
const char *fdx_isa_name(const fdx_isa *isa);

typedef struct {
    int ndim;
    const ptrdiff_t *shape;
    fdx_array in;
    int naxes;
    const fdx_gradient_axis *axes;
    const fdx_isa *isa;
    const ptrdiff_t *lo, *hi; /* only results of indices lo .. hi - 1 along each axis are made, and written where they
                               * are in the whole array, of which no more has to exist; NULL: all */
    const double *accumulate; /* alpha, if y + alpha D u is to be written to outputs y: D u is complete, is multiplied
                               * by alpha, which is first rounded to y's precision, and added; NULL: D u */
    uint8_t first_touch;      /* 1: the outputs are memory that nobody has touched yet, best written through the cache;
                               * no matter but for the speed of large ones */
} fdx_gradient;

/* Fill the stencils of np.gradient along an axis of uniform spacing h, and x; op->axis and op->out are the caller's.
 *
 * Interior (f[i+1] - f[i-1]) / (2 h); edges of edge_order 1 (f[1] - f[0]) / h, of edge_order 2 three points with the
 * weights -1.5, 2, -0.5 over h. `precision` says what h is to NumPy's promotion: FDX_WEAK a Python number
 * (arithmetic in double, then rounded to the data's precision), FDX_SINGLE a float32 (arithmetic in single), FDX_DOUBLE
 * a float64 (which makes single-precision data `wide`). `dtype` is the data's. May raise floating-point exceptions. */
typedef enum { FDX_WEAK = 0, FDX_SINGLE, FDX_DOUBLE } fdx_precision;
fdx_status fdx_gradient_uniform(fdx_gradient_axis *op, int dtype, double h, fdx_precision precision, int edge_order);

/* The same along an axis with n coordinates x (1-D: x->stride[0]; real; integers are taken as double).
 *
 * Coordinates whose differences are all equal are a uniform spacing. Otherwise, with d1 and d2 the distances to the
 * left and the right neighbour, the interior is -d2/(d1 (d1+d2)) f[i-1] + (d2-d1)/(d1 d2) f[i] + d1/(d2 (d1+d2))
 * f[i+1]. Their order is not looked at. x must stay until the call that uses op is over. O(n) time. May raise
 * floating-point exceptions. */
fdx_status fdx_gradient_coords(fdx_gradient_axis *op, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order,
                               const fdx_isa *isa);

/* Apply every operator of the call to the whole array, or to one of nparts parts of about the same size.
 * O(size * naxes) time; the input is read once from memory, whatever the axes. */
fdx_status fdx_gradient_apply(const fdx_gradient *call);
fdx_status fdx_gradient_apply_part(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts);

/* ---- weights ---- */

/* The n weights of the deriv-th derivative at `at`: sum of w[k] f(x[k]) is that derivative of the polynomial of degree
 * n - 1 through the points (Fornberg, Math. Comp. 51 (1988) 699; deriv 0: interpolation). 1 <= deriv + 1 <= n <=
 * FDX_MAXNODES. The nodes may come in any order, which does not matter to the bits.
 *
 * Where nodes less `at` are integers of no more than 15 bits, or such halves, quarters, ..., or doubles, quadruples,
 * ..., each weight is the exact rational correctly rounded. Elsewhere it is made in at least twice the precision:
 * before it is rounded, it is within 2^-64 of the largest weight (2^-54 where that takes integers of more than 32 KiB),
 * and mostly within 2^-95. `rest`, unless NULL, receives what the weights are short of: w[k] + rest[k] is good to
 * these, 100 bits and more where they are exact. It is 0 where w[k] is infinite.
 *
 * FDX_E_SIZE: too few or too many nodes, or deriv is negative; FDX_E_NODES: two nodes are equal, one (or `at`) is not
 * finite, or they are so uneven, by many orders of magnitude, that this cannot be promised. The calling thread's
 * floating-point environment makes no difference, and the only exceptions raised are of weights that over- or
 * underflow. w or rest may be x. O(n^2) time; where integers are used,
 * O(n^2 (deriv + 1)) operations on them. */
fdx_status fdx_weights(double *w, double *rest, const double *x, int n, double at, int deriv);

/* ---- operators along one axis ---- */

/* In which order a row's sum is formed. All of them go through neighbours in rising order, and round each operation:
 *   FDX_SUM_PLAIN        ((w[0] x[0] + w[1] x[1]) + w[2] x[2]) + ...
 *   FDX_SUM_DIFFERENCES  the same of w[k] (x[k] - x[own]), without k == own; for weights whose sum is zero
 *   FDX_SUM_ANTISYMMETRIC          (w[own+1] (x[own+1] - x[own-1]) + w[own+2] (x[own+2] - x[own-2])) + ...
 *   FDX_SUM_SYMMETRIC         the same of w[own+j] ((x[own+j] - x[own]) - (x[own] - x[own-j]))
 * The last three give exactly 0 for a constant, and differences of near values are exact. w[own] is nevertheless there:
 * it is what the sum gives for a 1 at the point itself and 0 elsewhere, so that the rows are those of the matrix. */
typedef enum { FDX_SUM_PLAIN = 0, FDX_SUM_DIFFERENCES, FDX_SUM_ANTISYMMETRIC, FDX_SUM_SYMMETRIC } fdx_summation;

#define FDX_MAXWEIGHTS 255 /* the most neighbours of a row */

/* Rows of a matrix that have their neighbours at the same places. */
typedef struct {
    ptrdiff_t offset; /* column of the first neighbour, less the number of the row */
    int count; /* neighbours, in consecutive columns: 1 .. FDX_MAXWEIGHTS; 2 or more where the form is not FDX_SUM_PLAIN
                */
    int centre;    /* which of them is the point itself; -1: none, where the form is FDX_SUM_PLAIN */
    int summation; /* fdx_summation; FDX_SUM_ANTISYMMETRIC and FDX_SUM_SYMMETRIC: count is 2 own + 1, and row_step 0 */
    const double *w; /* of neighbour k in the r-th of these rows: w[k * weight_step + r * row_step] */
    ptrdiff_t weight_step, row_step;
} fdx_stencil;

/* A banded matrix: the operator along one axis, made by the functions below or filled in by hand.
 *
 * Every function that takes one checks what its members say, and answers FDX_E_STENCIL if a pointer that is needed is
 * NULL, a number is none that the comments allow, `rows` or `columns` is more than PTRDIFF_MAX / 4, or a row has a
 * neighbour outside of the matrix (if it is periodic: not -columns <= first <= columns + 1 - count). What is applied to
 * arrays has, over all rows, `first` and `first` + `count` that differ by less than 4 FDX_MAXWEIGHTS, too. Yours to see
 * to is that there are as many rows at the ends, and weights, as the members say, and that those of
 * FDX_SUM_ANTISYMMETRIC and FDX_SUM_SYMMETRIC are symmetric. */
typedef struct {
    ptrdiff_t rows, columns;
    ptrdiff_t nfirst, nlast;  /* rows at either end that have neighbours at places of their own */
    const fdx_stencil *first; /* nfirst of them, a row each */
    const fdx_stencil *last;  /* nlast */
    fdx_stencil interior;     /* the rows between; there may be none, but its stencil is always there */
    int periodic;             /* not 0: the interior's columns are taken modulo `columns`; nfirst = nlast = 0, and
                               * columns = rows */
} fdx_band;

/* What stands at an end of the axis. The last four are ghost values as np.pad has them, which the interior's stencil
 * is laid over; f[0] is the last point of the array, f[1] its neighbour. */
typedef enum {
    FDX_ONE_SIDED = 0, /* none: stencils of the same accuracy, shifted into the array */
    FDX_PERIODIC,      /* the axis closes on itself (at both ends or neither) */
    FDX_VALID,         /* none: no rows where the interior's stencil does not fit */
    FDX_REFLECT,       /* f[-j] = f[j]: a mirror at the last point */
    FDX_SYMMETRIC,     /* f[-j] = f[j - 1]: a mirror half a spacing outside of it */
    FDX_REFLECT_ODD,   /* f[-j] = 2 f[0] - f[j] */
    FDX_SYMMETRIC_ODD, /* f[-j] = 2 f[0] - f[j - 1] */
    FDX_NBOUNDARIES
} fdx_boundary;

/* What is to be made a band of. Interior stencils are centred, of the fewest points: for a uniform spacing
 * (deriv + 1) / 2 + accuracy / 2 - 1 to either side, for coordinates (deriv + accuracy) / 2 (both rounded down), as
 * there the point in the middle gains nothing. Coordinates that all have the same distance are a uniform spacing,
 * unless a boundary is FDX_VALID: how many rows there are does not depend on their values. */
typedef struct {
    ptrdiff_t n;        /* points along the axis */
    int deriv;          /* which derivative, from 1 on */
    int accuracy;       /* order of the error, even, from 2 on */
    int left, right;    /* fdx_boundary */
    double scale;       /* multiplies all weights: 1 for the derivative itself; not 0 */
    double spacing;     /* if x is NULL; may be negative; not 0 */
    const double *x;    /* n coordinates of the points, rising or falling, or NULL */
    double period;      /* with x and FDX_PERIODIC: x[n] would be x[0] + period */
    const fdx_isa *isa; /* whose loops make the weights for coordinates; NULL: "base"; no matter but for the speed */
} fdx_derivative;

/* The fewest points that an axis may have for it (neither n nor the coordinates' values are looked at); 0 if what is
 * asked for is not a derivative that there is. O(1) time. */
ptrdiff_t fdx_derivative_points(const fdx_derivative *what);

/* Bands are made in memory of the caller's, aligned as malloc's is, of at least the bytes that the `size` function
 * beside it tells (0: there is no such band, and the other function tells why). There they are complete, but must
 * stay where they are: what they were made of need not be kept. `*band`, which is the beginning of the memory, is only
 * set on FDX_OK. On FDX_E_NODES the memory may have been written to, on other errors it has not. The calling thread's
 * floating-point environment (rounding mode, subnormal numbers as 0, traps) makes no difference, and is left as it was:
 * no exception is raised.
 *
 * The derivative's weights are the exact ones rounded, in nearly all cases correctly (those that underflow as well, and
 * no status tells: spacings to the power `deriv` should be below 1e290, and below 1e30 for single precision); where
 * ghost values meet in a column, their sum is. (Where a stencil goes beyond the end of coordinates, these are first
 * rounded to double: as distances from that end, or, if periodic, from the row's own point.) Constant interiors are
 * FDX_SUM_ANTISYMMETRIC or FDX_SUM_SYMMETRIC, other rows FDX_SUM_DIFFERENCES. FDX_E_SIZE: n is too small or more than
 * PTRDIFF_MAX / 4, or a stencil is of more than FDX_MAXNODES; FDX_E_STENCIL: deriv, accuracy or a boundary that there
 * is not; FDX_E_NODES, also where coordinates neither rise nor fall. O(n) time with coordinates; with a spacing, n is
 * no matter. */
size_t fdx_band_derivative_size(const fdx_derivative *what);
fdx_status fdx_band_derivative(void *memory, const fdx_derivative *what, const fdx_band **band);

/* The transposed matrix, of the same doubles. Interiors that are FDX_SUM_ANTISYMMETRIC or FDX_SUM_SYMMETRIC stay so,
 * other rows are FDX_SUM_PLAIN. FDX_E_SIZE: a has no rows, or a column of it more than FDX_MAXWEIGHTS neighbours. */
size_t fdx_band_transpose_size(const fdx_band *a);
fdx_status fdx_band_transpose(void *memory, const fdx_band *a, const fdx_band **band);

/* The matrix product of a and b times `scale`, summed in twice the precision and rounded once. Rows that meet no
 * FDX_SUM_PLAIN row of b give exactly 0 for a constant, as b's do. FDX_E_SIZE: a's columns are not b's rows, a row
 * has more than FDX_MAXWEIGHTS neighbours, or one of a periodic band more than there are points; FDX_E_STENCIL: one is
 * periodic, the other is not; FDX_E_NODES: a weight overflows. */
size_t fdx_band_product_size(const fdx_band *a, const fdx_band *b);
fdx_status fdx_band_product(void *memory, const fdx_band *a, const fdx_band *b, double scale, const fdx_band **band);

/* ---- operators on arrays ---- */

#define FDX_MAXFACTORS 16 /* the most bands that a term applies one after the other */

/* A banded matrix along an axis, whose result is multiplied point by point. */
typedef struct {
    int axis;
    const fdx_band *band;         /* NULL: the identity */
    const fdx_array *coefficient; /* real, of the shape of the stage's result (strides of 0 repeat it); NULL: 1 */
} fdx_stage;

/* A chain of stages, applied to an input and added to an output. */
typedef struct {
    int in, out; /* numbers of these, from 0 on */
    int nstages;
    const fdx_stage *stage; /* in the order in which they are applied */
    const ptrdiff_t *shift; /* the chain's result number i + shift belongs to the output's i; NULL: zeros */
} fdx_chain;

/* What is applied to arrays of one shape: output k = sum over the terms of output k, in their order, each complete
 * before it is added. */
typedef struct {
    int ndim;
    const ptrdiff_t *in_shape, *out_shape;
    int ninputs, noutputs, nchains;
    const fdx_chain *chain; /* those of output 0 first, and so on; one or more for each */
    const fdx_isa *isa;
} fdx_operator;

/* Its application to arrays. */
typedef struct {
    const fdx_operator *op;
    const fdx_array *in;      /* of real or complex numbers whose results are of the outputs' dtype */
    const fdx_array *out;     /* all of one dtype */
    const ptrdiff_t *lo, *hi; /* as in fdx_gradient, of out_shape */
    const double *accumulate; /* as in fdx_gradient */
    uint8_t first_touch;      /* as in fdx_gradient */
} fdx_call;

/* Bytes that fdx_apply needs for this call (another table or box may need others), bounded, whatever the arrays'
 * sizes; 0: there are no results, or the call is wrong, which fdx_apply tells. */
ptrdiff_t fdx_workspace_size(const fdx_call *call);
/* Apply it, or one of nparts parts of about the same size, with a workspace (parts that are made at the same time need
 * one each); FDX_E_WORKSPACE, and nothing done, if it has too few bytes. O(size * neighbours) time. */
fdx_status fdx_apply(const fdx_call *call, void *workspace, ptrdiff_t bytes);
fdx_status fdx_apply_part(const fdx_call *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part, ptrdiff_t nparts);

/* ---- operators made of derivatives ---- */

/* A derivative along an axis. */
typedef struct {
    int axis;
    fdx_derivative what;          /* n: 0, or as many points as there are; isa: no matter; deriv 0: the identity, times
                                   * the scale */
    const fdx_array *coefficient; /* as in fdx_stage */
} fdx_factor;

/* Derivatives of an input, one after the other, added to an output. */
typedef struct {
    int in, out; /* numbers of these, from 0 on, with no gaps */
    int nfactors;
    const fdx_factor *factor; /* in the order in which they are applied */
} fdx_term;

/* The sum of such products. */
typedef struct {
    int ndim;
    const ptrdiff_t *shape; /* of the inputs */
    int nterms;
    const fdx_term *term; /* those of output 0 first, and so on; one or more for each */
    const fdx_isa *isa;
} fdx_sum;

/* Operators are made in memory of the caller's, as bands are, and then as complete, but that factors' data must stay
 * (and the memory where it is: it has addresses of itself). On errors it may have been written to. A size of 0: there
 * is no such operator, or it takes more than PTRDIFF_MAX bytes, which is FDX_E_SIZE. Where boundaries are FDX_VALID,
 * outputs are of the points that all products have (op->out_shape, which may be 0; FDX_E_SIZE: less than that), and
 * coordinates and factors of what follows are of the points that are left. Rows of all derivatives of a product but the
 * first are FDX_SUM_PLAIN, or FDX_SUM_ANTISYMMETRIC. O(nterms) time, and O(n) for each axis with coordinates. */
size_t fdx_operator_size(const fdx_sum *what);
fdx_status fdx_operator_make(void *memory, const fdx_sum *what, const fdx_operator **op);

/* The transposed operator: of the same doubles, from arrays of out_shape to such of in_shape, inputs and outputs in
 * each other's place. FDX_E_COUNT: an input of op is not used, so that there is nothing to become an output of; or a
 * chain is longer than FDX_MAXFACTORS. FDX_E_SIZE: op has no results, leaves out too many, or a column has more than
 * FDX_MAXWEIGHTS neighbours. */
size_t fdx_operator_transpose_size(const fdx_operator *op);
fdx_status fdx_operator_transpose(void *memory, const fdx_operator *op, const fdx_operator **transpose);

#ifdef __cplusplus
}
#endif
#endif
