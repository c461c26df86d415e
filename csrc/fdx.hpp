// fdx for C++17: fdx.h with array views, operators written as formulas, and objects that own their memory. Header only;
// compile the .c files as C. The contract is that of fdx.h.
//
//     const fdx::diff d2 = fdx::diff(0, h).deriv(2).accuracy(4), e2 = fdx::diff(1, h).deriv(2).boundary(fdx::periodic);
//     fdx::compiled laplacian(d2 + e2, n, m);
//     laplacian(fdx::array(u, n, m), fdx::array(y, n, m));          // y = the Laplacian of u
//     laplacian(fdx::array(u, n, m), fdx::array(y, n, m), {dt, 1}); // y += dt times it
//
// Arrays
// - fdx::array is a view: a pointer, a shape, and strides in bytes. Its dtype is that of its elements, at compile time.
// - It is made from a pointer or a contiguous range (std::vector, std::array, std::span, double[n]) and lengths, in C
//   order; from a pointer, a shape and strides; or from an mdspan of a layout that has strides. Ranges, as arrays of
//   one dimension, and mdspans may be given as they are where one array is expected. What owns its elements has to be a
//   variable.
//
// Formulas
// - They are values: derivatives (diff), interpolations (interp), stencils of your own (stencil), numbers (times the
//   identity), arrays (which multiply point by point), their sums, differences and products. A product applies its last
//   factor first.
// - Arrays that multiply repeat lengths of 1. Keep their data while compiled operators use it; all else is copied.
//
// Objects
// - compiled, solver and compact own the memory that fdx.h asks for, and a workspace that grows to what the largest
//   call has needed: later calls allocate nothing. They can be moved, not copied.
// - Threads may call one compiled, solver or compact at the same time if each gives a workspace of its own:
//   options().part(k, n, work).
//
// Errors
// - An fdx::error has the status, which is FDX_E_SHAPE also if arrays do not have the operator's shape; and for
//   FDX_E_SINGULAR the pivot.
// - Without exceptions (-fno-exceptions), functions return the status, and objects are filled by make() only.
#ifndef FDX_HPP
#define FDX_HPP

#include "fdx.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

// Files that are compiled with another FDX_NAMESPACE, or without exceptions, have functions of their own.
namespace fdx
{
#ifdef FDX_NAMESPACE
inline namespace FDX_NAMESPACE
{
#endif
#ifdef __cpp_exceptions
#define FDX_RESULT void
inline namespace throwing
{

struct error : std::runtime_error {
    explicit error(fdx_status why, const fdx_pivot &least = {})
        : std::runtime_error(fdx_status_message(why)), status(why), pivot(least)
    {
    }
    fdx_status status;
    fdx_pivot pivot; // of FDX_E_SINGULAR
};

inline void result(fdx_status status, const fdx_pivot &failed = {})
{
    if (status != FDX_OK)
        throw error(status, failed);
}
#else
#define FDX_RESULT [[nodiscard]] fdx_status
inline namespace returning
{

inline fdx_status result(fdx_status status, const fdx_pivot & = {}) noexcept
{
    return status;
}
#endif

// ---- arrays ----

template <class T> constexpr fdx_dtype dtype_of() noexcept
{
    using E = std::remove_cv_t<T>;
    constexpr bool is_integer = std::is_integral_v<E> && !std::is_same_v<E, bool> && sizeof(E) <= 8;
    if constexpr (std::is_same_v<E, float>)
        return FDX_F32;
    else if constexpr (std::is_same_v<E, double>)
        return FDX_F64;
    else if constexpr (std::is_same_v<E, std::complex<float>>)
        return FDX_C64;
    else if constexpr (std::is_same_v<E, std::complex<double>>)
        return FDX_C128;
    else {
        static_assert(is_integer, "fdx computes with integers, float, double, and std::complex of both");
        constexpr int size = sizeof(E) == 1 ? 0 : sizeof(E) == 2 ? 1 : sizeof(E) == 4 ? 2 : 3;
        return static_cast<fdx_dtype>(FDX_I8 + 2 * size + std::is_unsigned_v<E>);
    }
}

namespace detail
{
template <class R> using element = std::remove_pointer_t<decltype(std::data(std::declval<R &>()))>;
template <class M> using handle = std::decay_t<decltype(std::declval<const M &>().data_handle())>;

// Temporaries that own their elements, which are const where their range is, are none: arrays would outlive them.
template <class R, class = void> inline constexpr bool is_range = false;
template <class R>
inline constexpr bool is_range<
    R, std::void_t<element<R>, decltype(std::size(std::declval<R &>())), decltype(std::begin(std::declval<R &>()))>> =
    std::is_lvalue_reference_v<R> || std::is_same_v<element<R>, element<const R>>;
// Those whose accessors compute elements are none.
template <class M, class = void> inline constexpr bool is_mdspan = false;
template <class M>
inline constexpr bool
    is_mdspan<M, std::void_t<handle<M>, typename M::reference, decltype(std::declval<const M &>().stride(0))>> =
        std::is_pointer_v<handle<M>> && std::is_lvalue_reference_v<typename M::reference>;
template <class... Length>
inline constexpr bool are_lengths =
    ((std::is_convertible_v<Length, ptrdiff_t> && !std::is_floating_point_v<Length>) && ...);

// Lengths, or a range of them, such as the shape of an array.
template <class... Length> std::vector<ptrdiff_t> shape_of(const Length &...lengths)
{
    if constexpr (are_lengths<Length...>)
        return {static_cast<ptrdiff_t>(lengths)...};
    else
        return {std::begin(lengths)..., std::end(lengths)...};
}
} // namespace detail

template <class T, std::size_t N> struct array {
    T *data;
    std::array<ptrdiff_t, N> shape, stride; // stride: bytes

    array(T *first, const std::array<ptrdiff_t, N> &lengths, const std::array<ptrdiff_t, N> &bytes)
        : data(first), shape(lengths), stride(bytes)
    {
    }
    template <class... Length, std::enable_if_t<sizeof...(Length) == N && detail::are_lengths<Length...>, int> = 0>
    array(T *first, Length... lengths) : data(first), shape{static_cast<ptrdiff_t>(lengths)...}
    {
        std::size_t step = sizeof(T); // unsigned: it may overflow for shapes that functions refuse
        for (std::size_t d = N; d-- > 0; step *= static_cast<std::size_t>(shape[d]))
            stride[d] = static_cast<ptrdiff_t>(step);
    }
    // A range of another size than that of the shape, or whose elements are not beside each other, becomes an array
    // that every function refuses.
    template <class R, class... Length,
              std::enable_if_t<detail::is_range<R> && detail::are_lengths<Length...>, int> = 0>
    array(R &&range, Length... lengths) : array(with_lengths(range, lengths...))
    {
    }
    template <class M, std::enable_if_t<detail::is_mdspan<M> && M::rank() == N, int> = 0>
    array(const M &m) : data(m.data_handle())
    {
        for (std::size_t d = 0; d < N; d++) {
            shape[d] = static_cast<ptrdiff_t>(m.extent(d));
            stride[d] = static_cast<ptrdiff_t>(m.stride(d)) * static_cast<ptrdiff_t>(sizeof(T));
        }
    }

  private:
    template <class R, class... Length> static array with_lengths(R &range, Length... lengths)
    {
        if constexpr (sizeof...(Length) == 0)
            return with_lengths(range, std::size(range));
        else {
            const std::size_t n = std::size(range);
            array a(std::data(range), lengths...);
            if ((std::size_t{1} * ... * static_cast<std::size_t>(lengths)) != n ||
                (n > 0 && std::addressof(*std::prev(std::end(range))) != std::data(range) + (n - 1)))
                a.shape[0] = -1;
            return a;
        }
    }
};
template <class T, class... Length,
          std::enable_if_t<(sizeof...(Length) > 0) && detail::are_lengths<Length...>, int> = 0>
array(T *, Length...) -> array<T, sizeof...(Length)>;
template <class T, std::size_t N> array(T *, const ptrdiff_t (&)[N], const ptrdiff_t (&)[N]) -> array<T, N>;
template <class R, class... Length, std::enable_if_t<detail::is_range<R> && detail::are_lengths<Length...>, int> = 0>
array(R &&, Length...) -> array<detail::element<R>, sizeof...(Length) == 0 ? 1 : sizeof...(Length)>;
template <class M, std::enable_if_t<detail::is_mdspan<M>, int> = 0>
array(const M &) -> array<std::remove_pointer_t<detail::handle<M>>, M::rank()>;

// One of several arrays of a call, for the length of a statement.
struct input {
    template <class T, std::size_t N>
    input(const array<T, N> &a)
        : raw{const_cast<std::remove_cv_t<T> *>(a.data), a.stride.data(), dtype_of<T>(), 0}, shape(a.shape.data()),
          ndim(N)
    {
    }
    bool has(const ptrdiff_t *lengths, int n) const noexcept
    {
        return ndim == n && std::equal(shape, shape + n, lengths);
    }
    fdx_array raw;
    const ptrdiff_t *shape;
    int ndim;
};
struct output : input {
    template <class T, std::size_t N> output(const array<T, N> &a) : input(a)
    {
        static_assert(!std::is_const_v<T>, "an output is written");
    }
};

// ---- what calls have in common ----

namespace detail
{
struct storage {
    std::unique_ptr<char[]> memory;
    ptrdiff_t bytes = 0; // unless memory was moved from here

    void renew(ptrdiff_t needed)
    {
        memory.reset(new (std::nothrow) char[static_cast<std::size_t>(needed)]);
        bytes = memory ? needed : 0;
    }
};
} // namespace detail

// Memory that grows to what calls need.
class workspace
{
  public:
    // Make a call, and again with enough memory if it has too little.
    template <class Call, class Size> fdx_status run(const Call &call, const Size &size_of_call)
    {
        fdx_status status = of_calls.memory ? call(of_calls.memory.get(), of_calls.bytes) : FDX_E_WORKSPACE;
        if (status == FDX_E_WORKSPACE) {
            of_calls.renew(std::max<ptrdiff_t>(size_of_call(), 1));
            status = call(of_calls.memory.get(), of_calls.bytes);
        }
        return status;
    }
    // For results between two calls; nullptr if there is no memory.
    char *between(ptrdiff_t bytes)
    {
        if (!of_results.memory || of_results.bytes < bytes)
            of_results.renew(bytes);
        return of_results.memory.get();
    }

  private:
    detail::storage of_calls, of_results;
};

// result = alpha (...) + beta result, as in fdx_call; of a box of the results; one of several parts, each of which
// needs a workspace of its own if they are computed at the same time.
struct options {
    options(double alpha = 1, double beta = 0) noexcept : numbers{alpha, beta} {}
    template <std::size_t N> options &box(const ptrdiff_t (&begin)[N], const ptrdiff_t (&end)[N]) noexcept
    {
        static_assert(N <= FDX_MAXDIM);
        std::copy_n(begin, N, lo);
        std::copy_n(end, N, hi);
        ndim = static_cast<int>(N);
        return *this;
    }
    options &part(ptrdiff_t number, ptrdiff_t of, workspace &with) noexcept
    {
        k = number;
        n = of;
        work = &with;
        return *this;
    }
    const double *alpha_beta() const noexcept { return numbers[0] == 1 && numbers[1] == 0 ? nullptr : numbers; }
    double numbers[2];
    ptrdiff_t lo[FDX_MAXDIM], hi[FDX_MAXDIM], k = 0, n = 1;
    int ndim = 0; // of the box; 0: all results
    workspace *work = nullptr;
};

inline const fdx_isa *isa() noexcept
{
    static const fdx_isa *const best = fdx_isa_find("auto");
    return best;
}

// ---- formulas ----

inline constexpr fdx_boundary one_sided = FDX_ONE_SIDED, periodic = FDX_PERIODIC, valid = FDX_VALID,
                              reflect = FDX_REFLECT, symmetric = FDX_SYMMETRIC, reflect_odd = FDX_REFLECT_ODD,
                              symmetric_odd = FDX_SYMMETRIC_ODD, zero = FDX_ZERO, antisymmetric = FDX_ANTISYMMETRIC,
                              sbp = FDX_SBP;
inline constexpr fdx_position center = FDX_CENTER, inner = FDX_INNER, outer = FDX_OUTER, left = FDX_LEFT,
                              right = FDX_RIGHT;

// An end of an axis: a boundary, or a condition, see fdx_condition.
struct end {
    end(fdx_boundary b) : boundary(b) {}
    end(fdx_condition c) : boundary(FDX_GIVEN), condition(c) {}
    fdx_boundary boundary;
    fdx_condition condition{};
};
using row = std::vector<double>;

namespace detail
{
struct factor { // of a formula: a map along an axis, or an array
    fdx_factor raw{};
    std::optional<row> x, at;
    std::vector<row> rows; // of a stencil of one's own: interior, first, last
    fdx_scheme scheme{};
    std::vector<fdx_scheme_row> ends;
    fdx_array values{};
    std::vector<ptrdiff_t> shape, stride; // of the array
};

struct term {
    double scale = 1;
    int in = 0, out = 0;
    std::vector<factor> factors; // in the order in which they are applied

    // Set the pointers of the factors, and list them as fdx.h has them for inputs of a shape.
    fdx_status lower(std::vector<ptrdiff_t> lengths, std::vector<fdx_factor> &to)
    {
        fdx_factor identity{};
        identity.what.scale = identity.what.spacing = 1;
        to.reserve(factors.size() + 1);
        for (factor &f : factors) {
            if (!f.shape.empty()) {
                if (f.shape.size() != lengths.size())
                    return FDX_E_NDIM;
                for (std::size_t d = 0; d < lengths.size(); d++)
                    if (f.shape[d] == 1)
                        f.stride[d] = 0;
                    else if (f.shape[d] != lengths[d])
                        return FDX_E_SHAPE;
                if (to.empty() || to.back().coefficient != nullptr)
                    to.push_back(identity);
                f.values.stride = f.stride.data();
                to.back().coefficient = &f.values;
                to.back().sign = f.raw.sign;
                continue;
            }
            fdx_derivative &what = f.raw.what;
            fdx_outline outline;
            if (f.raw.axis < 0 || static_cast<std::size_t>(f.raw.axis) >= lengths.size())
                return FDX_E_AXIS;
            if ((f.x && f.x->empty()) || (f.at && f.at->empty()))
                return FDX_E_SIZE;
            if (f.at)
                what.at = f.at->data();
            if (f.x) {
                what.x = f.x->data();
                what.n = static_cast<ptrdiff_t>(f.x->size());
            }
            if (!f.rows.empty()) {
                for (const row &r : f.rows)
                    f.ends.push_back({static_cast<int>(r.size()), r.data()});
                f.scheme.count = f.ends[0].count;
                f.scheme.w = f.ends[0].w;
                f.scheme.first = f.ends.data() + 1;
                f.scheme.last = f.scheme.first + f.scheme.nfirst;
                what.scheme = &f.scheme;
            }
            if (const fdx_status status = fdx_derivative_outline(&what, &outline); status != FDX_OK)
                return status;
            if (f.at && static_cast<ptrdiff_t>(f.at->size()) != what.n + outline.more)
                return FDX_E_SIZE;
            const ptrdiff_t more = outline.more - outline.crop[0] - outline.crop[1];
            ptrdiff_t &length = lengths[static_cast<std::size_t>(f.raw.axis)]; // it may overflow, as strides may
            length = static_cast<ptrdiff_t>(static_cast<std::size_t>(length) +
                                            static_cast<std::size_t>(f.raw.transposed ? -more : more));
            to.push_back(f.raw);
        }
        if (to.empty())
            to.push_back(identity);
        return FDX_OK;
    }
};
} // namespace detail

// A derivative along an axis, in words that each return another one: fdx_derivative has their meaning.
class diff
{
  public:
    explicit diff(int axis, double h = 1)
    {
        f.raw.axis = axis;
        f.raw.what.deriv = 1;
        f.raw.what.accuracy = 2;
        f.raw.what.scale = 1;
        f.raw.what.spacing = h;
    }
    diff(int axis, row coordinates) : diff(axis) { f.x = std::move(coordinates); }
    diff deriv(int order) const { return with(&fdx_derivative::deriv, order); }
    diff accuracy(int order) const { return with(&fdx_derivative::accuracy, order); }
    diff boundary(end both) const { return boundary(both, both); }
    diff boundary(end at_left, end at_right) const
    {
        diff d =
            with(&fdx_derivative::left, int{at_left.boundary}).with(&fdx_derivative::right, int{at_right.boundary});
        d.f.raw.what.condition[0] = at_left.condition;
        d.f.raw.what.condition[1] = at_right.condition;
        return d;
    }
    diff datum(int of_end) const { return with(&fdx_derivative::datum, of_end); }
    diff period(double distance) const { return with(&fdx_derivative::period, distance); }
    diff position(fdx_position where) const { return with(&fdx_derivative::position, int{where}); }
    diff side(int which) const { return with(&fdx_derivative::side, which); }
    diff at(row coordinates_of_results) const
    {
        diff d = *this;
        d.f.at = std::move(coordinates_of_results);
        return d;
    }

    detail::factor f;

  private:
    template <class V> diff with(V fdx_derivative::*member, V value) const
    {
        diff d = *this;
        d.f.raw.what.*member = value;
        return d;
    }
};

// Values between the points.
inline diff interp(int axis, fdx_position where)
{
    return diff(axis).deriv(0).position(where);
}

// A stencil of your own, from neighbour `offset` on, and rows for either end: fdx_scheme.
inline diff stencil(int axis, int offset, row weights, const std::vector<row> &first = {},
                    const std::vector<row> &last = {})
{
    diff d = diff(axis).deriv(0);
    d.f.rows.push_back(std::move(weights));
    d.f.rows.insert(d.f.rows.end(), first.begin(), first.end());
    d.f.rows.insert(d.f.rows.end(), last.begin(), last.end());
    d.f.scheme.offset = offset;
    d.f.scheme.nfirst = static_cast<int>(first.size());
    d.f.scheme.nlast = static_cast<int>(last.size());
    return d;
}

// A formula. Terms are from input 0 to output 0, unless they are told to be of others.
class sum
{
  public:
    sum(double number) : terms(1) { terms[0].scale = number; }
    sum(const diff &d) : sum(1.0) { terms[0].factors.push_back(d.f); }
    template <class T, std::size_t N> sum(const array<T, N> &values, int sign = 0) : sum(1.0)
    {
        detail::factor f;
        f.raw.sign = sign;
        f.values = input(values).raw;
        f.shape.assign(values.shape.begin(), values.shape.end());
        f.stride.assign(values.stride.begin(), values.stride.end());
        terms[0].factors.push_back(std::move(f));
    }
    sum from(int number) const
    {
        sum s = *this;
        for (detail::term &t : s.terms)
            t.in = number;
        return s;
    }
    sum to(int number) const
    {
        sum s = *this;
        for (detail::term &t : s.terms)
            t.out = number;
        return s;
    }
    sum transposed() const
    {
        sum s = *this;
        for (detail::term &t : s.terms) {
            std::swap(t.in, t.out);
            std::reverse(t.factors.begin(), t.factors.end());
            for (detail::factor &f : t.factors)
                f.raw.transposed = !f.raw.transposed;
        }
        return s;
    }

    std::vector<detail::term> terms;
};

inline sum operator+(sum a, const sum &b)
{
    a.terms.insert(a.terms.end(), b.terms.begin(), b.terms.end());
    return a;
}
// From the right term's input to the left term's output, if the left term's input is the right term's output. A term
// from input 0 to output 0, such as a number, also goes with others, and leaves theirs as they are. Else
// fdx_operator_make refuses the product.
inline sum operator*(const sum &a, const sum &b)
{
    sum product = 0;
    product.terms.clear();
    for (const detail::term &left_term : a.terms)
        for (const detail::term &right_term : b.terms) {
            detail::term t = right_term;
            t.scale *= left_term.scale;
            const bool meet = left_term.in == right_term.out;
            if (meet || (t.in == 0 && t.out == 0)) {
                t.in = meet ? t.in : left_term.in;
                t.out = left_term.out;
            } else if (left_term.in != 0 || left_term.out != 0)
                t.in = -1;
            t.factors.insert(t.factors.end(), left_term.factors.begin(), left_term.factors.end());
            product.terms.push_back(std::move(t));
        }
    return product;
}
inline sum operator-(const sum &a)
{
    return -1.0 * a;
}
inline sum operator-(sum a, const sum &b)
{
    return std::move(a) + -b;
}

// ---- objects ----

namespace detail
{
struct release {
    void *memory;
    void operator()(const void *) const noexcept { ::operator delete(memory); }
};
template <class T> using owner = std::unique_ptr<const T, release>;

// What `make` builds in memory of some bytes.
template <class T, class Make> fdx_status build(owner<T> &to, std::size_t bytes, const Make &make)
{
    void *memory = ::operator new(bytes, std::nothrow);
    const T *made = nullptr;
    const fdx_status status = make(memory, &made);
    if (status == FDX_OK)
        to = owner<T>(made, release{memory});
    else
        ::operator delete(memory);
    return status;
}
} // namespace detail

// An operator for arrays of one shape.
class compiled
{
  public:
    compiled() noexcept = default;
#ifdef __cpp_exceptions
    template <class... Length> explicit compiled(sum what, const Length &...lengths)
    {
        make(std::move(what), lengths...);
    }
#endif
    // For inputs of these lengths, or of a shape, such as that of an array.
    template <class... Length> FDX_RESULT make(sum what, const Length &...lengths)
    {
        return result(compile(std::move(what), detail::shape_of(lengths...)));
    }

    template <class U, class Y> FDX_RESULT operator()(const U &u, Y &&y, const options &how = {})
    {
        const array in(u);
        const array out(y);
        return result(apply({in}, {out}, how));
    }
    FDX_RESULT operator()(std::initializer_list<input> u, std::initializer_list<output> y, const options &how = {})
    {
        return result(apply(u, y, how));
    }

    // The operator of fdx.h, with the shape of results.
    const fdx_operator *get() const noexcept { return op.get(); }

  private:
    friend class solver;
    friend class compact;
    fdx_status compile(sum what, const std::vector<ptrdiff_t> &shape)
    {
        if (shape.empty())
            return FDX_E_NDIM;
        std::stable_sort(what.terms.begin(), what.terms.end(),
                         [](const detail::term &a, const detail::term &b) { return a.out < b.out; });
        std::vector<std::vector<fdx_factor>> factors(what.terms.size());
        std::vector<fdx_term> terms;
        for (std::size_t k = 0; k < factors.size(); k++) {
            detail::term &t = what.terms[k];
            if (const fdx_status status = t.lower(shape, factors[k]); status != FDX_OK)
                return status;
            terms.push_back({t.in, t.out, static_cast<int>(factors[k].size()), factors[k].data(), &t.scale});
        }
        const fdx_sum all{
            static_cast<int>(shape.size()), shape.data(), static_cast<int>(terms.size()), terms.data(), isa(), 0};
        return detail::build(op, fdx_operator_size(&all), [&](void *memory, const fdx_operator **made) {
            return fdx_operator_make(memory, &all, made);
        });
    }
    fdx_status apply(std::initializer_list<input> u, std::initializer_list<output> y, const options &how)
    {
        if (!op)
            return FDX_E_NULL;
        if (u.size() != static_cast<std::size_t>(op->ninputs) || y.size() != static_cast<std::size_t>(op->noutputs))
            return FDX_E_COUNT;
        if (how.ndim != 0 && how.ndim != op->ndim)
            return FDX_E_BOX;
        fdx_array in[FDX_MAXDIM], out[FDX_MAXDIM], *next = in;
        for (const input &a : u) {
            if (!a.has(op->in_shape, op->ndim))
                return FDX_E_SHAPE;
            *next++ = a.raw;
        }
        next = out;
        for (const output &a : y) {
            if (!a.has(op->out_shape, op->ndim))
                return FDX_E_SHAPE;
            *next++ = a.raw;
        }
        fdx_call call{};
        call.op = op.get();
        call.in = in;
        call.out = out;
        call.alpha_beta = how.alpha_beta();
        if (how.ndim != 0) {
            call.lo = how.lo;
            call.hi = how.hi;
        }
        return (how.work ? *how.work : own)
            .run([&](void *memory, ptrdiff_t bytes) { return fdx_apply_part(&call, memory, bytes, how.k, how.n); },
                 [&] { return fdx_workspace_size(&call); });
    }

    detail::owner<fdx_operator> op;
    workspace own;
};

// Solves A x = b along an axis, for a formula A along axis 0 of arrays of one dimension, and n points.
class solver
{
  public:
    solver() noexcept = default;
#ifdef __cpp_exceptions
    solver(sum what, ptrdiff_t n, fdx_pivot *failed = nullptr) { make(std::move(what), n, failed); }
#endif
    FDX_RESULT make(sum what, ptrdiff_t n, fdx_pivot *failed = nullptr)
    {
        fdx_pivot least{};
        const fdx_status status = factorise(std::move(what), n, least);
        if (failed != nullptr && status == FDX_E_SINGULAR)
            *failed = least;
        return result(status, least);
    }

    // x may be b. There are no boxes.
    template <class B, class X> FDX_RESULT operator()(const B &b, X &&x, int axis = 0, const options &how = {})
    {
        const array in(b);
        const array out(x);
        return result(solve(in, output(out), axis, how));
    }

  private:
    friend class compact;
    fdx_status factorise(sum what, ptrdiff_t n, fdx_pivot &failed)
    {
        compiled a;
        fdx_status status = a.compile(std::move(what), {n});
        if (status == FDX_OK)
            status = detail::build(factors, fdx_solver_size(a.get()), [&](void *memory, const fdx_solver **made) {
                return fdx_solver_make(memory, a.get(), made, &failed);
            });
        if (status == FDX_OK)
            points = n;
        return status;
    }
    // Without a solution if it is only to be checked.
    fdx_status solve(const input &b, const output &x, int axis, const options &how, bool only_check = false)
    {
        if (!factors)
            return FDX_E_NULL;
        if (how.ndim != 0)
            return FDX_E_BOX;
        if (axis < 0 || axis >= b.ndim)
            return FDX_E_AXIS;
        if (!x.has(b.shape, b.ndim) || b.shape[axis] != points)
            return FDX_E_SHAPE;
        const fdx_solve call{factors.get(), b.ndim, b.shape, axis, b.raw, x.raw, how.alpha_beta()};
        if (only_check) {
            const fdx_status status = fdx_solve_apply_part(&call, nullptr, 0, how.k, how.n);
            return status == FDX_E_WORKSPACE ? FDX_OK : status;
        }
        return (how.work ? *how.work : own)
            .run(
                [&](void *memory, ptrdiff_t bytes) { return fdx_solve_apply_part(&call, memory, bytes, how.k, how.n); },
                [&] { return fdx_solve_workspace_size(&call); });
    }

    detail::owner<fdx_solver> factors;
    ptrdiff_t points = 0;
    workspace own;
};

// A derivative by a compact scheme, see fdx_compact. Of a diff it takes the axis, the spacing, an order of 1 or 2, an
// accuracy of 4 to 10, and boundaries: one_sided, periodic, reflect, symmetric, reflect_odd, antisymmetric.
class compact
{
  public:
    compact() noexcept = default;
#ifdef __cpp_exceptions
    template <class... Length> explicit compact(const diff &what, const Length &...lengths) { make(what, lengths...); }
#endif
    template <class... Length> FDX_RESULT make(const diff &what, const Length &...lengths)
    {
        fdx_pivot least{};
        const fdx_status status = compile(what.f, detail::shape_of(lengths...), least);
        return result(status, least);
    }

    // y = the derivative of u, or alpha times it + beta y; y may be u. There are no boxes.
    template <class U, class Y> FDX_RESULT operator()(const U &u, Y &&y, const options &how = {})
    {
        const array in(u);
        const array out(y);
        return result(apply(in, out, how));
    }

  private:
    fdx_status compile(const detail::factor &f, const std::vector<ptrdiff_t> &shape, fdx_pivot &failed)
    {
        const fdx_derivative &d = f.raw.what;
        const int along = f.raw.axis;
        fdx_scheme of_f, of_derivative;
        diff a(0), b(along);
        if (f.x || f.at || !f.rows.empty() || d.position != FDX_CENTER || d.side != 0 || d.datum != 0)
            return FDX_E_STENCIL;
        if (along < 0 || static_cast<std::size_t>(along) >= shape.size())
            return FDX_E_AXIS;
        if (const fdx_status status = fdx_compact(d.deriv, d.accuracy, &of_derivative, &of_f); status != FDX_OK)
            return status;
        b.f.raw.what.left = d.left;
        b.f.raw.what.right = d.right;
        if (!of_derivative_at(d.left, d.deriv, a.f.raw.what.left) ||
            !of_derivative_at(d.right, d.deriv, a.f.raw.what.right))
            return FDX_E_STENCIL;
        if (d.left != FDX_ONE_SIDED)
            of_f.nfirst = of_derivative.nfirst = 0;
        if (d.right != FDX_ONE_SIDED)
            of_f.nlast = of_derivative.nlast = 0;
        a.f.raw.what.deriv = b.f.raw.what.deriv = 0;
        a.f.raw.what.scheme = &of_derivative;
        b.f.raw.what.scheme = &of_f;
        b.f.raw.what.scale = 1 / (d.deriv == 1 ? d.spacing : d.spacing * d.spacing);
        compiled of_values;
        solver of_slopes;
        fdx_status status = of_values.compile(b, shape);
        if (status == FDX_OK)
            status = of_slopes.factorise(a, shape[static_cast<std::size_t>(along)], failed);
        if (status == FDX_OK) { // both, or none
            explicit_side = std::move(of_values);
            implicit_side = std::move(of_slopes);
            axis = along;
        }
        return status;
    }
    // B u, then the solution in place; B u is in the workspace if y is needed until then. The lines of a part are at
    // consecutive indices of the longest other dimension.
    fdx_status apply(const input &u, const output &y, const options &how)
    {
        if (!explicit_side.op)
            return FDX_E_NULL;
        if (!u.has(explicit_side.op->in_shape, explicit_side.op->ndim))
            return FDX_E_SHAPE;
        if (const fdx_status status = implicit_side.solve(u, y, axis, how, true); status != FDX_OK)
            return status;
        int across = axis == 0 ? u.ndim - 1 : 0;
        for (int d = 0; d < u.ndim; d++) {
            if (u.shape[d] == 0)
                return FDX_OK;
            if (d != axis && u.shape[d] > u.shape[across])
                across = d;
        }
        const ptrdiff_t n = across == axis ? 1 : u.shape[across];
        const auto first = [&](ptrdiff_t k) { return n / how.n * k + std::min<ptrdiff_t>(k, n % how.n); };
        const ptrdiff_t lo = first(how.k), hi = first(how.k + 1);
        if (lo == hi)
            return FDX_OK;

        options box, rest(how.numbers[0], how.numbers[1]);
        box.work = rest.work = how.work ? how.work : &own;
        box.ndim = u.ndim;
        std::fill_n(box.lo, u.ndim, 0);
        std::copy_n(u.shape, u.ndim, box.hi);
        ptrdiff_t lengths[FDX_MAXDIM], stride[FDX_MAXDIM];
        std::copy_n(u.shape, u.ndim, lengths);
        if (across != axis) {
            box.lo[across] = lo;
            box.hi[across] = hi;
            lengths[across] = hi - lo;
        }
        output lines = y, values = y; // the part's y, and B u in an array like all of it
        lines.shape = lengths;
        lines.raw.data = static_cast<char *>(y.raw.data) + lo * y.raw.stride[across];
        input solved = lines;
        if (u.raw.data == y.raw.data || rest.alpha_beta() != nullptr) {
            char *const between = box.work->between(contiguous(lines, stride));
            if (between == nullptr)
                return FDX_E_NULL;
            solved.raw.stride = values.raw.stride = stride;
            solved.raw.data = between;
            values.raw.data = between - lo * stride[across];
        }
        const fdx_status status = explicit_side.apply({u}, {values}, box);
        return status != FDX_OK ? status : implicit_side.solve(solved, lines, axis, rest);
    }
    // Strides of an array without gaps whose dimensions have the order of another one's; returns its bytes.
    static ptrdiff_t contiguous(const output &like, ptrdiff_t *stride)
    {
        int order[FDX_MAXDIM];
        for (int d = 0; d < like.ndim; d++)
            order[d] = d;
        const auto minus = [&](int d) { return like.raw.stride[d] < 0 ? like.raw.stride[d] : -like.raw.stride[d]; };
        std::sort(order, order + like.ndim, [&](int a, int b) { return minus(a) > minus(b); });
        ptrdiff_t bytes = fdx_itemsize(like.raw.dtype);
        for (int k = 0; k < like.ndim; k++) {
            stride[order[k]] = bytes;
            bytes *= like.shape[order[k]];
        }
        return bytes;
    }
    // The boundary that the derivative has where the function has this one.
    static bool of_derivative_at(int end, int deriv, int &found) noexcept
    {
        constexpr int pairs[][2] = {{FDX_ONE_SIDED, FDX_ONE_SIDED},     {FDX_PERIODIC, FDX_PERIODIC},
                                    {FDX_REFLECT, FDX_REFLECT_ODD},     {FDX_REFLECT_ODD, FDX_REFLECT},
                                    {FDX_SYMMETRIC, FDX_ANTISYMMETRIC}, {FDX_ANTISYMMETRIC, FDX_SYMMETRIC}};
        for (const auto &pair : pairs)
            if (pair[0] == end) {
                found = pair[deriv == 1];
                return true;
            }
        return false;
    }

    compiled explicit_side;
    solver implicit_side;
    int axis = 0;
    workspace own;
};

// ---- np.gradient ----

// The derivative along an axis, written to g, for a spacing or for coordinates; for the length of a statement.
struct along {
    template <class T, std::size_t N>
    along(int number, const array<T, N> &g, double h) : axis(number), out(g), spacing(h)
    {
    }
    template <class T, std::size_t N, class X>
    along(int number, const array<T, N> &g, const array<X, 1> &coordinates)
        : axis(number), out(g), x(input(coordinates).raw), n(coordinates.shape[0])
    {
    }
    int axis;
    output out;
    double spacing = 0;
    fdx_array x{};
    ptrdiff_t n = 0;
};

// np.gradient, with its bits: gradient(f, {along(0, g, h), along(1, k, x)}, edge_order).
template <class F, std::size_t K>
FDX_RESULT gradient(const F &f, const along (&axes)[K], int edge_order = 1, const options &how = {})
{
    const array view(f);
    const input in(view);
    if (how.ndim != 0 && how.ndim != in.ndim)
        return result(FDX_E_BOX);
    fdx_gradient_axis each[K] = {};
    for (std::size_t k = 0; k < K; k++) {
        const along &a = axes[k];
        if (!a.out.has(in.shape, in.ndim))
            return result(FDX_E_SHAPE);
        each[k].axis = a.axis;
        each[k].out = a.out.raw;
        const fdx_status status = a.x.dtype != 0 // coordinates, although there may be none
                                      ? fdx_gradient_coords(&each[k], in.raw.dtype, &a.x, a.n, edge_order, isa())
                                      : fdx_gradient_uniform(&each[k], in.raw.dtype, a.spacing, FDX_WEAK, edge_order);
        if (status != FDX_OK)
            return result(status);
    }
    fdx_gradient call{};
    call.ndim = in.ndim;
    call.shape = in.shape;
    call.in = in.raw;
    call.naxes = static_cast<int>(K);
    call.axes = each;
    call.isa = isa();
    call.alpha_beta = how.alpha_beta();
    if (how.ndim != 0) {
        call.lo = how.lo;
        call.hi = how.hi;
    }
    return result(fdx_gradient_apply_part(&call, how.k, how.n));
}

} // inline namespace
#ifdef FDX_NAMESPACE
}
#endif
} // namespace fdx

#undef FDX_RESULT
#endif
