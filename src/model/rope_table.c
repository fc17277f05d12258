#include "position.h"

#include <math.h>

/* The centre of cell i of n on [-1, 1], in float as the official code computes it. */
static float coordinate(int64_t i, int64_t n, float rescale)
{
    return (2.0f * (((float)i + 0.5f) / (float)n) - 1.0f) * rescale;
}

void df_rope_table(const float *periods, int64_t head_size, int64_t h, int64_t w, float rescale,
                   float *sin_table, float *cos_table)
{
    const float two_pi = 6.28318530717958647692f;
    int64_t quarter = head_size / 4, half = head_size / 2;

    for (int64_t patch = 0; patch < h * w; patch++) {
        float along[2] = {coordinate(patch / w, h, rescale), coordinate(patch % w, w, rescale)};
        for (int64_t i = 0; i < half; i++) {
            float angle = two_pi * along[i / quarter] / periods[i % quarter];
            float *s = sin_table + patch * head_size + i, *c = cos_table + patch * head_size + i;
            s[0] = s[half] = sinf(angle);
            c[0] = c[half] = cosf(angle);
        }
    }
}
