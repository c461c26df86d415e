// Sound in a box with rigid walls, on a staggered grid.
//
//     c++ -std=c++17 -O2 -I../../csrc -c sound.cpp && cc -O3 -c ../../csrc/fdx*.c && c++ sound.o fdx*.o -o sound &&
//     ./sound
//
// p_t = -div v, v_t = -grad p: the pressure in n x n cells, each component of the velocity at the faces between them,
// half a step later. Through the walls nothing flows. The divergence is minus the transposed gradient, so that energy
// is kept. Checked against the exact solution.
#include <cmath>
#include <cstdio>
#include <vector>

#include "fdx.hpp"

namespace
{

// The largest error of the pressure at time 1, with n x n cells.
double solve(int n)
{
    const double pi = 3.14159265358979323846, h = 1.0 / n, frequency = std::sqrt(2.0) * pi;
    const fdx::diff dx = fdx::diff(0, h).position(fdx::inner), dy = fdx::diff(1, h).position(fdx::inner);
    fdx::compiled slope_x(dx, n, n), slope_y(dy, n, n);
    fdx::compiled back_x(fdx::sum(dx).transposed(), n - 1, n), back_y(fdx::sum(dy).transposed(), n, n - 1);

    const int steps = 2 * n;
    const double dt = 1.0 / steps;
    std::vector<double> pressure, along_x, along_y;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const double x = pi * h * (i + 0.5), y = pi * h * (j + 0.5), amplitude = std::sin(frequency * dt / 2);
            pressure.push_back(std::cos(x) * std::cos(y));
            if (i + 1 < n)
                along_x.push_back(amplitude * std::sqrt(0.5) * std::sin(x + pi * h / 2) * std::cos(y));
            if (j + 1 < n)
                along_y.push_back(amplitude * std::sqrt(0.5) * std::cos(x) * std::sin(y + pi * h / 2));
        }
    const std::vector<double> start = pressure;
    const fdx::array p(pressure, n, n), vx(along_x, n - 1, n), vy(along_y, n, n - 1);
    for (int k = 0; k < steps; k++) {
        back_x(vx, p, {dt, 1}); // p += dt times minus the divergence
        back_y(vy, p, {dt, 1});
        slope_x(p, vx, {-dt, 1});
        slope_y(p, vy, {-dt, 1});
    }
    double worst = 0;
    for (std::size_t i = 0; i < start.size(); i++)
        worst = std::fmax(worst, std::fabs(pressure[i] - std::cos(frequency) * start[i]));
    return worst;
}

} // namespace

int main()
{
    double before = 0, order = 0;
    for (int n : {16, 32, 64}) {
        const double error = solve(n);
        order = before > 0 ? std::log2(before / error) : 0;
        std::printf("%2d x %2d cells: error %.2e", n, n, error);
        std::printf(before > 0 ? ", order %.2f\n" : "\n", order);
        before = error;
    }
    return std::fabs(order - 2) < 0.1 ? 0 : 1;
}
