/* How similar all images' patches are to one of the first image. */
#include "pca_job.h"

#include "dinoft/cluster_picture.h"
#include "dinoft/error.h"
#include "dinoft/feature_picture.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct similarity_state {
    float *similar; /* [all]: cosine similarity */
    float *patch;   /* [dim]: the features to which */
    float least, largest;
};

static int open_similarity(struct pca_job *job)
{
    struct similarity_state *state = job->state = calloc(1, sizeof *state);
    const size_t dim = (size_t)job->features.setup.vit.dim;

    if (state) {
        state->similar = malloc((size_t)job->all * sizeof *state->similar);
        state->patch = malloc(dim * sizeof *state->patch);
        if (state->similar && state->patch)
            return 0;
    }
    return df_error_memory("the similarity of all patches", (size_t)job->all * sizeof *state->similar);
}

static void close_similarity(struct pca_job *job)
{
    struct similarity_state *state = job->state;

    if (!state)
        return;
    free(state->similar);
    free(state->patch);
    free(state);
}

/* The features that the pixel's patch has. */
static int choose_patch(struct pca_job *job)
{
    const struct similarity_state *state = job->state;
    const struct pca_size *size = &job->sizes[0];
    const int64_t x = job->config->similar_to[0], y = job->config->similar_to[1];
    const int64_t dim = job->features.setup.vit.dim;

    if (x >= size->width || y >= size->height)
        return df_error_set(
            "--similar_to %" PRId64 " %" PRId64 " is not in %s, which is %" PRId64 " pixels wide and %" PRId64
            " high: expected X from 0 to %" PRId64 " and Y from 0 to %" PRId64,
            x, y, job->inputs.items[0].path, size->width, size->height, size->width - 1, size->height - 1);
    const int64_t patch = y * job->grid_h / size->height * job->grid_w + x * job->grid_w / size->width;
    memcpy(state->patch, job->values + patch * dim, (size_t)dim * sizeof *state->patch);
    return 0;
}

/* 0 where one of them has no direction. */
static float cosine(const float *a, const float *b, int64_t dim)
{
    double product = 0.0, square_a = 0.0, square_b = 0.0;

    for (int64_t d = 0; d < dim; d++) {
        product += (double)a[d] * b[d];
        square_a += (double)a[d] * a[d];
        square_b += (double)b[d] * b[d];
    }
    const double lengths = sqrt(square_a) * sqrt(square_b);
    return lengths > 0.0 ? (float)(product / lengths) : 0.0f;
}

static int take_similarity(struct pca_job *job, int64_t image)
{
    const struct similarity_state *state = job->state;
    const int64_t dim = job->features.setup.vit.dim;

    if (image == 0)
        DF_TRY(choose_patch(job));
    for (int64_t p = 0; p < job->patches; p++)
        state->similar[image * job->patches + p] = cosine(state->patch, job->values + p * dim, dim);
    return 0;
}

static int find_similarity(struct pca_job *job)
{
    struct similarity_state *state = job->state;
    int64_t least = 0, largest = 0;

    for (int64_t i = 1; i < job->all; i++) {
        least = state->similar[i] < state->similar[least] ? i : least;
        largest = state->similar[i] > state->similar[largest] ? i : largest;
    }
    state->least = state->similar[least];
    state->largest = state->similar[largest];
    df_log("cosine similarity to the patch at %" PRId64 " %" PRId64 " of %s: from %.3f (dark violet), in %s, "
           "to %.3f (yellow)",
           job->config->similar_to[0], job->config->similar_to[1], job->inputs.items[0].path, state->least,
           job->inputs.items[least / job->patches].path, state->largest);
    return 0;
}

/* [patches, DF_PATCH_COLORS] of an image: grey. */
static void shade_patches(const struct pca_job *job, int64_t image, float *colors)
{
    const struct similarity_state *state = job->state;
    const float range = state->largest - state->least;

    for (int64_t p = 0; p < job->patches; p++) {
        const float above = state->similar[image * job->patches + p] - state->least;
        for (int c = 0; c < 3; c++)
            colors[p * DF_PATCH_COLORS + c] = range > 0.0f ? above / range : 1.0f;
        colors[p * DF_PATCH_COLORS + 3] = 1.0f;
    }
}

static int draw_similarity(const struct pca_job *job, int64_t number, const struct df_image *image,
                           struct pca_drawing *drawing)
{
    DF_TRY(pca_draw_patches(job, number, image, shade_patches, &drawing->picture));
    df_picture_heat(&drawing->picture);
    if (number == 0)
        df_picture_mark(&drawing->picture, job->config->similar_to[0], job->config->similar_to[1]);
    return 0;
}

static const char *const endings[] = {"_similar.png"};

const struct pca_kind pca_similarity = {.endings = endings,
                                        .n_endings = 1,
                                        .open = open_similarity,
                                        .take = take_similarity,
                                        .find = find_similarity,
                                        .draw = draw_similarity,
                                        .close = close_similarity};
