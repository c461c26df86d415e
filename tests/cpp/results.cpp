// Results of fdx.hpp as bytes: each a line of its name and its number of bytes, then these. Errors, memory and arrays
// are checked here.
#include "fdx.hpp"

#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <vector>
#if __has_include(<span>)
#include <span>
#endif
#if __has_include(<mdspan>)
#include <mdspan>
#endif

static long allocations = 0; // not inlined: gcc warns of operators that it sees through

[[gnu::noinline]] void *operator new(std::size_t bytes, const std::nothrow_t &) noexcept
{
    allocations++;
    return std::malloc(bytes > 0 ? bytes : 1);
}
[[gnu::noinline]] void *operator new(std::size_t bytes)
{
    void *memory = operator new(bytes, std::nothrow);
    if (memory == nullptr)
        std::abort();
    return memory;
}
[[gnu::noinline]] void operator delete(void *memory) noexcept
{
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace
{

void check(bool right, const char *what, int line)
{
    if (!right) {
        std::fprintf(stderr, "line %d: wrong: %s\n", line, what);
        std::exit(1);
    }
}
#define CHECK(condition) check(condition, #condition, __LINE__)

// The status of a call, and an object that is made.
#ifdef __cpp_exceptions
template <class Call> fdx_status status_of(const Call &call)
{
    try {
        call();
    } catch (const fdx::error &error) {
        CHECK(std::string(error.what()) == fdx_status_message(error.status));
        CHECK((error.pivot.size > 0) == (error.status == FDX_E_SINGULAR));
        return error.status;
    }
    return FDX_OK;
}
template <class O, class... A> O made(A &&...arguments)
{
    return O(std::forward<A>(arguments)...);
}
#else
template <class Call> fdx_status status_of(const Call &call)
{
    return call();
}
template <class O, class... A> O made(A &&...arguments)
{
    O object;
    CHECK(object.make(std::forward<A>(arguments)...) == FDX_OK);
    return object;
}
#endif
#define STATUS(call) status_of([&] { return call; })
#define RUN(call) CHECK(STATUS(call) == FDX_OK)

enum { N = 12, M = 15, L = 10, SIZE = N * M };

// As the test has it in Python.
template <class T> std::vector<T> numbers(int count = SIZE)
{
    std::vector<T> v;
    for (int i = 0; i < count; i++)
        v.push_back(static_cast<T>(static_cast<float>(i * 7919 % 101)));
    return v;
}

template <class T> void show(const char *name, const std::vector<T> &v)
{
    std::printf("%s %zu\n", name, v.size() * sizeof(T));
    std::fwrite(v.data(), sizeof(T), v.size(), stdout);
}

// What std::mdspan has, for compilers without it.
template <class T, class Reference = T &> struct grid {
    using reference = Reference;
    T *first;
    int lengths[2], steps[2];
    static constexpr std::size_t rank() { return 2; }
    T *const &data_handle() const { return first; }
    int extent(std::size_t d) const { return lengths[d]; }
    int stride(std::size_t d) const { return steps[d]; }
};

// A range of L elements that are not beside each other.
struct column {
    struct iterator {
        using iterator_category = std::bidirectional_iterator_tag;
        using value_type = double;
        using difference_type = std::ptrdiff_t;
        using pointer = double *;
        using reference = double &;
        double *at;
        double &operator*() const { return *at; }
        iterator &operator++() { return at += M, *this; }
        iterator &operator--() { return at -= M, *this; }
    };
    double *first;
    double *data() const { return first; }
    std::size_t size() const { return L; }
    iterator begin() const { return {first}; }
    iterator end() const { return {first + L * M}; }
};

const fdx::diff D = fdx::diff(0, 0.5).accuracy(4), E2 = fdx::diff(1, 0.25).deriv(2).boundary(fdx::periodic);

template <class T, class R> void of_type(const char *name)
{
    const std::vector<T> u = numbers<T>();
    std::vector<R> y(SIZE);
    auto op = made<fdx::compiled>(D + E2, N, M);
    RUN(op(fdx::array(u, N, M), fdx::array(y, N, M)));
    show(name, y);
}

void arrays()
{
    std::vector<double> u = numbers<double>(), y(SIZE), z(SIZE);
    const std::size_t n = N; // lengths of any integer type
    auto op = made<fdx::compiled>(D + E2, n, M);
    const fdx::array whole(u, n, M);
    CHECK(whole.shape[1] == M && whole.stride[0] == M * sizeof(double) && whole.stride[1] == sizeof(double));
    RUN(op(whole, fdx::array(y, n, M)));
    RUN(op(fdx::array(u.data(), n, M), grid<double>{z.data(), {N, M}, {M, 1}}));
    CHECK(y == z);
    auto again = made<fdx::compiled>(D + E2, whole.shape);
    RUN(again(grid<const double>{u.data(), {N, M}, {M, 1}}, fdx::array(z, N, M)));
    CHECK(y == z);
    std::vector<double> columns(SIZE), from_columns(SIZE); // layout_left, and strides in bytes
    for (int i = 0; i < SIZE; i++)
        columns[static_cast<std::size_t>(i % M * N + i / M)] = u[static_cast<std::size_t>(i)];
    RUN(op(grid<double>{columns.data(), {N, M}, {1, N}},
           fdx::array(from_columns.data(), {N, M}, {sizeof(double), N * sizeof(double)})));
    for (int i = 0; i < SIZE; i++)
        CHECK(from_columns[static_cast<std::size_t>(i % M * N + i / M)] == y[static_cast<std::size_t>(i)]);

    // What owns its elements is a variable, as arrays would outlive others; what computes them has no addresses.
    static_assert(std::is_constructible_v<fdx::array<double, 1>, std::vector<double> &>);
    static_assert(!std::is_constructible_v<fdx::array<double, 1>, std::vector<double>>);
    static_assert(!std::is_constructible_v<fdx::array<double, 2>, std::vector<double>, int, int>);
    static_assert(std::is_constructible_v<fdx::array<double, 2>, grid<double>>);
    static_assert(!std::is_constructible_v<fdx::array<double, 3>, grid<double>>);
    static_assert(!std::is_constructible_v<fdx::array<double, 2>, grid<double, double>>);

    auto line = made<fdx::compiled>(D, L); // of one dimension: ranges as they are
    std::array<double, L> a{}, b{};
    double c[L] = {};
    std::copy_n(u.begin(), int{L}, a.begin());
    RUN(line(a, b));
    RUN(line(a, c));
    CHECK(std::equal(b.begin(), b.end(), c));
    CHECK(STATUS(line(column{u.data()}, b)) == FDX_E_SHAPE);
#ifdef __cpp_lib_span
    static_assert(std::is_constructible_v<fdx::array<double, 1>, std::span<double>>);
    double d[L] = {};
    RUN(line(std::span(a), std::span(d)));
    CHECK(std::equal(b.begin(), b.end(), d));
#endif
#ifdef __cpp_lib_mdspan
    const std::mdspan right(z.data(), N, M);
    RUN(op(std::mdspan(std::as_const(u).data(), N, M), right));
    CHECK(y == z);
    const std::mdspan<double, std::dextents<int, 2>, std::layout_left> left(columns.data(), N, M);
    std::fill(z.begin(), z.end(), 0);
    RUN(op(left, right));
    CHECK(y == z);
    const std::layout_stride::mapping every(std::extents(N, M), std::array{1, int{N}});
    std::fill(z.begin(), z.end(), 0);
    RUN(op(std::mdspan(columns.data(), every), right));
    CHECK(y == z);
#endif
}

// Formulas: a line each in the test.
void formulas()
{
    const std::vector<double> u = numbers<double>(), c = numbers<double>(SIZE), v = numbers<double>(N);
    const fdx::array in(u, N, M), coefficient(c, N, M), along_0(v.data(), N, 1);
    const fdx::diff one(0, 0.5);
    const auto one_result = [&](const char *name, const fdx::sum &formula) {
        auto op = made<fdx::compiled>(formula, N, M);
        const ptrdiff_t n = op.get()->out_shape[0], m = op.get()->out_shape[1];
        std::vector<double> y(static_cast<std::size_t>(n * m));
        RUN(op(in, fdx::array(y, n, m)));
        show(name, y);
    };
    one_result("difference", 3 * D - E2);
    one_result("number", D - 0.5);
    one_result("negative", -D);
    one_result("product", one * (2 * E2) * one);
    one_result("coefficient", coefficient * D);
    one_result("repeated", along_0 * D + E2);
    one_result("upwind", fdx::sum(coefficient, 1) * fdx::diff(0, 0.5).accuracy(1).side(-1) +
                             fdx::sum(coefficient, -1) * fdx::diff(0, 0.5).accuracy(1).side(1));
    const fdx::sum flux = one.position(fdx::inner);
    one_result("diffusion", -flux.transposed() * (fdx::array(v.data(), N - 1, 1) * flux));
    one_result("valid", fdx::array(v.data(), N - 4, 1) * D.boundary(fdx::valid));
    one_result("mirrors", D.boundary(fdx::symmetric, fdx::reflect_odd));
    one_result("sbp", D.boundary(fdx::sbp));
    one_result("interpolation", fdx::interp(1, fdx::outer).accuracy(4));
    one_result("stencil", fdx::stencil(0, -1, {0.25, 0.5, 0.25}, {{1}}, {{0.5, 0.5}}));
    one_result("stencil_periodic", fdx::stencil(1, -1, {0.25, 0.5, 0.25}).boundary(fdx::periodic));
    std::vector<double> x(N), between(N - 1);
    for (std::size_t i = 0; i < N; i++)
        x[i] = static_cast<double>(i * (i + 3)) / 8;
    for (std::size_t i = 0; i + 1 < N; i++)
        between[i] = x[i] + (x[i + 1] - x[i]) / 4;
    one_result("coordinates", fdx::diff(0, x).accuracy(4));
    one_result("period", fdx::diff(0, x).boundary(fdx::periodic).period(32));
    one_result("at", fdx::diff(0, x).position(fdx::inner).at(between));

    // Two fields: rows and columns of a matrix of operators, and data of a boundary.
    std::vector<double> w(u.rbegin(), u.rend()), y(SIZE), z(SIZE);
    auto both = made<fdx::compiled>(fdx::sum(D).from(1) + fdx::sum(E2).to(1) + fdx::sum(2).from(1).to(1), N, M);
    RUN(both({in, fdx::array(w, N, M)}, {fdx::array(y, N, M), fdx::array(z, N, M)}));
    show("first", y);
    show("second", z);
    auto again = made<fdx::compiled>(2 * (D * (fdx::sum(0.5).from(1) * 1)) +
                                         (0.25 * fdx::sum(E2).to(1) - -fdx::sum(0.75 * E2).to(1)) +
                                         fdx::sum(2).to(1) * fdx::sum(1).from(1),
                                     N, M);
    std::vector<double> first(SIZE), second(SIZE);
    RUN(again({in, fdx::array(w, N, M)}, {fdx::array(first, N, M), fdx::array(second, N, M)}));
    CHECK(first == y && second == z);
    const fdx::diff given = fdx::diff(0, 0.5).deriv(2).boundary(fdx_condition{1, 0, 1}, fdx::symmetric);
    auto affine = made<fdx::compiled>(given + fdx::sum(given.datum(-1)).from(1), N, M);
    const double wall = 2;
    RUN(affine({in, fdx::array(&wall, {N, M}, {0, 0})}, {fdx::array(y, N, M)}));
    show("affine", y);
}

void calls()
{
    std::vector<double> u = numbers<double>();
    std::vector<double> y(SIZE, 1), whole(SIZE), parts(SIZE);
    const fdx::array in(u, N, M), out(y, N, M);
    auto op = made<fdx::compiled>(D * E2 + D, N, M);
    RUN(op(in, out, {0.5, 2}));
    show("alpha_beta", y);
    std::fill(y.begin(), y.end(), 1);
    RUN(op(in, out, fdx::options(2).box({1, 2}, {5, M})));
    show("box", y);

    RUN(op(in, fdx::array(whole, N, M)));
    fdx::workspace work;
    for (int k = 0; k < 3; k++)
        RUN(op(in, fdx::array(parts, N, M), fdx::options().part(k, 3, work)));
    CHECK(parts == whole);

    fdx::compiled moved = std::move(op);
    CHECK(STATUS(op(in, out)) == FDX_E_NULL); // NOLINT
    RUN(moved(in, out));
    CHECK(y == whole);
    op = std::move(moved);
    RUN(moved.make(D * E2 + D, N, M)); // NOLINT
    RUN(moved(in, out));
    CHECK(y == whole);
    fdx::workspace taken = std::move(work);
    RUN(op(in, out, fdx::options().part(0, 1, work))); // NOLINT
    RUN(op(in, out, fdx::options().part(0, 1, taken)));
    CHECK(y == whole);
    const double nan = std::numeric_limits<double>::quiet_NaN(); // is a number like others, but for a beta of 0
    RUN(op(in, out, {nan, 0}));
    CHECK(std::isnan(y[0]) && std::isnan(y[SIZE - 1]));
    RUN(op(in, out, {1, 0}));
    CHECK(y == whole);
    RUN(op(in, out, {1, nan}));
    CHECK(std::isnan(y[0]) && std::isnan(y[SIZE - 1]));
    const long before = allocations;
    for (int k = 0; k < 3; k++)
        RUN(op(in, out, {1, 1}));
    CHECK(allocations == before);
}

template <class T> void solves(const char *name)
{
    const std::vector<T> u = numbers<T>();
    std::vector<T> x(SIZE, T(1)), y(u);
    const fdx::diff second = fdx::diff(0, 0.5).deriv(2).boundary(fdx::periodic);
    auto implicit = made<fdx::solver>(1 - 0.3 * second, M);
    const fdx::array in(u, N, M);
    const fdx::array out(x, N, M), place(y, N, M);
    RUN(implicit(in, out, 1, {2, 0.5}));
    show(name, x);
    RUN(implicit(in, out, 1));
    RUN(implicit(place, place, 1));
    CHECK(x == y);
    const long before = allocations;
    fdx::workspace work;
    RUN(implicit(in, place, 1));
    CHECK(allocations == before);
    for (int k = 0; k < 2; k++)
        RUN(implicit(in, place, 1, fdx::options().part(k, 2, work)));
    CHECK(x == y);
}

void compact_schemes()
{
    std::vector<double> u = numbers<double>();
    std::vector<double> y(SIZE);
    const fdx::array in(u, N, M), out(y, N, M);
    const auto one = [&](const char *name, const fdx::diff &what) {
        auto derivative = made<fdx::compact>(what, N, M);
        RUN(derivative(in, out));
        show(name, y);
        std::vector<double> scaled(SIZE, 3), expected(SIZE), place(u);
        for (std::size_t i = 0; i < SIZE; i++)
            expected[i] = 0.5 * y[i] + 2.0 * 3;
        const fdx::array sum(scaled, N, M), itself(place, N, M);
        fdx::workspace work;
        for (int k = 0; k < 4; k++)
            RUN(derivative(in, sum, fdx::options(0.5, 2).part(k, 4, work)));
        CHECK(scaled == expected);
        for (int k = 0; k < 20; k++) // some parts have no lines
            RUN(derivative(itself, itself, fdx::options().part(k, 20, work)));
        CHECK(place == y);
        place = u;
        RUN(derivative(itself, itself));
        CHECK(place == y);
        const long before = allocations;
        RUN(derivative(in, out));
        RUN(derivative(itself, itself, {2, 1}));
        CHECK(allocations == before);
    };
    one("compact", fdx::diff(0, 0.5).accuracy(6));
    one("compact_periodic", fdx::diff(1, 0.3).deriv(2).accuracy(10).boundary(fdx::periodic));
    one("compact_mirrors", fdx::diff(1, 0.5).accuracy(4).boundary(fdx::symmetric, fdx::reflect_odd));
    one("compact_mixed", fdx::diff(0, 0.0588).deriv(2).accuracy(8).boundary(fdx::one_sided, fdx::antisymmetric));

    // Columns in place, with gaps; and of one dimension, whose only line is one part's.
    std::vector<double> columns(2 * SIZE), line(u.begin(), u.begin() + N), place(line), slope(N);
    const ptrdiff_t step = sizeof(double);
    const fdx::array wide(columns.data(), {N, M}, {2 * step, 2 * N * step});
    for (std::size_t i = 0; i < SIZE; i++)
        columns[2 * (i % M * N + i / M)] = u[i];
    auto derivative = made<fdx::compact>(fdx::diff(1, 0.5).accuracy(6), N, M);
    RUN(derivative(in, out));
    RUN(derivative(wide, wide));
    for (std::size_t i = 0; i < SIZE; i++)
        CHECK(columns[2 * (i % M * N + i / M)] == y[i]);
    auto alone = made<fdx::compact>(fdx::diff(0, 0.5).accuracy(6), N);
    fdx::workspace work;
    RUN(alone(line, slope));
    for (int k = 0; k < 3; k++)
        RUN(alone(place, place, fdx::options().part(k, 3, work)));
    CHECK(place == slope);

    std::vector<double> longer(N + 1);
    const fdx::array head(longer.data(), N), tail(longer.data() + 1, N);
    CHECK(STATUS(alone(head, tail)) == FDX_E_OVERLAP);
    CHECK(STATUS(alone(head, tail, {1, 1})) == FDX_E_OVERLAP);
    CHECK(STATUS(alone(head, head, fdx::options().box({0}, {1}))) == FDX_E_BOX);
    CHECK(STATUS(alone(head, head, fdx::options().part(3, 3, work))) == FDX_E_PART);
    CHECK(STATUS(alone(in, out)) == FDX_E_SHAPE);
    CHECK(STATUS(alone.make(fdx::diff(0).accuracy(4), 3)) == FDX_E_SINGULAR);
    RUN(alone(line, line)); // still that of before
    CHECK(line == slope);
    std::vector<double> none;
    auto empty = made<fdx::compact>(fdx::diff(0).accuracy(4), N, 0, M);
    const fdx::array nothing(none, N, 0, M);
    for (int k = 0; k < 3; k++)
        RUN(empty(nothing, nothing, fdx::options(2).part(k, 3, work)));

    fdx::compact unmade;
    CHECK(STATUS(unmade(in, out)) == FDX_E_NULL);
    CHECK(STATUS(unmade.make(fdx::diff(0).accuracy(4), 2, 3)) != FDX_OK);
    CHECK(STATUS(unmade.make(fdx::diff(2).accuracy(4), N, M)) == FDX_E_AXIS);
    CHECK(STATUS(unmade.make(fdx::diff(0).accuracy(3), N, M)) == FDX_E_STENCIL);
    CHECK(STATUS(unmade.make(fdx::diff(0).accuracy(4).boundary(fdx::valid), N, M)) == FDX_E_STENCIL);
    CHECK(STATUS(unmade.make(fdx::diff(0).accuracy(4).position(fdx::inner), N, M)) == FDX_E_STENCIL);
    CHECK(STATUS(unmade.make(fdx::diff(0).accuracy(4).at({1}), N, M)) == FDX_E_STENCIL);
}

void gradients()
{
    std::vector<double> u = numbers<double>();
    std::vector<double> f(SIZE), g(SIZE), x(M);
    for (std::size_t j = 0; j < M; j++)
        x[j] = static_cast<double>(j * (j + 3)) / 8;
    const fdx::array in(u, N, M), along_0(f, N, M), along_1(g, N, M);
    RUN(fdx::gradient(in, {fdx::along(0, along_0, 0.3), fdx::along(1, along_1, fdx::array(x))}, 2));
    show("gradient_0", f);
    show("gradient_1", g);
    std::vector<float> single = numbers<float>(), h(SIZE, 1);
    RUN(fdx::gradient(fdx::array(single, N, M), {fdx::along(1, fdx::array(h, N, M), 0.3)}, 1,
                      fdx::options(2, 1).box({0, 0}, {N, 4})));
    show("gradient_single", h);
    CHECK(STATUS(fdx::gradient(in, {fdx::along(0, fdx::array(f, M, N), 1)})) == FDX_E_SHAPE);
    CHECK(STATUS(fdx::gradient(in, {fdx::along(2, along_0, 1)})) == FDX_E_AXIS);
    CHECK(STATUS(fdx::gradient(in, {fdx::along(0, along_0, fdx::array(x))})) != FDX_OK);
    std::vector<double> none;
    CHECK(STATUS(fdx::gradient(in, {fdx::along(0, along_0, fdx::array(none))})) != FDX_OK);
    CHECK(STATUS(fdx::gradient(in, {fdx::along(0, along_0, 1)}, 3)) == FDX_E_EDGE);
    CHECK(STATUS(fdx::gradient(in, {fdx::along(0, along_0, 1)}, 1, fdx::options().box({0}, {1}))) == FDX_E_BOX);
}

void refusals()
{
    std::vector<double> u = numbers<double>(), y(SIZE, 5);
    const fdx::array in(u, N, M), out(y, N, M);
    fdx::compiled op;
    CHECK(STATUS(op(in, out)) == FDX_E_NULL);
    CHECK(STATUS(op.make(1)) == FDX_E_NDIM);
    CHECK(STATUS(op.make(D, 3, M)) == FDX_E_SIZE);
    CHECK(STATUS(op.make(fdx::diff(2), N, M)) == FDX_E_AXIS);
    CHECK(STATUS(op.make(fdx::diff(-1), N, M)) == FDX_E_AXIS);
    CHECK(STATUS(op.make(fdx::diff(0, 0.0), N, M)) == FDX_E_NODES);
    CHECK(STATUS(op.make(D.accuracy(3), N, M)) == FDX_E_STENCIL);
    CHECK(STATUS(op.make(fdx::array(u, M, N) * D, N, M)) == FDX_E_SHAPE);
    CHECK(STATUS(op.make(fdx::array(u) * D, N, M)) == FDX_E_NDIM);
    CHECK(STATUS(op.make(fdx::array(u, N, M) * D.boundary(fdx::valid), N, M)) == FDX_E_SHAPE);
    CHECK(STATUS(op.make(fdx::diff(0, fdx::row(N - 1, 1.0)), N, M)) != FDX_OK);
    const fdx::row x = {0, 1, 3, 4};
    CHECK(STATUS(op.make(fdx::diff(0, x).position(fdx::inner).at({0.5, 2}), 4)) == FDX_E_SIZE);
    CHECK(STATUS(op.make(fdx::diff(0, x).position(fdx::inner).at({}), 4)) == FDX_E_SIZE);
    CHECK(STATUS(op.make(fdx::diff(0, fdx::row()), 4)) == FDX_E_SIZE);
    CHECK(STATUS(op.make(fdx::sum(D).to(1), N, M)) == FDX_E_COUNT);
    CHECK(STATUS(op.make(fdx::sum(D).from(1) * fdx::sum(D).from(2), N, M)) == FDX_E_COUNT);
    CHECK(STATUS(op.make(fdx::interp(0, fdx::outer), PTRDIFF_MAX)) == FDX_E_SIZE);
    RUN(op.make(D, N, M));
    CHECK(STATUS(op(in, fdx::array(y, M, N))) == FDX_E_SHAPE);
    CHECK(STATUS(op(fdx::array(u), out)) == FDX_E_SHAPE);
    CHECK(STATUS(op(fdx::array(u, N, M - 1), out)) == FDX_E_SHAPE); // not all of the range
    CHECK(STATUS(op(fdx::array(u.data(), 3, PTRDIFF_MAX), out)) == FDX_E_SHAPE);
    CHECK(STATUS(op({in, in}, {out})) == FDX_E_COUNT);
    CHECK(STATUS(op({in}, {out, out})) == FDX_E_COUNT);
    CHECK(STATUS(op(in, fdx::array(u, N, M))) == FDX_E_OVERLAP);
    CHECK(STATUS(op(in, out, fdx::options().box({0}, {1}))) == FDX_E_BOX);
    CHECK(STATUS(op(in, out, fdx::options().box({0, 0}, {N, M + 1}))) == FDX_E_BOX);
    std::vector<float> single(SIZE);
    CHECK(STATUS(op(in, fdx::array(single, N, M))) == FDX_E_DTYPE);
    CHECK(y == std::vector<double>(SIZE, 5));

    fdx::solver solve;
    CHECK(STATUS(solve(in, out)) == FDX_E_NULL);
    fdx_pivot failed{};
    CHECK(STATUS(solve.make(fdx::diff(0).deriv(2).boundary(fdx::periodic), N, &failed)) == FDX_E_SINGULAR);
    CHECK(failed.size > 0);
    CHECK(STATUS(solve.make(fdx::diff(0).position(fdx::inner), N)) == FDX_E_SIZE);
    CHECK(failed.condition > 1e14);
    RUN(solve.make(1 - fdx::diff(0).deriv(2), N));
    CHECK(STATUS(solve.make(fdx::diff(0).deriv(2).boundary(fdx::periodic), M)) == FDX_E_SINGULAR);
    RUN(solve(in, out)); // still that of before
    std::fill(y.begin(), y.end(), 5);
    CHECK(STATUS(solve(in, out, 1)) == FDX_E_SHAPE);
    CHECK(STATUS(solve(in, out, 2)) == FDX_E_AXIS);
    CHECK(STATUS(solve(in, out, 0, fdx::options().box({0, 0}, {1, 1}))) == FDX_E_BOX);

    std::vector<double> none;
    RUN(op.make(E2, 0, M));
    RUN(op(fdx::array(none, 0, M), fdx::array(none, 0, M)));
}

} // namespace

int main()
{
    of_type<float, float>("float");
    of_type<double, double>("double");
    of_type<std::complex<float>, std::complex<float>>("complex_float");
    of_type<std::complex<double>, std::complex<double>>("complex_double");
    of_type<std::int8_t, double>("int8");
    of_type<std::uint16_t, double>("uint16");
    of_type<int, double>("int");
    of_type<unsigned long, double>("unsigned_long");
    of_type<long long, double>("long_long");
    arrays();
    formulas();
    calls();
    solves<double>("solve");
    solves<std::complex<float>>("solve_complex");
    compact_schemes();
    gradients();
    refusals();
    return 0;
}
