// A wave on a periodic square: fdx from C++.
//
//     c++ -O2 -I../../csrc -c wave.cpp && cc -O3 -c ../../csrc/fdx*.c && c++ wave.o fdx*.o -o wave && ./wave
//
// u_tt = u_xx + u_yy by leapfrog, with eighth-order derivatives. Checked against the exact solution.
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "fdx.h"

namespace
{

// An operator that owns its memory: this class is all that C++ needs in addition to the C header.
class Operator
{
  public:
    explicit Operator(const fdx_sum &sum) : memory(fdx_operator_size(&sum) / sizeof(double) + 1)
    {
        check(fdx_operator_make(memory.data(), &sum, &op));
    }
    Operator(const Operator &) = delete;
    Operator &operator=(const Operator &) = delete;

    // y += alpha D u, for arrays in C order
    void add(double alpha, std::vector<double> &u, std::vector<double> &y)
    {
        std::vector<ptrdiff_t> stride(op->ndim, sizeof(double));
        for (int d = op->ndim - 1; d > 0; d--)
            stride[d - 1] = stride[d] * op->in_shape[d];
        const fdx_array in = {u.data(), stride.data(), FDX_F64, 0}, out = {y.data(), stride.data(), FDX_F64, 0};
        fdx_call call = {};
        call.op = op;
        call.in = &in;
        call.out = &out;
        const double alpha_beta[2] = {alpha, 1};
        call.alpha_beta = alpha_beta;
        workspace.resize(static_cast<size_t>(fdx_workspace_size(&call)) / sizeof(double) + 1);
        check(fdx_apply(&call, workspace.data(), static_cast<ptrdiff_t>(workspace.size() * sizeof(double))));
    }

  private:
    static void check(fdx_status status)
    {
        if (status != FDX_OK)
            throw std::runtime_error(fdx_status_message(status));
    }
    std::vector<double> memory, workspace;
    const fdx_operator *op = nullptr;
};

// The largest error after one period, with n x n points.
double solve(ptrdiff_t n)
{
    const double pi = 3.14159265358979323846, h = 1.0 / static_cast<double>(n), c2 = 1, period = 1 / std::sqrt(5.0);
    const ptrdiff_t shape[2] = {n, n};
    fdx_factor along[2] = {};
    for (int d = 0; d < 2; d++) {
        along[d].axis = d;
        along[d].what.deriv = 2;
        along[d].what.accuracy = 8;
        along[d].what.left = along[d].what.right = FDX_PERIODIC;
        along[d].what.spacing = h;
        along[d].what.scale = c2;
    }
    fdx_term terms[2] = {};
    for (int d = 0; d < 2; d++) {
        terms[d].nfactors = 1;
        terms[d].factor = &along[d];
    }
    fdx_sum sum = {};
    sum.ndim = 2;
    sum.shape = shape;
    sum.nterms = 2;
    sum.term = terms;
    sum.isa = fdx_isa_find("auto");
    Operator laplacian(sum);

    const auto wave = [&](ptrdiff_t i, double t) { // it travels in the direction (1, 2)
        return std::sin(2 * pi * (h * static_cast<double>(i / n + 2 * (i % n)) - std::sqrt(5.0) * t));
    };
    const int steps = static_cast<int>(4 * n);
    const double dt = period / steps;
    std::vector<double> u(n * n), before(n * n);
    for (ptrdiff_t i = 0; i < n * n; i++) {
        u[i] = wave(i, 0);
        before[i] = wave(i, -dt);
    }
    for (int k = 0; k < steps; k++) { // next = 2 u - before + dt^2 laplacian(u)
        for (ptrdiff_t i = 0; i < n * n; i++)
            before[i] = 2 * u[i] - before[i];
        laplacian.add(dt * dt, u, before);
        u.swap(before);
    }
    double worst = 0;
    for (ptrdiff_t i = 0; i < n * n; i++)
        worst = std::fmax(worst, std::fabs(u[i] - wave(i, period)));
    return worst;
}

} // namespace

int main()
{
    double before = 0, order = 0;
    for (ptrdiff_t n : {32, 64, 128}) {
        const double error = solve(n);
        order = before > 0 ? std::log2(before / error) : 0;
        std::printf("%3td x %td points: error %.2e", n, n, error);
        std::printf(before > 0 ? ", order %.2f\n" : "\n", order);
        before = error;
    }
    return std::fabs(order - 2) < 0.1 ? 0 : 1; // of leapfrog: the error in space is negligible
}
