/* The table of an instruction set: row loops over aligned, native, contiguous data, conversions of other data to such
 * rows, and the arithmetic on coordinates. fdx_isa.inc builds one table for each. */
#ifndef FDX_ROWS_H
#define FDX_ROWS_H

#include <math.h> /* for NAN */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fdx_strict.h"
#include "fdx.h"

/* First in a block whose divisions clang would do in partly filled vector registers, where the other lanes raise
 * exceptions. (gcc fills these lanes with ones; loops that are long enough to fill registers are not affected.) */
#if defined(__clang__)
#define FDX_KEEP_FLAGS _Pragma("clang fp exceptions(maytrap)")
#else
#define FDX_KEEP_FLAGS
#endif

#if defined(__GNUC__) || defined(__clang__) /* clang-cl only defines the latter */
#define FDX_GNU_C 1
#define FDX_PREFETCH(address) __builtin_prefetch(address)
#else
#define FDX_PREFETCH(address) ((void)(address))
#endif

#define FDX_NWEIGHTS 3
#ifndef FDX_BUFFER_ELEMENTS
#define FDX_BUFFER_ELEMENTS ((ptrdiff_t)192) /* of a buffer for conversion, on the stack */
#endif

static inline int fdx_is_single(int dtype)
{
    return dtype == FDX_F32 || dtype == FDX_C64;
}

/* A divisor, and numbers to divide without dividing, which is the slowest operation. All are representable in the type
 * of the arithmetic. */
typedef struct {
    double h;
    double size, inverse; /* |h|; 1/|h| rounded to nearest */
    double down, rest;    /* 1/|h| rounded toward zero; the rest, rounded */
    ptrdiff_t prefetch;   /* prefetch distance in bytes; 0: data are in cache */
    int stream;           /* 1: results may be written by non-temporal stores */
} fdx_divisor;

/* Methods of dividing by h. All round correctly, but differ in speed and in when they may be used. */
enum {
    FDX_DIVIDE, /* always */
    FDX_SCALE,  /* if 1/h is exact: multiply by it */
    FDX_CORRECT /* multiply, and correct by the remainder: valid if it raises no exception but "inexact" */
};
enum { FDX_NDIVISIONS = 3 };

/* n results from rows of neighbours. Weights are double, and representable in the type of the arithmetic. */
typedef void fdx_quotient_fn(void *y, const void *lo, const void *hi, ptrdiff_t n, const fdx_divisor *d);
typedef void fdx_stepped_fn(void *y, ptrdiff_t y_step, const void *lo, const void *hi, ptrdiff_t step, ptrdiff_t n,
                            int division, const fdx_divisor *d);
typedef void fdx_weighted_fn(void *y, const void *const x[FDX_NWEIGHTS], ptrdiff_t n, const double w[FDX_NWEIGHTS]);
typedef void fdx_varying_fn(void *y, const void *const x[FDX_NWEIGHTS], ptrdiff_t n,
                            const double *const w[FDX_NWEIGHTS]);

/* Copy by non-temporal stores, and meanwhile prefetch as many bytes from `next`, which may be any address. Called with
 * 0 bytes after the last copy, it makes all copies visible to other threads. */
typedef void fdx_stream_out_fn(void *dst, const void *src, ptrdiff_t bytes, const void *next);
typedef void fdx_spaced_fn(void *y, const void *const x[FDX_NWEIGHTS], ptrdiff_t n, const void *coords);

/* Convert n elements that are `step` bytes apart to a row of fdx_result_dtype, and back. */
typedef void fdx_gather_fn(void *row, const char *src, ptrdiff_t step, ptrdiff_t n);
typedef void fdx_scatter_fn(char *dst, ptrdiff_t step, const void *row, ptrdiff_t n);

typedef struct {
    fdx_quotient_fn *quotient[FDX_NDIVISIONS]; /* [method]: FDX_DIVIDE always; others, or NULL */
    fdx_stepped_fn *stepped;                   /* of strided data and results, strides in elements; NULL: complex */
    int (*prepare)(fdx_divisor *d);            /* fill in d for d->h; returns the fastest method; NULL: FDX_DIVIDE */
} fdx_quotients;

typedef struct {
    fdx_quotients of;
    fdx_weighted_fn *weighted;
    fdx_varying_fn *varying;
    fdx_spaced_fn *spaced; /* from n + 2 coordinates, in the precision of the weighting */
} fdx_rows;

/* Coordinates of one precision: x is a converted row of float or double. */
typedef struct {
    int (*uniform)(const void *x, ptrdiff_t n, double d);                       /* are all n differences d? x: n + 1 */
    double (*difference)(const void *x);                                        /* x[1] - x[0] */
    void (*weights)(double *const w[FDX_NWEIGHTS], const void *x, ptrdiff_t n); /* interior weights; x: n + 2 */
    void (*edges)(double first[FDX_NWEIGHTS], double last[FDX_NWEIGHTS], const void *head,
                  const void *tail); /* 3 each */
} fdx_coords;

/* ---- sums of general operators, in single or double precision ---- */

/* What happens to y: replaced by the sum; y + sum; y + product + product + ..., which continues an earlier sum of the
 * same row; sum + y, of loops of two terms only; or replaced by the sum times the row after those of the neighbours, or
 * y + that: of one row of results, of pairs or at most FDX_STREAMED others; FDX_TIMES by non-temporal stores, too. */
enum { FDX_SET, FDX_ADD, FDX_CONTINUE, FDX_PREPEND, FDX_TIMES, FDX_ADD_TIMES };
/* The formulas of sums. */
enum { FDX_SYMMETRIC_PAIRS, FDX_ANTISYMMETRIC_PAIRS, FDX_PLAIN_SUM, FDX_DIFFERENCE_SUM };
enum { FDX_PAIRS = 4, FDX_NEIGHBOURS = 9, FDX_VARYING = 4 }; /* the most that one loop sums, */
enum { FDX_STREAMED = 6 }; /* and writes by non-temporal stores, of neighbours that are no pairs */

/* n sums from rows of neighbours. Pairs: x[K] is the middle of 2 K + 1 rows. Differences: x[K], after the K neighbours,
 * is subtracted from each. Loops of four rows of results, y_row bytes apart, take 2 K + 4 rows of neighbours. Loops of
 * two terms of as many pairs take the 2 K + 1 rows of the second after those of the first, and weights likewise.
 * Neither continues a sum. */
typedef void fdx_sum_fn(void *y, ptrdiff_t y_row, const void *const *x, ptrdiff_t n, const double *w, int mode);
typedef void fdx_varying_sum_fn(void *y, const void *const *x, ptrdiff_t n, const double *const *w, int mode);
/* The same for K <= 2 FDX_NEIGHBOURS neighbours or pairs, of points that are x_step bytes apart, of which there are
 * few. */
typedef void fdx_strided_sum_fn(void *y, ptrdiff_t y_step, const void *const *x, ptrdiff_t x_step, ptrdiff_t n,
                                const double *w, int mode, int formula, int K);
typedef void fdx_combine_strided_fn(void *y, ptrdiff_t y_step, const void *t, ptrdiff_t t_step, const void *c,
                                    ptrdiff_t c_step, ptrdiff_t n, int mode, int sign);
typedef void fdx_part_fn(void *y, const void *x, ptrdiff_t n, int sign);
typedef void fdx_combine_fn(void *y, const void *t, const void *c, ptrdiff_t n, int mode);
typedef void fdx_add_scaled_fn(void *y, const void *x, ptrdiff_t n, const double alpha_beta[2]);

/* Columns of rows to rows: point c of row r, of per_point elements, to point r of row c, or added to it; rows are so
 * many bytes apart. Any alignment. FDX_SET or FDX_ADD. */
typedef void fdx_transpose_fn(void *to, ptrdiff_t to_row, const void *from, ptrdiff_t from_row, ptrdiff_t rows,
                              ptrdiff_t columns, ptrdiff_t per_point, int mode);

/* Sums by non-temporal stores to `to`, of whole cache lines. Sums at either end that do not fill one go to y,
 * which also has what sums are added to, for all n. As many bytes are prefetched from next[0], and with two terms from
 * next[1]: any addresses. n >= FDX_VECTOR_SUMS. */
typedef void fdx_streaming_fn(void *to, void *y, const void *const *x, ptrdiff_t n, const double *w, int mode,
                              const void *const next[2]);
/* Sums to y of pairs of neighbours along memory: K elements before x[0] and K after x[n - 1] are read. As many bytes
 * are prefetched from `next`. */
typedef void fdx_along_fn(void *y, const void *x, ptrdiff_t n, const double *w, int mode, const void *next);
/* Lines that follow each other in the output and, unless `step` says otherwise, in every input: sums of terms of as
 * many pairs, none, one or two of rows in x, as above, and a last one along memory. Symmetric pairs all have the middle
 * of `along`, which is not read from x. */
typedef struct {
    void *to;             /* whole cache lines, by non-temporal stores */
    void *y;              /* two cache lines: elements that do not fill one at the beginning, and at the end */
    const void *const *x; /* of the first line */
    const void *along;    /* likewise */
    double itself;        /* the element itself, the middle of `along`, times this is added first; 0: it is not */
    ptrdiff_t n, lines;   /* elements of a line, and how many lines */
    ptrdiff_t head, tail; /* elements at the ends of a line whose term along memory is computed before; between them are
                           * at least FDX_VECTOR_SUMS */
    const char *ready;    /* that term, element by element, of one line after the other */
    ptrdiff_t apart;      /* bytes from one of these elements to the next */
    const double *w;
    const void *next[3]; /* prefetched, for each term; symmetric pairs: for one */
    ptrdiff_t step;      /* lines begin so many elements after each other in every input: n, by non-temporal stores and
                          * with terms of rows or `itself` */
    /* By ordinary stores, all of them to `to`: nothing is prefetched, head and tail are at most FDX_PAIRS, between them
     * is at least FDX_CACHE_LINE, and lines begin so many elements after each other in the output: */
    ptrdiff_t to_step;
    const double *alpha_beta; /* the sums times the one are added to what is in `to` times the other, not 0; or NULL */
    /* What multiplies the terms, but not the element itself, if the loop does: an array for each of them. */
    const void *by[3];
    ptrdiff_t by_step[3];
    int by_varies[3]; /* along the line; 0: its first element is for all of it */
} fdx_cross;
typedef void fdx_cross_fn(const fdx_cross *c);
enum { FDX_VECTOR_SUMS = 32, FDX_CACHE_LINE = 64 };

/* Substitution, in place: rows of n elements, `row` bytes apart. Each becomes itself, times w[0] if `scales`, plus
 * w[w_step] times the row before it, plus w[2 w_step] times the one before that, and so on for K rows. The next row's
 * weights are w_row numbers further. */
typedef struct {
    ptrdiff_t n, row, rows, w_row;
    int w_step, K, scales;
} fdx_substitution;
enum { FDX_SUBSTITUTED = 4, FDX_FEW_COLUMNS = 3 }; /* rows that one loop adds, and elements for a loop of rows only */
typedef void fdx_substitute_fn(void *y, const double *w, const fdx_substitution *s);

/* The first half of it with exchanges of rows: row r is exchanged with the one exchange[r] after it. Then it is added,
 * times w[diagonal[r + k] - k], to the row k after it, for each k from 1 to reach[r] that is at most lower[r + k]. */
typedef struct {
    ptrdiff_t n, row, rows;
    const double *w;
    const ptrdiff_t *diagonal;
    const int *exchange, *reach, *lower;
} fdx_exchanges;
typedef void fdx_exchange_fn(void *y, const fdx_exchanges *e);

/* Sums of several lines. x: the first neighbour of the first element; FDX_SET or FDX_ADD. */
typedef struct {
    ptrdiff_t n, lines;       /* elements of a line, and how many lines, */
    ptrdiff_t x_line, y_line; /* which are so many bytes apart */
    ptrdiff_t step;           /* bytes from a neighbour to the next one */
} fdx_several_lines;
typedef void fdx_lines_fn(void *y, const void *x, const fdx_several_lines *l, const double *w, int mode);

typedef struct {
    fdx_sum_fn *one, *four, *two; /* one row of results, four, two terms */
    fdx_lines_fn *several;        /* lines, which may be short */
    /* NULL: not for this instruction set; the ones above give the same */
    fdx_streaming_fn *one_streaming, *two_streaming;
    fdx_along_fn *along;
    fdx_cross_fn *cross[3], *lines[3]; /* [terms of rows]: by non-temporal stores, by ordinary ones */
    fdx_cross_fn *weighed[2]; /* [terms of rows - 1]: by ordinary stores, of terms that are multiplied; or NULL */
} fdx_pairs;

/* Sums of FDX_NESTED neighbours, or of two that are one pair, each of which is the sum of one pair itself: neighbour k
 * of rows x[3 k] .. x[3 k + 2]; maybe times x[FDX_NESTED_ROWS + k]. Weights: of the neighbours' pairs, and of the sum.
 * FDX_SET or FDX_ADD. */
enum { FDX_NESTED = 3, FDX_NESTED_ROWS = FDX_NESTED * FDX_NESTED };
/* Several lines of one term, or of several: those of rows x are l->x_line bytes apart, and those of what multiplies
 * term k by_line[k]. */
enum { FDX_MULTIPLIED_TERMS = 3, FDX_TERMS_WEIGHTS = 10 }; /* the most of those, and the most weights */
typedef void fdx_terms_fn(void *y, const void *const *x, const fdx_several_lines *l, const ptrdiff_t *by_line,
                          const double *w, int mode);
typedef struct {
    fdx_terms_fn *lines;
    fdx_streaming_fn *streaming; /* a line, FDX_SET; or NULL */
} fdx_nested;

typedef struct {
    fdx_pairs antisymmetric[FDX_PAIRS], symmetric[FDX_PAIRS]; /* [pairs - 1] */
    /* `along` of antisymmetric pairs about the midpoints of x[i] and x[i + 1]: K - 1 elements before x[0] are read. */
    fdx_along_fn *midpoints[FDX_PAIRS];
    /* Of a term along memory alone: those pairs; an even number of neighbours, `along` being the later one of the two
     * in their middle; and differences from that one, or from the other. NULL as below. */
    fdx_cross_fn *midpoints_alone[FDX_PAIRS], *plain_alone[FDX_STREAMED / 2], *differences_alone[2][FDX_STREAMED / 2];
    fdx_nested nested[2][2]; /* [FDX_NESTED neighbours, no pair][their pairs are symmetric] */
    fdx_nested multiplied;   /* a pair of antisymmetric pairs that are multiplied, */
    fdx_terms_fn
        *several_multiplied[FDX_MULTIPLIED_TERMS - 1]; /* two or three of them; NULL as above, here and below */
    /* [parts][K / 2][terms / 2 - 1]: sums of K = 1, 3 or 5 differences, each times what comes after it in x, or the
     * positive and the negative part of that by turns. Two, four or six terms of one difference, two of others. */
    fdx_terms_fn *several_products[2][3][3];
    fdx_sum_fn *plain[FDX_NEIGHBOURS], *differences[FDX_NEIGHBOURS];                       /* [neighbours - 1] */
    fdx_streaming_fn *plain_streaming[FDX_STREAMED], *differences_streaming[FDX_STREAMED]; /* or NULL */
    fdx_varying_sum_fn *varying_plain[FDX_VARYING],
        *varying_differences[FDX_VARYING]; /* w[k][i]: weights of each point's own */
    fdx_strided_sum_fn *strided;
    fdx_combine_fn *combine;                 /* y = c t, or y + c t; c NULL: y + t; t may be y */
    fdx_combine_strided_fn *combine_strided; /* the same of elements so many bytes apart, for c or, by sign, its part */
    fdx_add_scaled_fn *add_scaled;           /* y = alpha x + beta y; if beta is 0, y is not read */
    fdx_substitute_fn *substitute;
    fdx_exchange_fn *exchange_and_add;
    fdx_part_fn *part; /* y = max(x, 0), or min(x, 0) if sign is negative; a NaN stays; x may be y */
    fdx_transpose_fn *transpose;
} fdx_sums;

/* ---- weights of many stencils ---- */

/* At most so many at once, of so many nodes and up to this derivative: 21 KiB of stack. */
enum { FDX_STENCILS = 32, FDX_STENCILS_NODES = 17, FDX_STENCILS_DERIV = 4 };

/* `scale` times the weights of the deriv-th derivative, in rows of FDX_SUM_DIFFERENCES: row i has the nodes x[i] .. x[i
 * + count - 1], of which number `centre` is the point itself; its weight for node k goes to w[k * step + i]. The
 * centre's weight is NaN if the others are not certain to be correctly rounded; returns whether there is no such row.
 * May raise any exceptions; rounding must be to nearest, with subnormal numbers. */
typedef int fdx_stencils_fn(double *w, ptrdiff_t step, const double *x, ptrdiff_t n, int count, int centre, int deriv,
                            double scale);

/* The type of a row's data and, if that is single, whether it is divided or weighted in double. */
enum { FDX_ROW_F32, FDX_ROW_F64, FDX_ROW_C64, FDX_ROW_C128, FDX_ROW_F32_MIXED, FDX_ROW_C64_MIXED, FDX_NROWS };

struct fdx_isa {
    const char *name;
    int (*computes_as_written)(void); /* as in fdx_dd.h */
    fdx_rows rows[FDX_NROWS];
    fdx_quotients integers[FDX_F32];                   /* [integer dtype], from aligned native integers to double */
    fdx_gather_fn *gather[FDX_NDTYPES][2];             /* [dtype][swapped], to fdx_result_dtype */
    fdx_scatter_fn *scatter[FDX_NDTYPES - FDX_F32][2]; /* [floating-point dtype][swapped] */
    fdx_coords coords[2];                              /* [float32, float64] */
    fdx_sums sums[2];                                  /* [float, double] */
    fdx_stencils_fn *stencils;
    fdx_stream_out_fn *stream_out;
};

/* Not with gcc on Windows or Cygwin, which stores registers wider than 16 bytes to the stack as if it were aligned for
 * them; nor with clang-cl before 19, whose headers omit instructions that are not enabled for a whole file. */
#if defined(__x86_64__) && defined(FDX_GNU_C)
#if !(defined(_WIN32) || defined(__CYGWIN__)) || (defined(__clang__) && (!defined(_MSC_VER) || __clang_major__ >= 19))
#define FDX_HAVE_X86 1
#endif
#endif

/* The tables of this build, from best to worst; all processors have the last one. */
#ifdef FDX_HAVE_X86
#define FDX_TABLES(DO) DO(avx512) DO(avx2) DO(base)
#else
#define FDX_TABLES(DO) DO(base)
#endif
/* A table, by its name in this file and to the linker. */
#ifdef FDX_NAMESPACE
#define FDX_TABLE(table) FDX_IN_NAMESPACE(FDX_NAMESPACE, table)
#else
#define FDX_TABLE(table) table
#endif
#define FDX_DECLARE_TABLE(name) extern const fdx_isa FDX_TABLE(fdx_isa_##name);
FDX_TABLES(FDX_DECLARE_TABLE)

#endif
