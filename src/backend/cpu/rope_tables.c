/* The tables of DINOv3's rotary position embedding. */
#include "cpu_backend.h"

#include <math.h>

/* The centre of cell i of n on [-1, 1], in float as the official code computes it. */
static float coordinate(int64_t i, int64_t n, float rescale)
{
    return (2.0f * (((float)i + 0.5f) / (float)n) - 1.0f) * rescale;
}

int df_cpu_rope_tables(struct df_backend *backend, const float *periods, const float *rescale, int64_t count,
                       int64_t h, int64_t w, int64_t head_size, float *tables)
{
    const float two_pi = 6.28318530717958647692f;
    const int64_t quarter = head_size / 4, half = head_size / 2, patches = h * w;

#pragma omp parallel for num_threads(backend->threads)
    for (int64_t at = 0; at < count * patches; at++) {
        const int64_t table = at / patches, patch = at % patches;
        const float along[2] = {coordinate(patch / w, h, rescale[table]),
                                coordinate(patch % w, w, rescale[table])};
        float *s = tables + (2 * table * patches + patch) * head_size, *c = s + patches * head_size;
        for (int64_t i = 0; i < half; i++) {
            const float angle = two_pi * along[i / quarter] / periods[i % quarter];
            s[i] = s[i + half] = sinf(angle);
            c[i] = c[i + half] = cosf(angle);
        }
    }
    return 0;
}
