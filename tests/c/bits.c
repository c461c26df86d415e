/* Hashes of results, and the exceptions raised, a line for each kind of call and instruction set: these must not depend
 * on the compiler or its flags. `bits MODE`: of weights only, computed with MXCSR (rounding, subnormal numbers, traps)
 * set to MODE. */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "fdx.h"

enum { MOST = 4096 };
static const int EXCEPTIONS[] = {FE_INVALID, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW};
static uint64_t state, hash;
static int raised[4];
static unsigned mode = 0x1f80;

static void set_mode(unsigned to)
{
#ifdef __SSE2__
    if (_mm_getcsr() != to)
        _mm_setcsr(to);
#else
    (void)to;
#endif
}
static union {
    double f64[MOST];
    float f32[MOST];
    int32_t i32[MOST];
} in, out;

static double uniform(void) /* 0.5 .. 1.5 */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return 0.5 + (double)(state >> 11) / 9007199254740992.0;
}

/* Ignores the sign and payload of a NaN. */
static void add(const void *data, size_t itemsize, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        uint32_t half;
        if (itemsize == sizeof half) {
            memcpy(&half, (const char *)data + i * itemsize, itemsize);
            bits = (half & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : half;
        } else {
            memcpy(&bits, (const char *)data + i * itemsize, itemsize);
            if ((bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u)
                bits = 0x7ff8000000000000u;
        }
        for (int byte = 0; byte < 8; byte++)
            hash = (hash ^ (bits >> 8 * byte & 255)) * 1099511628211u; /* FNV-1a */
    }
}

static void add_doubles(const double *v, size_t n)
{
    add(v, sizeof *v, n);
}

static void begin(void)
{
    state = 1;
    hash = 14695981039346656037u;
    memset(raised, 0, sizeof raised);
}

static void check(fdx_status status)
{
    if (status != FDX_OK) {
        printf("%s\n", fdx_status_message(status));
        exit(1);
    }
}

/* Preparing a call may raise exceptions; computing it raises those of its formula. */
static void compute_gradient(const fdx_gradient *call)
{
    feclearexcept(FE_ALL_EXCEPT);
    check(fdx_gradient_apply(call));
    for (int k = 0; k < 4; k++)
        raised[k] |= fetestexcept(EXCEPTIONS[k]) != 0;
}

static void end(const fdx_isa *isa, const char *what, int dtype, int set)
{
    printf("%s %s %d %d: %016llx", fdx_isa_name(isa), what, dtype, set, (unsigned long long)hash);
    for (int k = 0; k < 4; k++)
        printf(" %d", raised[k]);
    printf("\n");
}

static ptrdiff_t numbers_of(int dtype) /* in an element */
{
    return dtype == FDX_C64 || dtype == FDX_C128 ? 2 : 1;
}

/* Ordinary numbers, then also zeros of both signs, then near the ends of the range, at last also infinities and NaN. */
static void fill(int dtype, int set)
{
    static const double rare[] = {0.0, -0.0, 1e-308, -3e-308, 5e-324, 1e-39, -2e-45, 1e308, -1.7e308, 3e38};
    const double special[] = {(double)INFINITY, (double)-INFINITY, (double)NAN};
    for (int i = 0; i < MOST; i++) {
        double v = uniform() - (i % 3 == 0);
        if (set > 0 && i % 5 == 0)
            v = rare[i / 5 % (set == 1 ? 2 : 10)];
        if (set == 3 && i % 113 == 0)
            v = special[i / 113 % 3];
        if (dtype == FDX_I32)
            in.i32[i] = (int32_t)(1e6 * uniform());
        else if (dtype == FDX_F32 || dtype == FDX_C64)
            in.f32[i] = (float)(fabs(v) > 3e38 && isfinite(v) ? copysign(3e38, v) : v);
        else
            in.f64[i] = v;
    }
}

static void add_results(int dtype)
{
    const int single = dtype == FDX_F32 || dtype == FDX_C64;
    add(&out, single ? sizeof(float) : sizeof(double), MOST);
    memset(&out, 0, sizeof out);
}

static void gradients(const fdx_isa *isa, int dtype, int set)
{
    static const double spacing[] = {0.137, -0.137, 0.25, -2, 3, -1e-300, 1e300};
    const ptrdiff_t numbers = numbers_of(dtype), itemsize = fdx_itemsize(dtype);
    const ptrdiff_t results = fdx_itemsize(fdx_result_dtype(dtype)), apart[1] = {sizeof(double)};
    double x[64];
    begin();
    fill(dtype, set);
    x[0] = 0;
    for (int i = 1; i < 64; i++)
        x[i] = x[i - 1] + uniform();
    const fdx_array coordinates = {x, apart, FDX_F64, 0};
    for (int layout = 0; layout < 3; layout++) { /* a line, an array of 64 columns, and its other axis */
        const ptrdiff_t columns = layout == 0 ? MOST / numbers : 64, rows = MOST / numbers / columns;
        const ptrdiff_t shape[2] = {rows, columns}, stride[2] = {columns * itemsize, itemsize};
        const ptrdiff_t out_stride[2] = {columns * results, results};
        for (int k = 0; k < 9; k++)
            for (int edge_order = 1; edge_order <= 2; edge_order++) {
                fdx_gradient_axis along;
                memset(&along, 0, sizeof along);
                along.axis = layout != 2;
                if (k < 7)
                    check(fdx_gradient_uniform(&along, dtype, spacing[k], (fdx_precision)(k % 3), edge_order));
                else if (shape[along.axis] <= 64)
                    check(fdx_gradient_coords(&along, dtype, &coordinates, shape[along.axis], edge_order, isa));
                else
                    continue;
                along.out = (fdx_array){&out, out_stride, (uint8_t)fdx_result_dtype(dtype), 0};
                fdx_gradient call;
                memset(&call, 0, sizeof call);
                call.ndim = 2;
                call.shape = shape;
                call.in = (fdx_array){&in, stride, (uint8_t)dtype, 0};
                call.naxes = 1;
                call.axes = &along;
                call.isa = isa;
                compute_gradient(&call);
                add_results(fdx_result_dtype(dtype));
            }
    }
    end(isa, "gradients", dtype, set);
}

static void operators(const fdx_isa *isa, int dtype, int set)
{
    enum { N = 64 };
    static union {
        double aligned;
        char bytes[1 << 20];
    } memory, workspace;
    const ptrdiff_t itemsize = fdx_itemsize(dtype), shape[2] = {MOST / numbers_of(dtype) / N, N},
                    stride[2] = {N * itemsize, itemsize};
    double x[N];
    begin();
    fill(dtype, set);
    x[0] = 0;
    for (int i = 1; i < N; i++)
        x[i] = x[i - 1] + uniform();
    for (int k = 0; k < 32; k++) {
        fdx_factor along[2];
        memset(along, 0, sizeof along);
        for (int d = 0; d < 2; d++) {
            fdx_derivative *what = &along[d].what;
            along[d].axis = d;
            what->deriv = 1 + k % 2;
            what->accuracy = 2 + 2 * (k / 2 % 4);
            what->left = what->right = k / 8 % 2 ? FDX_SYMMETRIC_ODD : FDX_ONE_SIDED;
            what->scale = d == 0 ? 1 : -0.7;
            what->spacing = 0.137;
            what->x = k >= 16 && d == 0 ? x : NULL;
            what->n = shape[d];
        }
        const fdx_term chains[2] = {{0, 0, 1, &along[0], NULL}, {0, 0, 1, &along[1], NULL}};
        const fdx_sum sum = {2, shape, 2, chains, isa, 0};
        const fdx_operator *op;
        if (fdx_operator_size(&sum) > sizeof memory)
            exit(1);
        check(fdx_operator_make(&memory, &sum, &op));
        const fdx_array from = {&in, stride, (uint8_t)dtype, 0}, to = {&out, stride, (uint8_t)dtype, 0};
        fdx_call call;
        memset(&call, 0, sizeof call);
        call.op = op;
        call.in = &from;
        call.out = &to;
        check(fdx_apply(&call, &workspace, sizeof workspace));
        add_results(dtype);
    }
    end(isa, "operators", dtype, set);
}

static void add_rows(const fdx_stencil *r, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < (r->row_step != 0 ? rows : 1); i++)
        for (int k = 0; k < r->count; k++)
            add_doubles(&r->w[k * r->weight_step + i * r->row_step], 1);
}

static void add_band(const fdx_band *band)
{
    for (ptrdiff_t i = 0; i < band->nfirst; i++)
        add_rows(&band->first[i], 1);
    for (ptrdiff_t i = 0; i < band->nlast; i++)
        add_rows(&band->last[i], 1);
    add_rows(&band->interior, band->rows - band->nfirst - band->nlast);
    hash = (hash ^ (uint64_t)band->interior.summation) * 1099511628211u;
}

static void add_weights(const double *x, int n, double at, int deriv)
{
    double w[16], rest[16];
    set_mode(mode);
    const fdx_status status = fdx_weights(w, rest, x, n, at, deriv);
    set_mode(0x1f80);
    hash = (hash ^ (uint64_t)status) * 1099511628211u;
    if (status != FDX_OK)
        return;
    add_doubles(w, (size_t)n);
    add_doubles(rest, (size_t)n);
}

/* Bands, their products with the same band, and weights with `rest`. */
static void weights(const fdx_isa *isa)
{
    enum { N = 200, ROOM = 1 << 14 };
    static double memory[ROOM], memory_of_term[ROOM], memory_of_first[ROOM];
    double x[N];
    const ptrdiff_t shape[1] = {N};
    const fdx_factor tiny = {.what = {N, 0, 0, 0, 0, 1e-310, 0, NULL, 0, NULL}};
    const fdx_term times_tiny = {0, 0, 1, &tiny, NULL};
    const fdx_sum sum = {1, shape, 1, &times_tiny, isa, 0};
    const fdx_operator *op;
    const fdx_band *band, *term, *first;
    const fdx_derivative plain = {
        .n = N, .deriv = 1, .accuracy = 2, .left = FDX_ONE_SIDED, .right = FDX_ONE_SIDED, .scale = 1, .spacing = 0.1};
    begin();
    check(fdx_band_derivative(memory_of_first, &plain, &first));
    for (int k = 0; k < 48; k++) {
        x[0] = k % 3 == 0 ? 0 : -1e-3;
        for (int i = 1; i < N; i++)
            x[i] = x[i - 1] + (k % 3 == 2 ? 1e-150 : 1) * uniform();
        fdx_derivative what;
        memset(&what, 0, sizeof what);
        what.n = N;
        what.deriv = 1 + k % 4;
        what.accuracy = 2 + k % 8 / 2 * 2;
        what.left = k % 5 == 0 ? FDX_REFLECT : FDX_ONE_SIDED;
        what.right = k % 7 == 0 ? FDX_SYMMETRIC_ODD : FDX_ONE_SIDED;
        what.scale = k % 11 == 10 ? 1e-310 : k % 2 == 0 ? 1 : -0.3;
        what.spacing = 0.1;
        what.x = k < 32 ? x : NULL;
        what.isa = isa;
        if (fdx_band_derivative_size(&what) > sizeof memory)
            exit(1);
        set_mode(mode);
        const fdx_status status = fdx_band_derivative(memory, &what, &band);
        set_mode(0x1f80);
        hash = (hash ^ (uint64_t)status) * 1099511628211u;
        if (status == FDX_OK) {
            add_band(band);
            if (fdx_band_product_size(band, first) > sizeof memory_of_term)
                exit(1);
            set_mode(mode);
            const fdx_status multiplied = fdx_band_product(memory_of_term, band, first, 0.7, &term);
            set_mode(0x1f80);
            check(multiplied);
            add_band(term);
        }
        for (int deriv = 0; deriv < 5; deriv++)
            add_weights(x, 8 + k % 8, uniform(), deriv);
    }
    if (fdx_operator_size(&sum) > sizeof memory)
        exit(1);
    set_mode(mode);
    const fdx_status made = fdx_operator_make(memory, &sum, &op);
    set_mode(0x1f80);
    check(made);
    for (int i = 0; i < 16; i++)
        x[i] = (i * i - 40) * 1e-310;
    for (int n = 2; n <= 16; n++)
        add_weights(x, n, 5e-310, 0);
    end(isa, "weights", 0, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        mode = (unsigned)strtoul(argv[1], NULL, 16);
    static const int dtypes[] = {FDX_F64, FDX_F32, FDX_C128, FDX_C64, FDX_I32};
    for (const char *const *name = fdx_isa_names(); *name != NULL; name++) {
        const fdx_isa *isa = fdx_isa_find(*name);
        if (isa == NULL)
            continue;
        for (int d = 0; d < 5 && argc == 1; d++)
            for (int set = 0; set < (dtypes[d] == FDX_I32 ? 1 : 4); set++) {
                gradients(isa, dtypes[d], set);
                if (dtypes[d] != FDX_I32)
                    operators(isa, dtypes[d], set);
            }
        weights(isa);
    }
    return 0;
}
