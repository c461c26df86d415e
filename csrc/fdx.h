/* fdx: finite differences on strided N-dimensional arrays.
 *
 * This is the only public header. Copy the folder and compile it with `cc -O3 -c *.c`.
 *
 * In the order of this file:
 * - Operators: describe a sum of derivatives and of products of derivatives (fdx_sum), compile the description once
 *   (fdx_operator_make), and apply the compiled operator to arrays (fdx_apply).
 * - np.gradient: fdx_gradient_uniform or fdx_gradient_coords for each axis, then fdx_gradient_apply.
 * - Building blocks: weights on any nodes (fdx_weights), banded matrices (fdx_band), and the structs of compiled
 *   operators, for those who fill them in by hand.
 *
 * Terms
 * -----
 * stencil   the neighbours of a point and their weights; the point itself is the centre
 * band      a banded matrix: the operator along one axis, with one stencil for each row
 * interior  the rows of a band that have their neighbours at the same offsets; the first and the last rows, the
 *           boundary closure, have stencils that differ
 * box       the indices lo .. hi - 1 along each axis of an array
 * part      of a call: what one thread computes at a time
 * extent    the bytes from the first to the last byte of an array, gaps between its elements included
 *
 * Contract
 * --------
 * Arrays
 * - Strides are in bytes and may be negative or zero; shapes, axes, boxes and stencil offsets are in elements. Indices
 *   are ptrdiff_t: arrays may have more than 2^31 elements.
 * - Elements may have any address, byte order, distance from each other and fdx_dtype. What is not aligned, native,
 *   floating-point and contiguous is converted in small blocks, on the stack or in the workspace.
 * - A result's unit is the data's unit divided by the spacing's unit to the power of the derivative's order.
 * - A call can compute only the results in a box. In an array with ghost cells, take the box without them: there
 *   interior stencils read the ghost cells.
 * - Results have the same bits in a box as in the whole array, and for every instruction set, number of parts and
 *   memory layout.
 *
 * Memory and threads
 * - fdx allocates nothing. Bands and operators are built in your memory, and applied with a workspace of yours; for
 *   each, a function returns the bytes. You need not check malloc: NULL where memory is needed returns FDX_E_NULL.
 * - A call takes at most 32 KiB of stack; 44 KiB if it computes weights by integers of more than 16 KiB (many nodes,
 *   far apart, of a high derivative).
 * - There is no global state, there are no hidden threads, and fdx keeps no pointer unless a comment says so. Any
 *   number of threads may call any function. The parts of a call write disjoint elements: give each thread a part.
 *
 * Errors
 * - Each function checks its arguments once, before it writes: pointers for NULL; counts, axes, lengths, boxes, parts,
 *   dtypes and other enums; that stencils and bands stay inside their array; that arrays fit into memory. None of these
 *   numbers can make it overflow, crash or read elsewhere.
 * - It cannot check the following, which is up to you. Pointers point to as many elements as counts, lengths and
 *   strides say, and all but those to arrays' data are aligned. An fdx_isa comes from fdx_isa_find. Bands and operators
 *   do not change while they are in use.
 * - On any status but FDX_OK, outputs are untouched.
 * - An output must not overlap an input, coordinates or a coefficient: FDX_E_OVERLAP if its extent in the box overlaps
 *   theirs, unless elements alternate with a common period (members of structs, columns side by side): all strides of
 *   both are multiples of it, also along dimensions of length 1. Two outputs that begin at the same address are
 * refused, too; whether outputs overlap each other otherwise is up to you.
 *
 * Bits and floating-point exceptions of np.gradient
 * - fdx_gradient_apply gives the bits of NumPy's np.gradient, but for two things that are not defined there: the sign
 *   and payload of a NaN; and signs of zeros where products of complex data and weights under- or overflow, which
 *   depend on the processor that NumPy runs on (here each operation is rounded).
 * - Exceptions that the formula raises are left in the calling thread's status flags (<fenv.h>), and no others but
 *   "inexact".
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

#define FDX_MAXNODES 64    /* nodes of a stencil that weights are computed for */
#define FDX_MAXWEIGHTS 255 /* neighbours of a row of a band */
#define FDX_MAXSTAGES 16   /* bands and coefficients of a term, one after the other */
#define FDX_MAXDIM 64      /* dimensions of an array; axes of an fdx_gradient; inputs, and outputs, of an operator */

typedef enum {
    FDX_OK = 0,
    FDX_E_NULL,    /* a required pointer is NULL */
    FDX_E_NDIM,    /* ndim is not in 1 .. FDX_MAXDIM */
    FDX_E_SHAPE,   /* a length is negative, or an array of these lengths and strides does not fit into memory; in C++
                    * also: shapes of arrays do not match */
    FDX_E_DTYPE,   /* a dtype or precision is unknown, or a dtype does not go with the data's */
    FDX_E_AXIS,    /* an axis is not in 0 .. ndim - 1 */
    FDX_E_SIZE,    /* an axis has too few points for its stencils, a row has too few or too many neighbours, sizes of
                    * matrices do not match, or memory of more than PTRDIFF_MAX bytes is needed */
    FDX_E_STENCIL, /* a formula, summation order, derivative, accuracy, boundary, position, side or sign is unknown, or
                    * does not go with others, or a stencil reaches outside the array */
    FDX_E_EDGE,    /* edge_order is neither 1 nor 2 */
    FDX_E_COUNT,   /* too few or too many axes, inputs, outputs, terms or factors, or numbers of inputs or outputs that
                    * have gaps or are not in order */
    FDX_E_OVERLAP, /* an output overlaps an input, coordinates, a coefficient or another output, or its elements overlap
                    * each other */
    FDX_E_PART,    /* part is not in 0 .. nparts - 1 */
    FDX_E_BOX,     /* not 0 <= lo <= hi <= the shape, or only one of lo and hi is given */
    FDX_E_NODES,   /* nodes, coordinates, a spacing, a period or a scale give no finite weights; a spacing or a scale is
                    * 0, which is what one has that was never set */
    FDX_E_WORKSPACE, /* the workspace has too few bytes */
    FDX_E_ALIGNMENT, /* data for a prepared call is not a multiple of 8 bytes away from the call's */
    FDX_E_SINGULAR   /* a matrix to be solved has no inverse, or none that the rounding of its numbers leaves certain */
} fdx_status;

/* A sentence in English for a status; never NULL. */
const char *fdx_status_message(fdx_status status);

/* ---- arrays and instruction sets ---- */

typedef enum {
    FDX_I8 = 1, /* 0 is no dtype: one that was never set is refused */
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
/* The dtype of a derivative: that of the data if it is floating-point, FDX_F64 for integers. */
int fdx_result_dtype(int dtype);

/* An array view: the array is yours, and its shape is given where the view is used. Inputs are only read: cast const
 * away. */
typedef struct {
    void *data;              /* the element with all indices 0; of an output, only the elements in the box must exist */
    const ptrdiff_t *stride; /* bytes, one for each dimension */
    uint8_t dtype;           /* fdx_dtype */
    uint8_t swapped;         /* 1: the bytes are not in this machine's order */
} fdx_array;

typedef struct fdx_isa fdx_isa; /* the loops compiled for one instruction set */

/* The loops for "base", "avx2" (with FMA), "avx512" (as of Ice Lake and Zen 4), or "auto", the best of these for this
 * processor. NULL: the name is unknown, the processor lacks the instructions, or compiler flags changed the arithmetic
 * in a way that only results show (clang's -ffp-contract=fast). */
const fdx_isa *fdx_isa_find(const char *name);
const char *fdx_isa_name(const fdx_isa *isa);
/* The names of this build's instruction sets, from best to worst, and NULL after the last. */
const char *const *fdx_isa_names(void);

/* ---- operators: description ---- */

/* The boundary at one end of an axis. From FDX_REFLECT on, the interior stencil is applied to ghost values, as np.pad
 * has them; f[0] is the last point of the array, f[1] its neighbour, f[-1] the first ghost value. */
typedef enum {
    FDX_ONE_SIDED = 0, /* stencils of the same accuracy, shifted into the array */
    FDX_PERIODIC,      /* the axis closes on itself (at both ends or neither) */
    FDX_VALID,         /* no result where the interior stencil does not fit */
    FDX_REFLECT,       /* f[-j] = f[j]: a mirror at the last point */
    FDX_SYMMETRIC,     /* f[-j] = f[j - 1]: a mirror half a spacing outside the last point */
    FDX_REFLECT_ODD,   /* f[-j] = 2 f[0] - f[j] */
    FDX_SYMMETRIC_ODD, /* f[-j] = 2 f[0] - f[j - 1] */
    FDX_ZERO,          /* f[-j] = 0 */
    FDX_ANTISYMMETRIC, /* f[-j] = -f[j - 1]: the value is 0 half a spacing outside the last point */
    FDX_SBP,           /* summation by parts: closures for which advection with an inflow is stable, at both ends; see
                        * fdx_sbp_norm */
    FDX_GIVEN,         /* a value, a slope or a sum of both is given, see fdx_condition: the closure's stencils contain
                        * the datum instead of a point, and have the same accuracy */
    FDX_NBOUNDARIES
} fdx_boundary;

/* Where the results are, on a staggered grid. */
typedef enum {
    FDX_CENTER = 0, /* at the n points */
    FDX_INNER,      /* at the n - 1 midpoints between them */
    FDX_OUTER,      /* at the n + 1 midpoints and ends: between the points, and half a spacing outside either end */
    FDX_LEFT,       /* n: half a spacing before each point */
    FDX_RIGHT,      /* n: half a spacing after each point */
    FDX_NPOSITIONS
} fdx_position;

/* The condition of FDX_GIVEN at one end: value f + slope f' = datum, where f' is the derivative along the axis, not the
 * outward one, per unit of the spacing or of the coordinates.
 *
 * Where a stencil reaches outside, or to the last point if the value is given there, the row has deriv + accuracy
 * numbers: the datum, and the points next to it. It differentiates the polynomial that they determine. The matrix has
 * the weights of the points; `datum` of fdx_derivative describes the one that has those of the datum. So an operator
 * with data is two terms, of two inputs: the field, and an array that has the datum at that end (with a stride of 0
 * along the axis it takes the memory of the end only). To spare time for the second, and so that an infinite datum
 * stays there, apply it to the box of these rows only, and add it with a beta of 1. */
typedef struct {
    double value, slope; /* (1, 0): Dirichlet; (0, 1): Neumann; others: Robin; not both 0 */
    int outside;         /* where: at the last point (0), or half a spacing (1) or a spacing (2) outside of it; of
                          * coordinates, the last spacing. A value at the last point takes the place of f there. */
} fdx_condition;

/* A row of a boundary closure: weights of consecutive points, of the first ones at the left end, of the last ones at
 * the right end. */
typedef struct {
    int count;       /* 1 .. FDX_MAXWEIGHTS */
    const double *w; /* by ascending point */
} fdx_scheme_row;

/* A stencil of your own: any weights, and rows for either end. */
typedef struct {
    int offset, count; /* base point i has the neighbours i + offset .. i + offset + count - 1; its result is at point
                        * i, or, for positions but FDX_CENTER, between i and i + 1 */
    const double *w;   /* their weights */
    int nfirst, nlast; /* closures: rows at the left and at the right end, from outside the first result on to the last;
                        * at least as many as there are results whose stencil reaches outside. 0: as the boundary says,
                        * which cannot be FDX_ONE_SIDED then */
    const fdx_scheme_row *first, *last;
} fdx_scheme;

/* The description of a derivative along an axis, of an interpolation, or of a stencil of your own.
 *
 * Interior stencils are as small as the accuracy allows, all divisions rounding down:
 * - FDX_CENTER: (deriv + 1) / 2 + accuracy / 2 - 1 points on either side of the result for a uniform spacing, and
 *   (deriv + accuracy) / 2 for coordinates, where the centre adds no accuracy;
 * - other positions: (deriv + accuracy) / 2 points on either side for a uniform spacing and for the first derivative of
 *   accuracy 2 at midpoints, otherwise (deriv + accuracy + 1) / 2 for coordinates;
 * - biased ones (`side`): (deriv + accuracy + 1) / 2 points on that side of the result, and deriv + accuracy points in
 *   all, the result's own among them.
 * Coordinates for which fdx_even_spacing finds a spacing, in double precision, are treated as that, unless results have
 * coordinates, too, or a boundary is FDX_VALID: the number of rows does not depend on the values of coordinates. */
typedef struct {
    ptrdiff_t n;        /* points along the axis */
    int deriv;          /* order of the derivative, from 1 on; with a position but FDX_CENTER also 0: interpolation */
    int accuracy;       /* order of the error: even, from 2 on; odd, from 1 on, with a side */
    int left, right;    /* fdx_boundary */
    double scale;       /* multiplies all weights: 1 for the derivative itself; not 0 */
    double spacing;     /* if x is NULL; may be negative; not 0; deriv 0 without a slope that is given:
                         * ignored */
    const double *x;    /* n coordinates of the points, rising or falling, or NULL */
    double period;      /* with x and FDX_PERIODIC: x[n] would be x[0] + period */
    const fdx_isa *isa; /* computes the weights for coordinates; NULL: "base"; changes the speed only */
    int position;       /* fdx_position; FDX_PERIODIC: not FDX_INNER or FDX_OUTER */
    int side; /* biased stencils: -1 with more points on the left, 1 on the right; 0: centred. FDX_CENTER only */
    const fdx_scheme *scheme;   /* a stencil of your own, with deriv and side 0 and x NULL; accuracy, spacing and period
                                 * are ignored. NULL: a derivative */
    fdx_condition condition[2]; /* of the left and the right end, if its boundary is FDX_GIVEN */
    int datum; /* 0: the derivative for data of 0. -1, 1: what the datum of the left, of the right end adds to it: a
                * matrix of the same size, applied to an array that has the datum at that end, and finite numbers
                * elsewhere, which are multiplied by 0 */
    const double *at; /* with x and a position but FDX_CENTER: coordinates of the results, those that FDX_VALID removes
                       * among them: n + more, as in fdx_outline. Each is between the points next to it, or is one of
                       * them. NULL: midpoints */
} fdx_derivative;

/* The fewest points that an axis must have for this derivative (n and the values of coordinates are not read; if they
 * are treated as a spacing, as many as for a spacing are enough); 0 if the description is wrong. O(1) time. */
ptrdiff_t fdx_derivative_points(const fdx_derivative *what);

/* Where the stencils of a description are. The result of base point i is there or, for positions but FDX_CENTER, half a
 * spacing after it (or where `at` says), and has the interior neighbours i - before .. i + after. */
typedef struct {
    ptrdiff_t before, after; /* negative where all neighbours are on the other side */
    ptrdiff_t count;         /* neighbours */
    int half;                /* 1: results are half a spacing after their base points */
    ptrdiff_t base, more;    /* the first result's base point, and results minus points, if FDX_VALID removed none */
    ptrdiff_t ghosts[2];     /* at either end: how many points outside the array interior stencils reach, */
    ptrdiff_t closure[2];    /* rows of the boundary closure, */
    ptrdiff_t crop[2];       /* and results that FDX_VALID removes */
} fdx_outline;

/* The outline of a description (n and the values of coordinates are not read; coordinates count as uneven). On any
 * status but FDX_OK it is not set. O(1) time. */
fdx_status fdx_derivative_outline(const fdx_derivative *what, fdx_outline *outline);

/* The norm H of FDX_SBP, a diagonal matrix: h[i] for i = 0 .. n - 1. With D of deriv 1 and the same accuracy, H D +
 * (H D)^T is 0 but for -1 in its first element and 1 in its last; -H D2 is symmetric and positive semidefinite but for
 * the slope at the ends, which its first and last row add. So the sum of h[i] f[i] is an integral of the same accuracy.
 * FDX_SBP is for deriv 1 and 2, accuracy 2, 4, 6 and 8, a uniform spacing, and both ends. Interior rows are those of
 * FDX_CENTER; the closures have half of the accuracy, which gives solutions one order more.
 *
 * FDX_E_STENCIL: the boundaries are not FDX_SBP. O(n) time. */
fdx_status fdx_sbp_norm(double *h, const fdx_derivative *what);

/* The spacing h of n >= 2 coordinates that are evenly spaced up to rounding, as those of numpy.linspace are; 0 if they
 * are not. Evenly spaced means that each x[i] - x[0] is i h, within 4 eps times the largest of them and within a
 * thousandth of h; `eps` is the relative rounding error of the type in which they were computed, such as DBL_EPSILON.
 * `period`, unless 0: n h is the period, within twice that or, if it is more, twice the smaller of 4 eps_of_period
 * times the period and a quarter of h. O(n) time. */
double fdx_even_spacing(const double *x, ptrdiff_t n, double eps, double period, double eps_of_period);

typedef struct fdx_band fdx_band; /* a banded matrix; its members are further below */

/* One factor of a term: a map along an axis, whose result is multiplied by a coefficient. The map is one of these:
 * - a matrix of your own, if `band` is not NULL: row 0 is at the point of column 0, and a number that multiplies the
 *   term is one more rounding of the weights;
 * - a derivative, an interpolation or a stencil of your own, if not all of what.deriv, what.position and what.scheme
 *   are 0;
 * - otherwise the identity times what.scale, without the first crop[0] and the last crop[1] points. */
typedef struct {
    int axis;
    fdx_derivative what;          /* n: the number of points; it may be 0 without coordinates. isa: ignored */
    const fdx_array *coefficient; /* real, of the shape of this factor's result (a stride of 0 repeats it); NULL: 1 */
    int sign; /* without a coefficient 0. 1: the coefficient's positive part, max(coefficient, 0), instead of it; -1:
               * its negative part; 0: all of it. A NaN stays one */
    const fdx_band *band;
    ptrdiff_t crop[2];
    int transposed; /* not 0: the transposed map, which for FDX_VALID and crop adds points */
} fdx_factor;

/* A product of factors, applied to an input and added to an output. */
typedef struct {
    int in, out; /* numbers of the input and of the output, from 0 on, without gaps */
    int nfactors;
    const fdx_factor *factor; /* in the order in which they are applied */
    const double *scale;      /* points to a number that multiplies the term, and may be 0; NULL: 1 */
} fdx_term;

/* The description of an operator: output k is the sum of the terms whose `out` is k. */
typedef struct {
    int ndim;
    const ptrdiff_t *shape; /* of the inputs */
    int nterms;
    const fdx_term *term; /* sorted by output; one or more for each */
    const fdx_isa *isa;   /* applies the operator */
    int transposed; /* not 0: the transposed operator, which maps arrays of the shape of the sum's outputs to arrays
                     * of `shape`; its inputs are the sum's outputs */
} fdx_sum;

/* ---- operators: compilation ---- */

typedef struct fdx_operator fdx_operator; /* a compiled operator; its members are at the end of this file */

/* Compile a description.
 *
 * `memory` is aligned as malloc's and has at least fdx_operator_size bytes. Leave it where it is while you use *op,
 * which points into it, and keep the data of coefficients, and bands of your own; nothing else of the description is
 * needed any more. On errors `memory` may have been written to. A size of 0: fdx_operator_make returns the error, which
 * is FDX_E_SIZE for more than PTRDIFF_MAX bytes.
 *
 * FDX_VALID and positions: outputs have the points that all terms have, and op->out_shape their shape. It may contain
 * zeros, but not if transposed; FDX_E_SIZE if it would be less, or if results of terms from one input to one output are
 * half a spacing apart. Between fields, of which some lie half a spacing from others, an index counts as one point.
 * Coordinates and coefficients of the factors that follow in the term have the points that are left.
 *
 * The bits of results follow from these rules:
 * - Between coefficients, factors along different axes commute and are applied by falling axis; factors along one axis
 *   are multiplied to one band (fdx_band_product). Of such a product and its transpose, the one is computed whose
 *   first factor is not transposed, and the other is its transpose. Factors that have no product as a band, such as a
 *   periodic and another one, are applied one after the other.
 * - The numbers of a term multiply the derivative that is applied last, before its weights are rounded.
 * - Terms from one input to one output that are all along one axis, without coefficients, are added to one band, in
 *   twice the precision, if their sum is a band. Terms without a derivative are not, so that multiples of the identity
 *   keep a constant as it is.
 * - Rows are summed up as by fdx_band_derivative in a term's first band; in the others as FDX_SUM_PLAIN or
 *   FDX_SUM_ANTISYMMETRIC.
 *
 * fdx_operator_size includes memory for bands that are only needed while others are computed from them.
 *
 * FDX_E_NODES: also for weights that over- or underflow. FDX_E_COUNT: also if a term takes more than FDX_MAXSTAGES
 * bands and coefficients one after the other.
 *
 * O(nterms^2) time, and O(n) for each axis with coordinates. */
size_t fdx_operator_size(const fdx_sum *what);
fdx_status fdx_operator_make(void *memory, const fdx_sum *what, const fdx_operator **op);

/* ---- operators: application ---- */

/* The application of an operator D to inputs u: outputs y = D u, or alpha D u + beta y. */
typedef struct {
    const fdx_operator *op;
    const fdx_array *in;      /* of dtypes whose fdx_result_dtype is the outputs' dtype */
    const fdx_array *out;     /* all of one dtype */
    const ptrdiff_t *lo, *hi; /* the box of results to compute, which are written to the same indices of the output; an
                               * output need not exist outside the box; NULL: all results */
    const double *alpha_beta; /* points to two numbers, alpha and beta, which are rounded to y's precision: D u is
                               * complete, then multiplied by alpha, then added to beta y. If beta is 0 (before it is
                               * rounded), y is not read. NULL: y = D u */
    uint8_t first_touch;      /* 1: outputs are newly allocated memory, which is faster written without non-temporal
                               * (streaming) stores; changes the speed of large outputs only */
    void *const *copies;      /* for each output the data of an array like it that gets the same, or NULL, as where
                               * mixed derivatives are in a Hessian twice; NULL: there are none */
} fdx_call;

/* Bytes of workspace that fdx_apply needs for this call; other instruction sets and boxes may need others. They are
 * bounded, however large the arrays. 0: there are no results, or the call is wrong, and fdx_apply returns the error. */
ptrdiff_t fdx_workspace_size(const fdx_call *call);

/* Apply the operator, or one of nparts parts of about the same size. `workspace` may have any alignment; parts that are
 * computed at the same time need one each. FDX_E_WORKSPACE, and nothing done, if `bytes` are too few. O(size *
 * neighbours) time. */
fdx_status fdx_apply(const fdx_call *call, void *workspace, ptrdiff_t bytes);
fdx_status fdx_apply_part(const fdx_call *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part, ptrdiff_t nparts);

/* A call that is made many times, or in parts: checked and planned once. */
typedef struct fdx_prepared fdx_prepared;

/* Check and plan a call. `memory` is aligned as malloc's and has at least fdx_prepared_size bytes, some hundred (0:
 * ndim is wrong, and fdx_prepare returns the error). Keep it, the call with all that it points to, and the arrays where
 * they are. *prepared is only set on FDX_OK. */
size_t fdx_prepared_size(const fdx_call *call);
fdx_status fdx_prepare(void *memory, const fdx_call *call, const fdx_prepared **prepared);

/* Bytes of workspace for each part of a prepared call that is run at the same time; 0: there are no results. */
ptrdiff_t fdx_prepared_workspace_size(const fdx_prepared *prepared);

/* Run one of nparts parts of a prepared call (0 of 1 for the whole call), as often as you like, on the data that its
 * arrays have then; or on other arrays of the same dtypes, shapes and strides, if `data` is not NULL: the data of the
 * inputs, of the outputs, and, if the call has `copies`, of these (NULL where `copies` has NULL), a multiple of 8 bytes
 * away from that of the call. `alpha_beta`, unless NULL, is taken instead of what the call's points to now.
 *
 * FDX_E_PART; FDX_E_NULL, also if the call had no alpha_beta when it was prepared, or if beta is 0 and was not then, or
 * the other way round; with `data` also FDX_E_ALIGNMENT if that is another distance, FDX_E_SHAPE and FDX_E_OVERLAP. */
fdx_status fdx_run(const fdx_prepared *prepared, void *const *data, const double *alpha_beta, void *workspace,
                   ptrdiff_t part, ptrdiff_t nparts);

/* ---- solves ---- */

/* The factorised matrix of an operator along one axis. */
typedef struct fdx_solver fdx_solver;

/* Why a matrix has no inverse: errors of solutions are `condition` roundings of their largest element or more, for most
 * right-hand sides; infinitely many if a pivot is 0 or solutions overflow. The pivot that is least beside the sum of
 * moduli in its row, `size`, is at this point; after exchanges of rows it is the point of the column. */
typedef struct {
    ptrdiff_t point;
    double pivot, size, condition;
} fdx_pivot;

/* Factorise an operator A, to solve A x = b along an axis: of one dimension, one input and one output of as many points
 * (what is along one axis of larger arrays is described with ndim 1 and axis 0). Its matrix has all of what it was
 * compiled from: products, sums, coefficients, periodic axes. The solver contains the numbers; it needs the operator no
 * more.
 *
 * `memory` is aligned as malloc's and has at least fdx_solver_size bytes, which includes what is only needed here (0:
 * fdx_solver_make returns the error). On errors it may have been written to. *solver is only set on FDX_OK.
 *
 * The method is Gaussian elimination within the matrix's outline, each row's columns from the first to the last that is
 * not 0. Periodic axes are folded, so that the outline is twice as wide. Rows are exchanged only if solutions would
 * otherwise err by more than 16 times the rounding of the matrix: solves then take two to four times as long.
 *
 * FDX_E_SINGULAR: there is no inverse up to rounding, as a pivot is 0, or rounding errors of most solutions are an
 * eighth of them or more; *failed, unless NULL, says where. FDX_E_NODES: an element is not finite, or elimination
 * overflows. FDX_E_NDIM, FDX_E_COUNT, FDX_E_SIZE: the operator is not as above. O(n w^2) time, for rows of w
 * neighbours. */
size_t fdx_solver_size(const fdx_operator *op);
fdx_status fdx_solver_make(void *memory, const fdx_operator *op, const fdx_solver **solver, fdx_pivot *failed);

/* The solution x of A x = b along an axis of arrays, for each line along it; or alpha x + beta y. */
typedef struct {
    const fdx_solver *solver;
    int ndim;
    const ptrdiff_t *shape; /* of both arrays; along the axis, the solver's n */
    int axis;
    fdx_array in;             /* b, of a dtype whose fdx_result_dtype is the output's */
    fdx_array out;            /* x; it may be b itself, with the same data, strides and dtype */
    const double *alpha_beta; /* as in fdx_call */
} fdx_solve;

/* Bytes of workspace: lines are solved a cache full at a time, so that it is at most half a MiB or so, and for long
 * lines 16 lines of n elements. 0: there are no results, or the call is wrong. */
ptrdiff_t fdx_solve_workspace_size(const fdx_solve *call);

/* Solve for all lines, or for one of nparts parts of about the same size; whole lines, so that there are no boxes. The
 * other axes have the same bits in whatever part, layout and order. `workspace` as in fdx_apply. FDX_E_DTYPE also for
 * single precision, if the solver has numbers that over- or underflow in it, or rounding errors of single precision
 * are an eighth of most solutions or more. O(size * neighbours) time. */
fdx_status fdx_solve_apply(const fdx_solve *call, void *workspace, ptrdiff_t bytes);
fdx_status fdx_solve_apply_part(const fdx_solve *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part,
                                ptrdiff_t nparts);

/* The rows of a compact scheme for a spacing of 1: A f' = B f, where f' is the derivative of order `deriv`, 1 or 2, and
 * `accuracy` is 4, 6, 8 or 10 (S. K. Lele, J. Comput. Phys. 103 (1992) 16). Compile A as a stencil of one's own,
 * factorise it, apply B, with a scale of 1 / spacing^deriv, and solve. The closures of both ends are of order 3 at the
 * last point, then 4, then 6, as far as interior rows do not fit; with order 4 at the last point, advection with an
 * inflow has growing modes. For another boundary set nfirst or nlast of both to 0: periodic ones are FDX_PERIODIC for
 * both, and at mirrors A has that of the derivative. The schemes point to constants. FDX_E_STENCIL: another deriv or
 * accuracy. */
fdx_status fdx_compact(int deriv, int accuracy, fdx_scheme *a, fdx_scheme *b);

/* ---- np.gradient ---- */

/* How one result is computed from data f at offsets off[k] along the axis. */
typedef enum {
    FDX_QUOTIENT = 0, /* (f[off[1]] - f[off[0]]) / w[0] */
    FDX_WEIGHTED,     /* (w[0] f[off[0]] + w[1] f[off[1]]) + w[2] f[off[2]] */
    FDX_SPACED        /* FDX_WEIGHTED, with weights computed from the coordinates for each point */
} fdx_gradient_formula;

typedef struct {
    uint8_t formula; /* fdx_gradient_formula */
    uint8_t mixed; /* 1: single-precision data is divided or weighted in double, then rounded; ignored for other data */
    int8_t off[3]; /* at most 2 apart */
    double w[3];   /* representable in single precision if the data is, unless `mixed` */
} fdx_gradient_row;

/* The derivative along one axis: three stencils, and the array for the result. */
typedef struct {
    int axis;
    fdx_gradient_row first, interior, last;
    fdx_array x; /* FDX_SPACED: the axis's coordinates, 1-D, real; otherwise x.data is NULL */
    ptrdiff_t n; /* the number of points that the stencils are for; 0: any number */
    fdx_array out;
} fdx_gradient_axis;

/* Derivatives of one array along one or more axes. */
typedef struct {
    int ndim;
    const ptrdiff_t *shape;
    fdx_array in;
    int naxes;
    const fdx_gradient_axis *axes;
    const fdx_isa *isa;
    const ptrdiff_t *lo, *hi; /* as in fdx_call */
    const double *alpha_beta; /* as in fdx_call */
    uint8_t first_touch;      /* as in fdx_call */
} fdx_gradient;

/* Set the stencils, n and x of `along` for a uniform spacing h; along->axis and along->out are yours to set.
 *
 * Interior: (f[i+1] - f[i-1]) / (2 h). Ends: with edge_order 1 (f[1] - f[0]) / h, with edge_order 2 three points with
 * the weights -1.5, 2, -0.5 over h. `dtype` is the data's. `precision` says what type h has for NumPy's promotion:
 * FDX_WEAK a Python number (arithmetic in double, then rounded to the data's precision), FDX_SINGLE a float32
 * (arithmetic in single), FDX_DOUBLE a float64 (makes rows of single-precision data `mixed`). May raise floating-point
 * exceptions. */
typedef enum { FDX_WEAK = 0, FDX_SINGLE, FDX_DOUBLE } fdx_precision;
fdx_status fdx_gradient_uniform(fdx_gradient_axis *along, int dtype, double h, fdx_precision precision, int edge_order);

/* The same for n coordinates x (1-D: x->stride[0]; real; integers are taken as double). Keep the data of x until the
 * calls that use `along` are over.
 *
 * If all differences of neighbouring coordinates are equal, the spacing is uniform. Otherwise, with distances d1 to the
 * left and d2 to the right neighbour, the interior is -d2/(d1 (d1+d2)) f[i-1] + (d2-d1)/(d1 d2) f[i] + d1/(d2 (d1+d2))
 * f[i+1]. Coordinates may be in any order, which is not checked. O(n) time. May raise floating-point exceptions. */
fdx_status fdx_gradient_coords(fdx_gradient_axis *along, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order,
                               const fdx_isa *isa);

/* Compute the derivatives along all axes of the call, or one of nparts parts of about the same size.
 * O(size * naxes) time; the input is read once from memory, whatever the axes. */
fdx_status fdx_gradient_apply(const fdx_gradient *call);
fdx_status fdx_gradient_apply_part(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts);

/* ---- weights ---- */

/* The n weights w of the deriv-th derivative at `at` on nodes x: the sum of w[k] f(x[k]) is that derivative of the
 * polynomial of degree n - 1 through the points (Fornberg, Math. Comp. 51 (1988) 699; deriv 0: interpolation).
 * 1 <= deriv + 1 <= n <= FDX_MAXNODES. The nodes may be in any order, which does not change the bits. w or rest may be
 * x.
 *
 * If nodes minus `at` are integers of at most 15 bits, times a power of two, each weight is the exact rational,
 * correctly rounded. Otherwise it is computed in at least twice the precision: before it is rounded, its error is at
 * most 2^-64 of the largest weight (2^-54 where integers would take more than 32 KiB), and mostly at most 2^-95.
 * `rest`, unless NULL, receives what rounding removed: w[k] + rest[k] has the errors above, or 100 correct bits and
 * more where the weight is that of the exact rational. rest[k] is 0 where w[k] is infinite.
 *
 * FDX_E_SIZE: too few or too many nodes, or deriv is negative. FDX_E_NODES: two nodes are equal, a node or `at` is not
 * finite, or distances between nodes differ by so many orders of magnitude that these errors cannot be guaranteed.
 *
 * The calling thread's floating-point environment changes nothing. The only exceptions raised are those of weights that
 * over- or underflow. O(n^2) time; O(n^2 (deriv + 1)) integer operations where integers are used. */
fdx_status fdx_weights(double *w, double *rest, const double *x, int n, double at, int deriv);

/* ---- bands ---- */

/* Summation order of a row, with neighbours x[k], weights w[k] and c the centre's k; always in ascending neighbour
 * order, and with each operation rounded:
 *   FDX_SUM_PLAIN          ((w[0] x[0] + w[1] x[1]) + w[2] x[2]) + ...
 *   FDX_SUM_DIFFERENCES    the same of w[k] (x[k] - x[c]), without k = c; for weights whose sum is zero
 *   FDX_SUM_ANTISYMMETRIC  (w[c+1] (x[c+1] - x[c-1]) + w[c+2] (x[c+2] - x[c-2])) + ...; of an even number of
 * neighbours, about the midpoint of c and c + 1: (w[c+1] (x[c+1] - x[c]) + w[c+2] (x[c+2] - x[c-1])) + ...
 *   FDX_SUM_SYMMETRIC      as the first of these, of w[c+j] ((x[c+j] - x[c]) - (x[c] - x[c-j]))
 * All but FDX_SUM_PLAIN give exactly 0 for a constant, and differences of close values are exact. They do not use w[c],
 * unless it is one of an even number. Set it nevertheless to what the sum gives for a 1 at the centre and 0 elsewhere,
 * so that the weights are the matrix's. */
typedef enum { FDX_SUM_PLAIN = 0, FDX_SUM_DIFFERENCES, FDX_SUM_ANTISYMMETRIC, FDX_SUM_SYMMETRIC } fdx_summation;

/* The stencil of one row, or of several that have their neighbours at the same offsets. */
typedef struct {
    ptrdiff_t offset; /* the first neighbour's column minus the row's number */
    int count;        /* neighbours, in consecutive columns: 1 .. FDX_MAXWEIGHTS; at least 2 unless FDX_SUM_PLAIN */
    int centre;       /* which neighbour is the point itself; -1: none, which needs FDX_SUM_PLAIN */
    int summation; /* fdx_summation; FDX_SUM_ANTISYMMETRIC and FDX_SUM_SYMMETRIC: count is 2 centre + 1, or 2 centre + 2
                    * for the first, and row_step 0 */
    const double *w; /* neighbour k of the r-th of these rows has the weight w[k * weight_step + r * row_step] */
    ptrdiff_t weight_step, row_step;
} fdx_stencil;

/* A banded matrix, built by the functions below or filled in by hand.
 *
 * Every function that takes one checks it: FDX_E_STENCIL if a required pointer is NULL, a number is not as the comments
 * say, `rows` or `columns` is more than PTRDIFF_MAX / 4, or a row has a neighbour outside the matrix (periodic: unless
 * -columns <= offset <= columns + 1 - count). To be applied to arrays, the offsets of all neighbours of all rows must
 * also lie within 4 FDX_MAXWEIGHTS consecutive numbers. It is up to you that there are as many rows and weights as the
 * members say, and that weights of FDX_SUM_ANTISYMMETRIC and FDX_SUM_SYMMETRIC are symmetric. */
struct fdx_band {
    ptrdiff_t rows, columns;
    ptrdiff_t nfirst, nlast;  /* rows of the closure at either end */
    const fdx_stencil *first; /* nfirst of them, one for each row */
    const fdx_stencil *last;  /* nlast */
    fdx_stencil interior;     /* of the rows between; always set, even if there are none */
    int periodic;             /* not 0: the interior's columns are taken modulo `columns`; nfirst = nlast = 0, and
                               * columns = rows */
};

/* The functions below build a band in your memory, which is aligned as malloc's and has at least the bytes that the
 * `size` function beside it returns (0: the other function returns the error). The band is complete in there, and needs
 * nothing that it was built from, but must stay where it is. `*band`, the beginning of the memory, is only set on
 * FDX_OK. FDX_E_NODES may leave the memory written to, other errors do not. The calling thread's floating-point
 * environment (rounding mode, subnormal numbers as 0, traps) changes nothing, and no exception is raised. */

/* The matrix of a derivative.
 *
 * Weights are the exact ones rounded, in nearly all cases correctly; where several ghost values come from one column,
 * their sum is rounded once. Where a stencil reaches beyond the end of coordinates, these are first rounded to double,
 * as distances from that end, or from the centre if periodic.
 *
 * Rows whose weights add up to 0 are FDX_SUM_DIFFERENCES; interiors for a uniform spacing that are symmetric about
 * their point FDX_SUM_SYMMETRIC, and those that are antisymmetric about it, or about a midpoint, FDX_SUM_ANTISYMMETRIC.
 * Those of interpolations, and those where FDX_ZERO or FDX_ANTISYMMETRIC has ghost values, are FDX_SUM_PLAIN. Weights
 * of your own add up to 0 if their sum is at most what their rounding makes of 0, 2^-53 times the sum of their moduli.
 *
 * FDX_E_SIZE: n is too small, n or the number of rows is more than PTRDIFF_MAX / 4, or a stencil has more than
 * FDX_MAXNODES nodes. FDX_E_STENCIL: deriv, accuracy, boundary, position, side, `outside` or `datum` is out of range,
 * or does not go with another one; a stencil of your own has not rows enough for an end; no row contains a condition's
 * datum. FDX_E_NODES: see there; also coordinates that neither rise nor fall, conditions that do not determine the
 * value, and weights that underflow: an interior row in which none is a normal number. O(n) time with coordinates;
 * independent of n with a spacing. */
size_t fdx_band_derivative_size(const fdx_derivative *what);
fdx_status fdx_band_derivative(void *memory, const fdx_derivative *what, const fdx_band **band);

/* The transposed matrix, of the same doubles. Interiors stay FDX_SUM_ANTISYMMETRIC or FDX_SUM_SYMMETRIC, other rows
 * are FDX_SUM_PLAIN. FDX_E_SIZE: a has no rows, or one of its columns has more than FDX_MAXWEIGHTS neighbours. */
size_t fdx_band_transpose_size(const fdx_band *a);
fdx_status fdx_band_transpose(void *memory, const fdx_band *a, const fdx_band **band);

/* The matrix product a b times `scale`, summed in twice the precision and rounded once. Rows that involve no
 * FDX_SUM_PLAIN row of b give exactly 0 for a constant, as b's do.
 *
 * FDX_E_SIZE: a's columns are not b's rows, a row has more than FDX_MAXWEIGHTS neighbours, or a row of a periodic band
 * more neighbours than there are points. FDX_E_STENCIL: one band is periodic, the other is not. FDX_E_NODES: a weight
 * overflows, or the largest weights of a and b times each other underflow. */
size_t fdx_band_product_size(const fdx_band *a, const fdx_band *b);
fdx_status fdx_band_product(void *memory, const fdx_band *a, const fdx_band *b, double scale, const fdx_band **band);

/* ---- compiled operators ---- */

/* One compiled factor, a stage: a band along an axis, whose result is multiplied by a coefficient. */
typedef struct {
    int axis;
    const fdx_band *band;         /* NULL: the identity */
    const fdx_array *coefficient; /* real, of the shape of this stage's result (a stride of 0 repeats it); NULL: 1 */
    int sign;                     /* as in fdx_factor */
} fdx_stage;

/* One compiled term, a chain: stages one after the other, applied to an input and added to an output. */
typedef struct {
    int in, out; /* numbers of the input and of the output, from 0 on */
    int nstages;
    const fdx_stage *stage; /* in the order in which they are applied */
    const ptrdiff_t *shift; /* one for each dimension: the chain's result i + shift is the output's i; NULL: zeros */
} fdx_chain;

/* A compiled operator, built by fdx_operator_make or filled in by hand. Output k is the sum of its chains in their
 * order, each chain's result complete before it is added. */
struct fdx_operator {
    int ndim;
    const ptrdiff_t *in_shape, *out_shape;
    int ninputs, noutputs, nchains;
    const fdx_chain *chain; /* sorted by output; one or more for each */
    const fdx_isa *isa;
    int double_only; /* not 0: there are weights that over- or underflow in single precision, so FDX_E_DTYPE for that */
};

/* ---- layouts ---- */

/* Where a member of a struct of this header is: bindings for other languages check their declarations by that. */
typedef struct {
    const char *of, *name; /* the struct and its member; a name of NULL: the struct itself */
    size_t offset, size;   /* bytes */
} fdx_member;

/* Those of all structs, each struct before its members, and one whose `of` is NULL after the last. */
const fdx_member *fdx_members(void);

#ifdef __cplusplus
}
#endif
#endif
