/* fdx: finite differences on strided N-dimensional arrays.
 *
 * This is the one public header; copy the folder and build it with `cc -O3 -c *.c`.
 *
 * Contract
 * --------
 * - Strides, and the distance between two coordinates, are in bytes and may be negative or zero; shapes, axes and
 *   stencil offsets are in elements. Every index is a ptrdiff_t: more than 2^31 elements are fine.
 * - Data may lie at any address: elements that are not aligned, not in native byte order, not floating point or not
 *   next to each other are converted in small blocks on the stack (about 96 KiB in all).
 * - Nothing is allocated, nothing is retained after a call, there is no global state and there are no hidden threads:
 *   every function may be called from any number of threads. Parts of one call write disjoint elements.
 * - On any status but FDX_OK the output is untouched. An output whose extent overlaps the input's or the coordinates'
 *   is refused; outputs that overlap each other are the caller's to avoid.
 * - The result's unit is the data's divided by the spacing's. Results are the bits of NumPy's `np.gradient`, for
 *   every instruction set, number of parts and layout. (One case has no such bits: where products of complex data and
 *   weights under- or overflow, signs of zeros depend on the processor that NumPy runs on. Here each operation is
 *   rounded.) Floating-point exceptions that the formula raises are left in the calling thread's status flags
 *   (<fenv.h>), and no others.
 */
#ifndef FDX_H
#define FDX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FDX_MAXDIM 64 /* the most dimensions of an array, and the most operators of a call */

typedef enum {
    FDX_OK = 0,
    FDX_E_NULL,    /* a pointer that must point at something is NULL */
    FDX_E_NDIM,    /* ndim is not in 1 .. FDX_MAXDIM */
    FDX_E_SHAPE,   /* a length is negative */
    FDX_E_DTYPE,   /* an unknown dtype, or an output or coordinates of a dtype that does not go with the data */
    FDX_E_AXIS,    /* an axis is not in 0 .. ndim - 1 */
    FDX_E_SIZE,    /* an axis is too short for its stencils */
    FDX_E_STENCIL, /* an unknown kind of stencil, or an edge stencil that reaches outside the array */
    FDX_E_EDGE,    /* edge_order is neither 1 nor 2 */
    FDX_E_OPS,     /* the number of operators is not in 1 .. FDX_MAXDIM */
    FDX_E_OVERLAP, /* an output's extent overlaps the input's or the coordinates' */
    FDX_E_PART     /* part is not in 0 .. nparts - 1 */
} fdx_status;

/* A sentence in English for a status; never NULL. */
const char *fdx_status_message(fdx_status status);

typedef enum {
    FDX_I8 = 0,
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

/* An array that somebody else owns. Its shape stands once, in the call. */
typedef struct {
    void *data;              /* the element with all indices 0 */
    const ptrdiff_t *stride; /* bytes, one for each dimension */
    uint8_t dtype;           /* fdx_dtype */
    uint8_t swapped;         /* 1: the bytes are not in this machine's order */
} fdx_array;

/* One row of an operator along an axis: which neighbours, weighted how. */
typedef enum {
    FDX_QUOTIENT = 0, /* (x[off[1]] - x[off[0]]) / w[0] */
    FDX_TAPS,         /* (w[0] * x[off[0]] + w[1] * x[off[1]]) + w[2] * x[off[2]] */
    FDX_COORDS        /* FDX_TAPS with weights made from the coordinates, point by point */
} fdx_kind;

typedef struct {
    uint8_t kind; /* fdx_kind */
    uint8_t
        wide; /* 1: single-precision data is divided or weighted in double, then rounded; no matter for other data */
    int8_t off[3];
    double w[3]; /* representable in single precision where single-precision data is not `wide` */
} fdx_stencil;

/* The operator along one axis: a banded matrix whose first and last rows differ from those between. */
typedef struct {
    int axis;
    fdx_stencil first, interior, last;
    fdx_array x; /* FDX_COORDS: the axis's coordinates, 1-D, real; otherwise x.data is NULL */
    fdx_array out;
} fdx_op;

typedef struct fdx_isa fdx_isa; /* the row loops compiled for one instruction set */

/* The table for "base", "avx2" (with FMA), "avx512" (as of Ice Lake and Zen 4), or "auto" (the best for this
 * processor); NULL if there is none of that name or the processor lacks it. */
const fdx_isa *fdx_isa_find(const char *name);
const char *fdx_isa_name(const fdx_isa *isa);

typedef struct {
    int ndim;
    const ptrdiff_t *shape;
    fdx_array in;
    int nops;
    const fdx_op *op;
    const fdx_isa *isa;
    uint8_t fresh; /* 1: the outputs are memory that nobody has touched yet, best written through the cache; no matter
                    * but for the speed of large ones */
} fdx_call;

/* Fill the stencils of np.gradient along an axis of uniform spacing h.
 *
 * Interior (f[i+1] - f[i-1]) / (2 h); edges of edge_order 1 (f[1] - f[0]) / h, of edge_order 2 three points with the
 * weights -1.5, 2, -0.5 over h. `precision` says what h is to NumPy's promotion: FDX_WEAK a Python number
 * (arithmetic in double, then rounded to the data's precision), FDX_SINGLE a float32 (arithmetic in single), FDX_DOUBLE
 * a float64 (which makes single-precision data `wide`). `dtype` is the data's. May raise floating-point exceptions. */
typedef enum { FDX_WEAK = 0, FDX_SINGLE, FDX_DOUBLE } fdx_precision;
fdx_status fdx_gradient_uniform(fdx_op *op, int dtype, double h, fdx_precision precision, int edge_order);

/* The same along an axis with n coordinates x (1-D: x->stride[0]; real; integers are taken as double).
 *
 * Coordinates whose differences are all equal are a uniform spacing. Otherwise, with d1 and d2 the distances to the
 * left and the right neighbour, the interior is -d2/(d1 (d1+d2)) f[i-1] + (d2-d1)/(d1 d2) f[i] + d1/(d2 (d1+d2))
 * f[i+1]. x must stay until the call that uses op is over. O(n) time. May raise floating-point exceptions. */
fdx_status fdx_gradient_coords(fdx_op *op, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order,
                               const fdx_isa *isa);

/* Apply every operator of the call to the whole array, or to one of nparts parts of about the same size.
 * O(size * nops) time; the input is read once from memory, whatever the axes. */
fdx_status fdx_apply(const fdx_call *call);
fdx_status fdx_apply_part(const fdx_call *call, ptrdiff_t part, ptrdiff_t nparts);

#ifdef __cplusplus
}
#endif
#endif
