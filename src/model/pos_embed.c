#include "position.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each is torch.nn.functional.interpolate with align_corners = false. */
enum rule {
    BY_FACTOR,         /* bicubic, a = -0.75, scale (out + 0.1) / grid, no antialiasing */
    BY_SIZE,           /* the same with scale out / grid */
    ANTIALIASED,       /* bicubic, a = -0.5, by size, antialiased */
    ANTIALIASED_LINEAR /* bilinear, by size, antialiased */
};

/* Meta's code knows models with registers by another flag than those without; so does Hugging Face's, by two
 * classes. Both copy TIPS's own. timm has one way for all. */
static enum rule rule_of(const struct df_vit_config *config)
{
    if (config->pos_interpolation == DF_POS_TIMM)
        return ANTIALIASED;
    if (df_vit_is_tips(config))
        return ANTIALIASED_LINEAR;
    if (config->registers > 0)
        return ANTIALIASED;
    return config->pos_interpolation == DF_POS_HUGGINGFACE ? BY_SIZE : BY_FACTOR;
}

/* The source pixels that one output coordinate reads, and their weights. */
struct taps {
    int64_t first, count;
    float *weights; /* [max_taps] */
};

/* Keys' cubic convolution kernel with parameter a. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x <= 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0)
        return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

static double linear(double x)
{
    return fmax(0.0, 1.0 - fabs(x));
}

/* PyTorch's bicubic without antialiasing: four taps, clamped at the border. The scale goes through float, as
 * there. */
static void plain_taps(float scale, int64_t index, int64_t grid, struct taps *taps)
{
    float position = scale * ((float)index + 0.5f) - 0.5f;
    float base = floorf(position);
    double fraction = (double)(position - base);

    taps->first = 0;
    taps->count = grid;
    memset(taps->weights, 0, (size_t)grid * sizeof *taps->weights);
    for (int64_t i = 0; i < 4; i++) {
        int64_t source = df_min_i64(df_max_i64((int64_t)base - 1 + i, 0), grid - 1);
        taps->weights[source] += (float)cubic(fraction + 1.0 - (double)i, -0.75);
    }
}

/* PyTorch's antialiased filters: the kernel is widened by the scale when the grid shrinks, its weights
 * renormalised. */
static void antialias_taps(bool is_linear, int64_t out, int64_t index, int64_t grid, struct taps *taps)
{
    double scale = (double)grid / (double)out;
    double widen = scale >= 1.0 ? scale : 1.0;
    double support = (is_linear ? 1.0 : 2.0) * widen;
    double center = scale * ((double)index + 0.5);
    double total = 0.0;

    taps->first = df_max_i64((int64_t)(center - support + 0.5), 0);
    taps->count = df_min_i64((int64_t)(center + support + 0.5), grid) - taps->first;
    for (int pass = 0; pass < 2; pass++) { /* the sum, then the weights */
        for (int64_t i = 0; i < taps->count; i++) {
            const double x = ((double)(i + taps->first) - center + 0.5) / widen;
            const double weight = is_linear ? linear(x) : cubic(x, -0.5);
            if (pass == 0)
                total += weight;
            else
                taps->weights[i] = (float)(weight / total);
        }
    }
}

static void make_taps(enum rule rule, int64_t out, int64_t index, int64_t grid, struct taps *taps)
{
    if (rule == BY_FACTOR)
        plain_taps((float)(1.0 / (((double)out + 0.1) / (double)grid)), index, grid, taps);
    else if (rule == BY_SIZE)
        plain_taps((float)grid / (float)out, index, grid, taps);
    else
        antialias_taps(rule == ANTIALIASED_LINEAR, out, index, grid, taps);
}

/* destination [dim] += sum of taps over rows of source that are `stride` elements apart. */
static void weigh(const float *source, int64_t stride, int64_t dim, const struct taps *taps,
                  float *destination)
{
    memset(destination, 0, (size_t)dim * sizeof *destination);
    for (int64_t i = 0; i < taps->count; i++) {
        float weight = taps->weights[i];
        const float *row = source + (taps->first + i) * stride;
        if (weight == 0.0f)
            continue;
        for (int64_t d = 0; d < dim; d++)
            destination[d] += weight * row[d];
    }
}

int df_pos_embed_interpolate(const float *source, const struct df_vit_config *config, int64_t h, int64_t w,
                             float *destination)
{
    const int64_t grid = config->pos_grid, dim = config->dim;
    const enum rule rule = rule_of(config);

    if (h == grid && w == grid) {
        memcpy(destination, source, (size_t)(grid * grid * dim) * sizeof *destination);
        return 0;
    }
    struct taps taps = {.weights = malloc((size_t)grid * sizeof(float))};
    float *wide = malloc((size_t)(grid * w * dim) * sizeof *wide); /* [grid, w, dim], resized horizontally */
    int status = -1;
    if (!taps.weights || !wide) {
        df_error_memory("the position embedding", (unsigned long long)(grid * w * dim) * sizeof *wide);
        goto done;
    }
    for (int64_t x = 0; x < w; x++) {
        make_taps(rule, w, x, grid, &taps);
        for (int64_t y = 0; y < grid; y++)
            weigh(source + y * grid * dim, dim, dim, &taps, wide + (y * w + x) * dim);
    }
    for (int64_t y = 0; y < h; y++) {
        make_taps(rule, h, y, grid, &taps);
        for (int64_t x = 0; x < w; x++)
            weigh(wide + x * dim, w * dim, dim, &taps, destination + (y * w + x) * dim);
    }
    status = 0;
done:
    free(taps.weights);
    free(wide);
    return status;
}
