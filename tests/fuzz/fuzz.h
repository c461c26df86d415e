/* What the files of the fuzzer share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "fdx.h"

/* ---- choices.c: the bytes of an input ---- */

void begin_choices(const uint8_t *data, size_t size);
int u8(void);
int below(int n);
int chance(int n);  /* one in n; never, if bytes are missing */
uint64_t rnd(void); /* a number that the fuzzer need not choose */
ptrdiff_t wild_number(void);
ptrdiff_t wild_stride(void);
int wild_int(void);
double ordinary(void);
double draw_spacing(void);
int draw_dtype(int end);

/* ---- findings.c: aborts that say what is wrong ---- */

/* For the description of a finding: the current operator, whose pointers are valid. */
extern const fdx_operator *at_hand;

void die(const char *what, const char *more);

typedef struct {
    const char *what;         /* NULL: nothing */
    fdx_status status, other; /* `other`: another status that fdx.h allows */
} broken;

extern const broken nothing;

/* Entry `number` of a list: a change, if it applies, and the status that it should give. */
#define BREAK_TO(applies, change, wanted, otherwise)                                                                   \
    if (number-- == 0) {                                                                                               \
        if (!(applies))                                                                                                \
            return nothing;                                                                                            \
        change;                                                                                                        \
        return (broken){#change, wanted, otherwise};                                                                   \
    }
#define BREAK(applies, change, wanted) BREAK_TO(applies, change, wanted, wanted)

void expect(const char *function, broken b, fdx_status status);

/* ---- memory.c: memory for the library ---- */

enum { LARGEST_SLOT = 48 * 4096 };

typedef struct {
    char *begin, *copy, *result; /* its pages; a copy before a call; a copy after a valid call */
    size_t bytes;
    char *used; /* the bytes that the library gets */
    size_t nused;
    int scratch; /* the library may write anything there */
} slot;

extern jmp_buf given_up; /* where an input ends for which there is no memory */

void begin_memory(void);
slot *take(size_t bytes, size_t align);
slot *slot_at(const void *p);
void *allocate(size_t bytes);
double *numbers(ptrdiff_t n);
void *keep(size_t bytes);
ptrdiff_t *keep_indices(int n, const ptrdiff_t *from);
void before_calls(void);
void accept_kept(void);
void poison(void);
void unpoison(void);
void set_scratch(int byte);
void expect_unchanged(const char *after);

/* A call with poison around its memory. */
#define CALL(status, call)                                                                                             \
    do {                                                                                                               \
        poison();                                                                                                      \
        (status) = (call);                                                                                             \
        unpoison();                                                                                                    \
    } while (0)

/* ---- arrays.c: random arrays ---- */

typedef struct {
    fdx_array a; /* its stride is kept */
    ptrdiff_t *stride;
    slot *in;
} array;

enum { IS_READ, IS_WRITTEN, IS_USUAL = 2 };

extern const ptrdiff_t zeros[FDX_MAXDIM];

int next(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *index);
int is_empty(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi);
char *address(const fdx_array *a, int ndim, const ptrdiff_t *index);
ptrdiff_t extent(const fdx_array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *begin);
size_t part_size(int dtype);
void reverse(char *p, size_t n);
void put(const fdx_array *a, char *p, double v);
void draw_strides(array *a, int ndim, const ptrdiff_t *shape, int role);
void spoil_stride(array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi);
void place(array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, int role);
void draw_array(array *a, int ndim, const ptrdiff_t *shape, const ptrdiff_t *lo, const ptrdiff_t *hi, int dtype,
                int role);
void draw_shape(int ndim, ptrdiff_t *shape, const ptrdiff_t *least);
int draw_box(int ndim, const ptrdiff_t *shape, ptrdiff_t *lo, ptrdiff_t *hi);

/* ---- checks.c: results, and what a call may write to ---- */

enum { MOST_TABLES = 8 };
extern const fdx_isa *tables[MOST_TABLES]; /* "auto", "base", and what else this processor supports */
extern int ntables;

typedef fdx_status run_fn(void *call, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts);

void find_tables(void);
void check_results(run_fn *run, void *call, const fdx_isa *isa, const array *out, int nout, int ndim,
                   const ptrdiff_t *lo, const ptrdiff_t *hi);
void check_wild(fdx_status status, const array *out, int nout, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi);
void lay_over(fdx_array *out, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, const char *first, ptrdiff_t n);

/* ---- a file for each section of fdx.h ----
 *
 * A case makes calls of a mode: 0 valid, 1 with one error whose status is known, 2 wild. */

/* gradient.c */
void gradient_case(int mode);

/* weights.c */
void weights_case(int mode);

/* bands.c */
typedef struct {
    int pairs, half_width; /* FDX_SUM_ANTISYMMETRIC or FDX_SUM_SYMMETRIC in square bands, as in Laplacians */
} usual_rows;

fdx_derivative draw_derivative(ptrdiff_t most);
void orient_conditions(fdx_derivative *what, int direction);
void draw_points(fdx_derivative *what);
const fdx_band *draw_band(ptrdiff_t columns, const usual_rows *as);
int scramble_band(fdx_band *band);
void by_hand_case(int mode);
void band_case(int mode);

/* operators.c */
fdx_array *draw_factor(int ndim, const ptrdiff_t *shape);
fdx_operator *draw_operator(const fdx_band *given, int *usual);
void scramble_operator(fdx_operator *op);
void refit_factors(fdx_operator *op);
void apply(const fdx_operator *op, int mode, int usual);
void operator_case(int mode);

/* solves.c */
void solve(const fdx_operator *op, int mode);
void solve_case(int mode);

/* sums.c */
void sum_case(int mode);

#endif
