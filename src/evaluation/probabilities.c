#include "dinoft/probabilities.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Where an index of the enlarged image reads, by PyTorch's rule (align_corners = false). */
struct tap {
    int64_t low, high;
    float weight; /* of high */
};

static struct tap tap_of(int64_t i, int64_t in, int64_t out)
{
    const float at = fmaxf(((float)i + 0.5f) * ((float)in / (float)out) - 0.5f, 0.0f);
    const int64_t low = df_min_i64((int64_t)at, in - 1);
    return (struct tap){low, df_min_i64(low + 1, in - 1), fminf(at - (float)low, 1.0f)};
}

static int fetch(struct df_backend *backend, const float *values, struct df_probabilities *probabilities)
{
    const int64_t shape[4] = {probabilities->h, probabilities->w, probabilities->classes, sizeof(float)};
    size_t bytes;

    probabilities->values = df_shape_count(shape, 4, &bytes) ? malloc(bytes) : NULL;
    if (!probabilities->values)
        return df_error_memory("an image's probabilities", bytes);
    return backend->ops->download(backend, probabilities->values, values, bytes);
}

int df_probabilities_of_logits(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                               struct df_probabilities *probabilities)
{
    const struct df_logits logits = df_segmenter_logits(segmenter, i);

    *probabilities = (struct df_probabilities){.h = logits.h,
                                               .w = logits.w,
                                               .height = height,
                                               .width = width,
                                               .classes = df_segmenter_made_with(segmenter)->classes};
    return fetch(df_segmenter_backend(segmenter), logits.values, probabilities);
}

int df_probabilities_of_sum(struct df_backend *backend, const float *sum, int64_t height, int64_t width,
                            int64_t classes, int64_t views, struct df_probabilities *probabilities)
{
    *probabilities = (struct df_probabilities){
        .h = height, .w = width, .views = views, .height = height, .width = width, .classes = classes};
    return fetch(backend, sum, probabilities);
}

void df_probabilities_free(struct df_probabilities *probabilities)
{
    free(probabilities->values);
    probabilities->values = NULL;
}

/* values [classes] from logits to their softmax. */
static void softmax(float *values, int64_t classes)
{
    float most = values[0], sum = 0.0f;

    for (int64_t c = 1; c < classes; c++)
        most = fmaxf(most, values[c]);
    for (int64_t c = 0; c < classes; c++) {
        values[c] = expf(values[c] - most);
        sum += values[c];
    }
    for (int64_t c = 0; c < classes; c++)
        values[c] /= sum;
}

static void enlarge_row(const struct df_probabilities *from, int64_t y, float *row)
{
    const int64_t classes = from->classes;
    const struct tap rows = tap_of(y, from->h, from->height);
    const float *upper = from->values + rows.low * from->w * classes;
    const float *lower = from->values + rows.high * from->w * classes;

    for (int64_t x = 0; x < from->width; x++, row += classes) {
        const struct tap columns = tap_of(x, from->w, from->width);
        const int64_t left = columns.low * classes, right = columns.high * classes;
        for (int64_t c = 0; c < classes; c++) {
            const float a = upper[left + c] + rows.weight * (lower[left + c] - upper[left + c]);
            const float b = upper[right + c] + rows.weight * (lower[right + c] - upper[right + c]);
            row[c] = a + columns.weight * (b - a);
        }
        softmax(row, classes);
    }
}

void df_probabilities_row(const struct df_probabilities *probabilities, int64_t y, float *row)
{
    const int64_t count = probabilities->width * probabilities->classes;
    const float *sums = probabilities->values + y * count;

    assert(y >= 0 && y < probabilities->height);
    if (probabilities->views == 0) {
        enlarge_row(probabilities, y, row);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        row[i] = sums[i] / (float)probabilities->views;
}
