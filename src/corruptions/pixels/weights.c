#include "weights.h"

#define LANES 8
#define MOST  128

static double sum_of(const double *values, int count)
{
    double lanes[LANES] = {0.0};

    if (count > MOST) {
        const int half = count / 2 - count / 2 % LANES;
        return sum_of(values, half) + sum_of(values + half, count - half);
    }
    const int whole = count - count % LANES;
    for (int i = 0; i < whole; i++)
        lanes[i % LANES] += values[i];
    double sum =
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (int i = whole; i < count; i++)
        sum += values[i];
    return sum;
}

void normalise_weights(double *weights, int count)
{
    const double sum = sum_of(weights, count);

    for (int i = 0; i < count; i++)
        weights[i] /= sum;
}
