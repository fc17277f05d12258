/* Clusters of all images' patches. */
#include "pca_job.h"

#include "dinoft/cluster_picture.h"
#include "dinoft/error.h"
#include "dinoft/kmeans.h"
#include "dinoft/log.h"
#include "dinoft/overlay.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Patches that clusters are found from, if there are more of them: as many as one does not wait for, and
 * enough that the clusters hardly depend on which they are. */
#define FIT_PATCHES 32768

struct clusters_state {
    struct df_clusters clusters;
    struct df_overlay_style style;
    atomic_int_least64_t pixels[DF_MAX_CLUSTERS]; /* of all pictures */
};

static int open_clusters(struct pca_job *job)
{
    struct clusters_state *state = job->state = calloc(1, sizeof *state);

    if (!state)
        return df_error_memory("clusters", sizeof *state);
    df_cluster_palette(state->style.palette.rgb);
    state->style.opacity = DF_OVERLAY_OPACITY;
    state->style.outlines = true;
    return 0;
}

static void close_clusters(struct pca_job *job)
{
    struct clusters_state *state = job->state;

    if (!state)
        return;
    df_clusters_free(&state->clusters);
    free(state);
}

/* Patches that are drawn from all of them, each as likely as any other, in their order. */
struct sample {
    struct df_rng rng;
    int64_t seen, taken, wanted;
    float *rows; /* [wanted, dim] */
};

static void draw_patches(struct pca_job *job, int64_t image, const float *values, void *context)
{
    struct sample *sample = context;
    const int64_t dim = job->features.setup.vit.dim;

    (void)image;
    for (int64_t p = 0; p < job->patches; p++) {
        const uint64_t left = (uint64_t)(job->all - sample->seen++);
        if (df_rng_below(&sample->rng, left) < (uint64_t)(sample->wanted - sample->taken))
            memcpy(sample->rows + dim * sample->taken++, values + dim * p, (size_t)dim * sizeof *values);
    }
}

static int fit(struct pca_job *job, struct sample *sample)
{
    struct clusters_state *state = job->state;
    const struct df_config *config = job->config;
    const bool by_direction = config->cluster_by == DF_CLUSTER_BY_COSINE;

    if (df_clusters_fit(&state->clusters, sample->rows, sample->wanted, job->features.setup.vit.dim,
                        (int)config->clusters, by_direction, (uint64_t)config->seed) != 0)
        return 1;
    df_log("%d clusters of %" PRId64 " of %" PRId64
           " patches by %s: mean squared distance from the centres %.6g",
           state->clusters.count, sample->wanted, job->all,
           by_direction ? "cosine similarity" : "Euclidean distance",
           state->clusters.inertia / (double)sample->wanted);
    return 0;
}

static int find_clusters(struct pca_job *job)
{
    const int64_t dim = job->features.setup.vit.dim;
    struct sample sample = {.wanted = df_min_i64(job->all, FIT_PATCHES)};
    const size_t bytes = (size_t)(sample.wanted * dim) * sizeof *sample.rows;
    int status = 1;

    sample.rows = malloc(bytes);
    if (!sample.rows) {
        df_error_memory("the patches that clusters are found from", bytes);
        return 1;
    }
    df_rng_seed(&sample.rng, (uint64_t)job->config->seed, df_hash_text("patches of clusters"));
    status = pca_visit_all(job, draw_patches, &sample);
    if (status == 0)
        status = fit(job, &sample);
    free(sample.rows);
    return status;
}

static void count_pixels(struct clusters_state *state, const struct df_image *indices)
{
    int64_t counts[256] = {0};

    for (int64_t i = 0; i < indices->width * indices->height; i++)
        counts[indices->pixels[i]]++;
    for (int k = 0; k < state->clusters.count; k++)
        atomic_fetch_add(&state->pixels[k], counts[k]);
}

/* [patches, clusters] of an image. values: room for its features. */
static int find_distances(const struct pca_job *job, int64_t image, float *values, float *distances)
{
    const struct clusters_state *state = job->state;
    const void *kept = df_record_store_read(job->kept, image, 0, job->bytes, values);

    if (!kept)
        return -1;
    if (kept != values)
        memcpy(values, kept, job->bytes);
    df_clusters_distances(&state->clusters, values, job->patches, distances);
    return 0;
}

static int draw_clusters(const struct pca_job *job, int64_t number, const struct df_image *image,
                         struct pca_drawing *drawing)
{
    struct clusters_state *state = job->state;
    const int count = state->clusters.count;
    const size_t bytes = (size_t)(job->patches * count) * sizeof(float);
    float *values = malloc(job->bytes), *distances = malloc(bytes);
    int status = -1;

    if (!values || !distances)
        df_error_memory("an image's clusters", job->bytes + bytes);
    else if (find_distances(job, number, values, distances) == 0 &&
             df_picture_clusters(distances, job->grid_h, job->grid_w, count, job->config->upsample,
                                 image->height, image->width, &drawing->indices) == 0)
        status = df_overlay_draw(image, &drawing->indices, &state->style, &drawing->picture);
    free(values);
    free(distances);
    if (status != 0)
        return -1;
    memcpy(drawing->palette, state->style.palette.rgb, sizeof drawing->palette);
    count_pixels(state, &drawing->indices);
    return 0;
}

static void tell_clusters(const struct pca_job *job)
{
    struct clusters_state *state = job->state;
    int64_t all = 0;

    for (int k = 0; k < state->clusters.count; k++)
        all += state->pixels[k];
    for (int k = 0; k < state->clusters.count; k++) {
        const uint8_t *color = state->style.palette.rgb[k];
        const int64_t pixels = state->pixels[k];
        df_log("cluster %d (#%02x%02x%02x): %" PRId64 " pixels, %.1f %%", k, color[0], color[1], color[2],
               pixels, 100.0 * (double)pixels / (double)all);
    }
}

static const char *const endings[] = {"_clusters_overlay.png", "_clusters.png"};

const struct pca_kind pca_clusters = {.endings = endings,
                                      .n_endings = 2,
                                      .keeps = true,
                                      .over_image = true,
                                      .open = open_clusters,
                                      .find = find_clusters,
                                      .draw = draw_clusters,
                                      .tell = tell_clusters,
                                      .close = close_clusters};
