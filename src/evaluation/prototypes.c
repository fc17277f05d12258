#include "dinoft/prototypes.h"

#include "dinoft/error.h"
#include "dinoft/progress.h"

#include <math.h>
#include <stdlib.h>

#define NEVER (-2.0f) /* a logit below any cosine */

/* What is gathered, and what it is gathered from. */
struct sums {
    int64_t classes, dim, patch, grid_h, grid_w;
    double *features; /* [classes, dim]: sums over pixels */
    float *tokens;    /* [grid_h * grid_w, dim] of an image */
    uint8_t *labels;  /* [grid_h * patch, grid_w * patch] */
    float *weight;    /* [classes, dim] */
};

void df_prototypes_choose(struct df_segmenter_options *options)
{
    options->decoder = "linear";
    options->head = (struct df_head){.norm = DF_HEAD_NORM_L2};
    options->new_parts = DF_PART_DECODER;
}

static int open_sums(struct sums *sums, const struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(segmenter);
    const int64_t patch = df_segmenter_patch(segmenter), dim = df_segmenter_backbone(segmenter)->dim;
    const size_t all = (size_t)(options->classes * dim);

    *sums = (struct sums){.classes = options->classes,
                          .dim = dim,
                          .patch = patch,
                          .grid_h = options->height / patch,
                          .grid_w = options->width / patch};
    sums->features = calloc(all, sizeof *sums->features);
    sums->weight = malloc(all * sizeof *sums->weight);
    sums->tokens = malloc(df_segmenter_feature_bytes(segmenter));
    sums->labels = malloc((size_t)(options->height * options->width));
    if (sums->features && sums->weight && sums->tokens && sums->labels)
        return 0;
    return df_error_memory("prototypes", all * sizeof *sums->features);
}

static void free_sums(struct sums *sums)
{
    free(sums->features);
    free(sums->weight);
    free(sums->tokens);
    free(sums->labels);
}

/* Pixels of each label in a patch. */
static void count_labels(const struct sums *sums, int64_t row, int64_t column, int64_t counts[256])
{
    const int64_t width = sums->grid_w * sums->patch;
    const uint8_t *first = sums->labels + (row * width + column) * sums->patch;

    for (int label = 0; label < 256; label++)
        counts[label] = 0;
    for (int64_t y = 0; y < sums->patch; y++)
        for (int64_t x = 0; x < sums->patch; x++)
            counts[first[y * width + x]]++;
}

static void add_patch(struct sums *sums, const float *token, const int64_t counts[256])
{
    double squares = 0.0;

    for (int64_t i = 0; i < sums->dim; i++)
        squares += (double)token[i] * (double)token[i];
    const double norm = fmax(sqrt(squares), 1e-12);
    for (int64_t class = 0; class < sums->classes; class ++) {
        double *sum = sums->features + class * sums->dim;
        if (counts[class] == 0)
            continue;
        for (int64_t i = 0; i < sums->dim; i++)
            sum[i] += (double)counts[class] * ((double)token[i] / norm);
    }
}

static int add_image(struct sums *sums, struct df_segmenter *segmenter, int64_t i)
{
    int64_t counts[256];

    DF_TRY(df_segmenter_download_features(segmenter, i, 0, sums->tokens));
    DF_TRY(df_segmenter_download_labels(segmenter, i, sums->labels));
    for (int64_t row = 0; row < sums->grid_h; row++) {
        for (int64_t column = 0; column < sums->grid_w; column++) {
            count_labels(sums, row, column, counts);
            add_patch(sums, sums->tokens + (row * sums->grid_w + column) * sums->dim, counts);
        }
    }
    return 0;
}

static int add_images(struct sums *sums, struct df_segmenter *segmenter, struct df_feed *feed,
                      const volatile sig_atomic_t *stop)
{
    struct df_progress *progress = df_progress_open(stderr, "prototypes", df_feed_batches(feed));
    int64_t batches = 0, images = 0;
    struct df_batch batch;
    int status = df_feed_start(feed, 0, 0), more = 0;

    while (status == 0 && !*stop && (more = df_feed_next(feed, segmenter, &batch)) == 1) {
        status = df_segmenter_forward(segmenter, batch.count, false, NULL);
        for (int64_t i = 0; i < batch.count && status == 0; i++)
            status = add_image(sums, segmenter, i);
        images += batch.count;
        df_progress_update(progress, ++batches, images, NAN);
    }
    df_progress_close(progress);
    return more < 0 ? -1 : status;
}

/* A class without pixels has zeros. */
static void find_directions(const struct sums *sums, float *bias, bool *known)
{
    for (int64_t class = 0; class < sums->classes; class ++) {
        const double *sum = sums->features + class * sums->dim;
        double squares = 0.0;
        for (int64_t i = 0; i < sums->dim; i++)
            squares += sum[i] * sum[i];
        known[class] = squares > 0.0;
        bias[class] = known[class] ? 0.0f : NEVER;
        for (int64_t i = 0; i < sums->dim; i++)
            sums->weight[class * sums->dim + i] = known[class] ? (float)(sum[i] / sqrt(squares)) : 0.0f;
    }
}

int df_prototypes_make(struct df_segmenter *segmenter, struct df_feed *feed,
                       const volatile sig_atomic_t *stop, bool *known)
{
    float bias[DF_MAX_CLASSES];
    struct sums sums;
    int status = -1;

    if (open_sums(&sums, segmenter) != 0 || add_images(&sums, segmenter, feed, stop) != 0)
        goto done;
    status = 0;
    if (*stop)
        goto done;
    find_directions(&sums, bias, known);
    status = df_segmenter_set_parameter(segmenter, "linear.classifier.weight", sums.weight);
    if (status == 0)
        status = df_segmenter_set_parameter(segmenter, "linear.classifier.bias", bias);
done:
    free_sums(&sums);
    return status;
}
