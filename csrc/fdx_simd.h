/* The only intrinsics. Included by fdx_isa.inc, for its instruction set. */

/* ---- non-temporal stores ---- */

/* FDX_STREAM(to, v): store a register without reading or keeping the cache line; `to` is aligned to its width. */
#if defined(FDX_AVX512)
#define FDX_STREAM_WIDTH 64
#define FDX_STREAM(to, v) _mm512_stream_si512((__m512i *)(void *)(to), (__m512i)(v))
#elif defined(FDX_AVX2)
#define FDX_STREAM_WIDTH 32
#define FDX_STREAM(to, v) _mm256_stream_si256((__m256i *)(void *)(to), (__m256i)(v))
#elif defined(__SSE2__) && defined(FDX_GNU_C)
#define FDX_STREAM_WIDTH 16
#define FDX_STREAM(to, v) _mm_stream_si128((__m128i *)(void *)(to), (__m128i)(v))
#endif

/* Copy by non-temporal stores; see fdx_stream_out_fn. Without the prefetch, reading and writing memory alternate, which
 * takes a quarter longer. */
static void stream_out(void *dst_, const void *src_, ptrdiff_t bytes, const void *next_)
{
    char *dst = (char *)dst_;
    const char *src = (const char *)src_, *next = (const char *)next_;
#ifdef FDX_STREAM
    typedef char unaligned __attribute__((vector_size(FDX_STREAM_WIDTH), aligned(1), may_alias));
    if (bytes == 0) {
        _mm_sfence();
        return;
    }
    const ptrdiff_t unaligned_bytes = (ptrdiff_t)(-(uintptr_t)dst % FDX_STREAM_WIDTH),
                    head = bytes < unaligned_bytes ? bytes : unaligned_bytes;
    memcpy(dst, src, (size_t)head);
    dst += head, src += head, bytes -= head;
    for (; bytes >= FDX_STREAM_WIDTH;
         dst += FDX_STREAM_WIDTH, src += FDX_STREAM_WIDTH, next += FDX_STREAM_WIDTH, bytes -= FDX_STREAM_WIDTH) {
        FDX_PREFETCH(next);
        FDX_STREAM(dst, *(const unaligned *)src);
    }
#else
    (void)next;
#endif
    if (bytes > 0)
        memcpy(dst, src, (size_t)bytes);
}

/* ---- transposition ---- */

/* Four elements of four rows to as many of four columns: y = x, or y + x. */
#if defined(FDX_AVX512) || defined(FDX_AVX2)
static inline void put_four_f64(char *to, __m256d v, int adds)
{
    double *y = (double *)(void *)to;
    _mm256_storeu_pd(y, adds ? _mm256_add_pd(_mm256_loadu_pd(y), v) : v);
}

static inline void transpose_four_f64(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row, int adds)
{
    const __m256d a = _mm256_loadu_pd((const double *)(const void *)from),
                  b = _mm256_loadu_pd((const double *)(const void *)(from + from_row)),
                  c = _mm256_loadu_pd((const double *)(const void *)(from + 2 * from_row)),
                  d = _mm256_loadu_pd((const double *)(const void *)(from + 3 * from_row));
    const __m256d ab = _mm256_unpacklo_pd(a, b), cd = _mm256_unpacklo_pd(c, d), /* elements 0 and 2 */
        ab_odd = _mm256_unpackhi_pd(a, b), cd_odd = _mm256_unpackhi_pd(c, d);
    put_four_f64(to, _mm256_permute2f128_pd(ab, cd, 0x20), adds);
    put_four_f64(to + to_row, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x20), adds);
    put_four_f64(to + 2 * to_row, _mm256_permute2f128_pd(ab, cd, 0x31), adds);
    put_four_f64(to + 3 * to_row, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x31), adds);
}

static inline void put_four_f32(char *to, __m128 v, int adds)
{
    float *y = (float *)(void *)to;
    _mm_storeu_ps(y, adds ? _mm_add_ps(_mm_loadu_ps(y), v) : v);
}

static inline void transpose_four_f32(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row, int adds)
{
    __m128 a = _mm_loadu_ps((const float *)(const void *)from),
           b = _mm_loadu_ps((const float *)(const void *)(from + from_row)),
           c = _mm_loadu_ps((const float *)(const void *)(from + 2 * from_row)),
           d = _mm_loadu_ps((const float *)(const void *)(from + 3 * from_row));
    _MM_TRANSPOSE4_PS(a, b, c, d);
    put_four_f32(to, a, adds);
    put_four_f32(to + to_row, b, adds);
    put_four_f32(to + 2 * to_row, c, adds);
    put_four_f32(to + 3 * to_row, d, adds);
}
#endif

/* ---- quotients ---- */

/* The loops `scale` and `correct` of fdx_quotients.inc for n >= FDX_VECTOR_LEAST elements of one precision, with four
 * things that compilers omit. Stores are aligned. With 64-byte registers, neighbours two elements apart are obtained by
 * shifting: each element is loaded once, and no load straddles cache lines (a quarter off the time in the L2 cache;
 * with 32-byte registers it gains nothing). Data is prefetched: a processor does that by itself, but stops at the end
 * of each page (a tenth off the time in memory). And loops are unrolled, as they are limited by the decoding of
 * instructions (a tenth off the time in the L1 and L2 caches). */
#if defined(FDX_AVX512) || defined(FDX_AVX2)
#define FDX_VECTOR(name) vector_##name
#define FDX_VECTOR_LEAST 64
#define FDX_UNROLL _Pragma("GCC unroll 4")

#if defined(FDX_AVX512)
#define V_f64 __m512d
#define V_f32 __m512
#define OP_f64(op) _mm512_##op##_pd
#define OP_f32(op) _mm512_##op##_ps
#define SHIFT_f64(low, high, n)                                                                                        \
    _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(high), _mm512_castpd_si512(low), n))
#define SHIFT_f32(low, high, n)                                                                                        \
    _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(high), _mm512_castps_si512(low), n))
#define SOME_f64(to, mask, v) _mm512_mask_storeu_pd(to, (__mmask8)(mask), v)
#define SOME_f32(to, mask, v) _mm512_mask_storeu_ps(to, (__mmask16)(mask), v)
enum { VECTOR = 64, SHIFTS = 1, MASKS = 1 };
#else
#define V_f64 __m256d
#define V_f32 __m256
#define OP_f64(op) _mm256_##op##_pd
#define OP_f32(op) _mm256_##op##_ps
#define SOME_f64(to, mask, v) (void)(mask)
#define SOME_f32(to, mask, v) (void)(mask)
#ifdef FDX_EMULATE_SHIFTS /* tests, on processors without AVX-512: its loops with these registers */
#define EMULATED_SHIFT(name, T)                                                                                        \
    static inline V_##name shift_##name(V_##name low, V_##name high, int n)                                            \
    {                                                                                                                  \
        T both[2 * 32 / sizeof(T)];                                                                                    \
        OP_##name(storeu)(both, low);                                                                                  \
        OP_##name(storeu)(both + 32 / sizeof(T), high);                                                                \
        return OP_##name(loadu)(both + n);                                                                             \
    }
EMULATED_SHIFT(f64, double)
EMULATED_SHIFT(f32, float)
#undef EMULATED_SHIFT
#define SHIFT_f64(low, high, n) shift_f64(low, high, n)
#define SHIFT_f32(low, high, n) shift_f32(low, high, n)
enum { VECTOR = 32, SHIFTS = 1, MASKS = 0 };
#else
#define SHIFT_f64(low, high, n) ((void)(low), high) /* not used */
#define SHIFT_f32(low, high, n) ((void)(low), high)
enum { VECTOR = 32, SHIFTS = 0, MASKS = 0 };
#endif
#endif

#define VECTOR_LOOP(name, T)                                                                                           \
    static inline void put_##name(T *y, V_##name v, int stream)                                                        \
    {                                                                                                                  \
        if (stream)                                                                                                    \
            OP_##name(stream)(y, v);                                                                                   \
        else                                                                                                           \
            OP_##name(store)(y, v);                                                                                    \
    }                                                                                                                  \
    static inline V_##name divided_##name(V_##name a, const V_##name c[5], int division)                               \
    {                                                                                                                  \
        if (division == FDX_SCALE)                                                                                     \
            return OP_##name(mul)(a, c[0]);                                                                            \
        a = OP_##name(xor)(a, c[4]);                                                                                   \
        const V_##name q = OP_##name(fmadd)(a, c[2], OP_##name(mul)(a, c[3]));                                         \
        return OP_##name(fnmadd)(OP_##name(fmsub)(q, c[1], a), c[0], q);                                               \
    }                                                                                                                  \
    static inline void put_all_##name(T *y, const T *lo, const T *hi, ptrdiff_t n, const fdx_divisor *d, int division, \
                                      int stream)                                                                      \
    {                                                                                                                  \
        enum { LANES = VECTOR / sizeof(T) };                                                                           \
        const V_##name c[5] = {OP_##name(set1)((T)(division == FDX_SCALE && d->h < 0 ? -d->inverse : d->inverse)),     \
                               OP_##name(set1)((T)d->size), OP_##name(set1)((T)d->down), OP_##name(set1)((T)d->rest),  \
                               OP_##name(set1)((T)fdx_signed(0, d->h))};                                               \
        const char *prefetch = (const char *)hi + d->prefetch;                                                         \
        V_##name a;                                                                                                    \
        ptrdiff_t i = (ptrdiff_t)(-(uintptr_t)y / sizeof(T) % LANES);                                                  \
        if (i > 0) { /* not else: ordinary and non-temporal stores to one cache line are slow */                       \
            a = OP_##name(sub)(OP_##name(loadu)(hi), OP_##name(loadu)(lo));                                            \
            OP_##name(storeu)(y, divided_##name(a, c, division));                                                      \
        }                                                                                                              \
        if (SHIFTS && hi == lo + 2) {                                                                                  \
            V_##name before = OP_##name(set1)(lo[i]), here = OP_##name(loadu)(lo + i + 1);                             \
            FDX_UNROLL                                                                                                 \
            for (; i + 2 * LANES <= n + 1; i += LANES) {                                                               \
                const V_##name after = OP_##name(loadu)(lo + i + 1 + LANES);                                           \
                _mm_prefetch(prefetch + i * (ptrdiff_t)sizeof(T), _MM_HINT_T0);                                        \
                a = OP_##name(sub)(SHIFT_##name(here, after, 1), SHIFT_##name(before, here, LANES - 1));               \
                put_##name(y + i, divided_##name(a, c, division), stream);                                             \
                before = here;                                                                                         \
                here = after;                                                                                          \
            }                                                                                                          \
        } else {                                                                                                       \
            FDX_UNROLL                                                                                                 \
            for (; i + LANES <= n; i += LANES) {                                                                       \
                _mm_prefetch(prefetch + i * (ptrdiff_t)sizeof(T), _MM_HINT_T0);                                        \
                a = OP_##name(sub)(OP_##name(loadu)(hi + i), OP_##name(loadu)(lo + i));                                \
                put_##name(y + i, divided_##name(a, c, division), stream);                                             \
            }                                                                                                          \
        }                                                                                                              \
        while (i < n) {                                                                                                \
            i = i < n - LANES ? i : n - LANES; /* some elements twice, if need be */                                   \
            a = OP_##name(sub)(OP_##name(loadu)(hi + i), OP_##name(loadu)(lo + i));                                    \
            OP_##name(storeu)(y + i, divided_##name(a, c, division));                                                  \
            i += LANES;                                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static inline void vector_##name(T *y, const T *lo, const T *hi, ptrdiff_t n, const fdx_divisor *d, int division)  \
    {                                                                                                                  \
        if (d->stream)                                                                                                 \
            put_all_##name(y, lo, hi, n, d, division, 1);                                                              \
        else                                                                                                           \
            put_all_##name(y, lo, hi, n, d, division, 0);                                                              \
    }

VECTOR_LOOP(f64, double)
VECTOR_LOOP(f32, float)
#undef VECTOR_LOOP
#endif
