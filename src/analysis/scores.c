#include "dinoft/component_scores.h"

#include <math.h>

static void scale_column(float *scores, int64_t count, const uint8_t *keep)
{
    float least = INFINITY, largest = -INFINITY;

    for (int64_t i = 0; i < count; i++) {
        const float score = scores[i * DF_PCA_COMPONENTS];
        if (keep && !keep[i])
            continue;
        least = score < least ? score : least;
        largest = score > largest ? score : largest;
    }
    for (int64_t i = 0; i < count; i++) {
        float *score = scores + i * DF_PCA_COMPONENTS;
        const bool counts = (!keep || keep[i]) && largest > least;
        *score = counts ? (*score - least) / (largest - least) : 0.0f;
    }
}

void df_scores_scale(float *scores, int64_t count, const uint8_t *keep)
{
    for (int k = 0; k < DF_PCA_COMPONENTS; k++)
        scale_column(scores + k, count, keep);
}

/* Whether background is the high side. */
static bool borders_are_high(const uint8_t *high, int64_t images, int64_t h, int64_t w)
{
    int64_t patches[2] = {0}, high_ones[2] = {0}; /* within, at the border */

    for (int64_t i = 0; i < images * h * w; i++) {
        const int64_t y = i / w % h, x = i % w;
        const bool border = y == 0 || y == h - 1 || x == 0 || x == w - 1;
        patches[border]++;
        high_ones[border] += high[i];
    }
    return high_ones[1] * patches[0] >= high_ones[0] * patches[1];
}

bool df_scores_foreground(const float *scores, int64_t images, int64_t h, int64_t w, uint8_t *foreground)
{
    const int64_t count = images * h * w;

    for (int64_t i = 0; i < count; i++)
        foreground[i] = scores[i * DF_PCA_COMPONENTS] > 0.5f;
    if (!borders_are_high(foreground, images, h, w))
        return true;
    for (int64_t i = 0; i < count; i++)
        foreground[i] = !foreground[i];
    return false;
}
