#include "demo.h"

#include <math.h>

/* Uniform in [0, 1) for each grid point: the murmur3 finaliser over a mixture of the three numbers. */
static double grid(int64_t x, int64_t y, uint64_t seed)
{
    uint64_t h = seed ^ (uint64_t)x * 0x9e3779b97f4a7c15u ^ (uint64_t)y * 0xc2b2ae3d27d4eb4fu;

    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return (double)((h ^ (h >> 33)) >> 11) * 0x1p-53;
}

double df_demo_noise(double x, double y, uint64_t seed)
{
    const double column = floor(x), row = floor(y);
    const int64_t i = (int64_t)column, j = (int64_t)row;
    double u = x - column, v = y - row;

    u = u * u * (3.0 - 2.0 * u);
    v = v * v * (3.0 - 2.0 * v);
    double upper = grid(i, j, seed) * (1.0 - u) + grid(i + 1, j, seed) * u;
    double lower = grid(i, j + 1, seed) * (1.0 - u) + grid(i + 1, j + 1, seed) * u;
    return upper * (1.0 - v) + lower * v;
}

double df_demo_clouds(double x, double y, uint64_t seed)
{
    return (4.0 * df_demo_noise(x, y, seed) + 2.0 * df_demo_noise(2.0 * x, 2.0 * y, seed + 1) +
            df_demo_noise(4.0 * x, 4.0 * y, seed + 2)) /
           7.0;
}

double df_demo_clamp(double value)
{
    return value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value;
}

struct df_demo_color df_demo_mix(struct df_demo_color from, struct df_demo_color to, double amount)
{
    return (struct df_demo_color){from.r + (to.r - from.r) * amount, from.g + (to.g - from.g) * amount,
                                  from.b + (to.b - from.b) * amount};
}

struct df_demo_color df_demo_bright(struct df_demo_color color, double factor)
{
    return (struct df_demo_color){color.r * factor, color.g * factor, color.b * factor};
}
