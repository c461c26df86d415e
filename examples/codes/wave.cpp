// A wave on a periodic square: fdx from C++.
//
//     c++ -std=c++17 -O2 -I../../csrc -c wave.cpp && cc -O3 -c ../../csrc/fdx*.c && c++ wave.o fdx*.o -o wave && ./wave
//
// u_tt = u_xx + u_yy by leapfrog, with eighth-order derivatives. Checked against the exact solution.
#include <cmath>
#include <cstdio>
#include <vector>

#include "fdx.hpp"

namespace
{

// The largest error after one period, with n x n points.
double solve(int n)
{
    const double pi = 3.14159265358979323846, h = 1.0 / n, period = 1 / std::sqrt(5.0);
    const auto second = [h](int axis) { return fdx::diff(axis, h).deriv(2).accuracy(8).boundary(fdx::periodic); };
    fdx::compiled laplacian(second(0) + second(1), n, n);

    const auto wave = [&](int i, double t) { // it travels in the direction (1, 2)
        return std::sin(2 * pi * (h * (i / n + 2 * (i % n)) - std::sqrt(5.0) * t));
    };
    const int steps = 4 * n;
    const double dt = period / steps;
    std::vector<double> u, before;
    for (int i = 0; i < n * n; i++) {
        u.push_back(wave(i, 0));
        before.push_back(wave(i, -dt));
    }
    for (int k = 0; k < steps; k++) { // next = 2 u - before + dt^2 laplacian(u)
        for (std::size_t i = 0; i < u.size(); i++)
            before[i] = 2 * u[i] - before[i];
        laplacian(fdx::array(u, n, n), fdx::array(before, n, n), {dt * dt, 1});
        u.swap(before);
    }
    double worst = 0;
    for (int i = 0; i < n * n; i++)
        worst = std::fmax(worst, std::fabs(u[static_cast<std::size_t>(i)] - wave(i, period)));
    return worst;
}

} // namespace

int main()
{
    double before = 0, order = 0;
    for (int n : {32, 64, 128}) {
        const double error = solve(n);
        order = before > 0 ? std::log2(before / error) : 0;
        std::printf("%3d x %3d points: error %.2e", n, n, error);
        std::printf(before > 0 ? ", order %.2f\n" : "\n", order);
        before = error;
    }
    return std::fabs(order - 2) < 0.1 ? 0 : 1; // of leapfrog: the error in space is negligible
}
