/* Pictures of the features' principal components. */
#include "pca_job.h"

#include "dinoft/component_scores.h"
#include "dinoft/error.h"
#include "dinoft/feature_picture.h"
#include "dinoft/log.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdlib.h>

struct components_state {
    struct df_pca *pca;  /* the sums over all features */
    float *scores;       /* [all, DF_PCA_COMPONENTS] */
    uint8_t *foreground; /* [all]; NULL: all are */
};

static int open_components(struct pca_job *job)
{
    struct components_state *state = job->state = calloc(1, sizeof *state);
    size_t bytes;

    if (!df_size_mul((size_t)job->all, DF_PCA_COMPONENTS * sizeof *state->scores, &bytes))
        bytes = SIZE_MAX;
    if (!state)
        return df_error_memory("the components of all images", bytes);
    state->scores = malloc(bytes);
    if (job->config->foreground)
        state->foreground = malloc((size_t)job->all);
    if (!state->scores || (job->config->foreground && !state->foreground))
        return df_error_memory("the components of all images", bytes);
    state->pca = df_pca_new(job->features.setup.vit.dim);
    return state->pca ? 0 : -1;
}

static void close_components(struct pca_job *job)
{
    struct components_state *state = job->state;

    if (!state)
        return;
    df_pca_free(state->pca);
    free(state->scores);
    free(state->foreground);
    free(state);
}

static int take_features(struct pca_job *job, int64_t image)
{
    const struct components_state *state = job->state;

    (void)image;
    df_pca_add(state->pca, job->values, job->patches, NULL);
    return 0;
}

/* The sums over the foreground's features alone. */
static void add_foreground(struct pca_job *job, int64_t image, const float *values, void *context)
{
    const struct components_state *state = job->state;

    (void)context;
    df_pca_add(state->pca, values, job->patches, state->foreground + image * job->patches);
}

static void score(struct pca_job *job, int64_t image, const float *values, void *context)
{
    const struct components_state *state = job->state;

    df_components_project(context, values, job->patches,
                          state->scores + image * job->patches * DF_PCA_COMPONENTS);
}

static double share(double part, double whole)
{
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

/* Scores of all patches from the sums, scaled. An exit status, as of the functions below. */
static int find_scores(struct pca_job *job, bool of_foreground)
{
    const struct components_state *state = job->state;
    struct df_components components = {0};
    int status = df_pca_solve(state->pca, &components) == 0 ? 0 : 1;

    if (status == 0) {
        const double *variance = components.variance, total = components.total_variance;
        df_log("principal components of %" PRId64 "%s patches: %.1f, %.1f and %.1f %% of their variance",
               components.rows, of_foreground ? " foreground" : "", share(variance[0], total),
               share(variance[1], total), share(variance[2], total));
        status = pca_visit_all(job, score, &components);
    }
    if (status == 0)
        df_scores_scale(state->scores, job->all, of_foreground ? state->foreground : NULL);
    df_components_free(&components);
    return status;
}

static int find_foreground(struct pca_job *job)
{
    struct components_state *state = job->state;
    const bool high =
        df_scores_foreground(state->scores, job->images, job->grid_h, job->grid_w, state->foreground);

    df_log("foreground: patches whose first component is %s, of which images' borders have less",
           high ? "high" : "low");
    df_pca_free(state->pca);
    state->pca = df_pca_new(job->features.setup.vit.dim);
    if (!state->pca)
        return 1;
    const int status = pca_visit_all(job, add_foreground, NULL);
    return status == 0 ? find_scores(job, true) : status;
}

static int find_components(struct pca_job *job)
{
    const struct components_state *state = job->state;
    int status = find_scores(job, false);

    if (status == 0 && state->foreground)
        status = find_foreground(job);
    pca_drop_features(job);
    return status;
}

/* [patches, DF_PATCH_COLORS] of an image. */
static void color_patches(const struct pca_job *job, int64_t image, float *colors)
{
    const struct components_state *state = job->state;
    const float *scores = state->scores + image * job->patches * DF_PCA_COMPONENTS;

    for (int64_t p = 0; p < job->patches; p++) {
        for (int c = 0; c < 3; c++)
            colors[p * DF_PATCH_COLORS + c] = scores[p * DF_PCA_COMPONENTS + c];
        colors[p * DF_PATCH_COLORS + 3] =
            !state->foreground || state->foreground[image * job->patches + p] ? 1.0f : 0.0f;
    }
}

static int draw_components(const struct pca_job *job, int64_t number, const struct df_image *image,
                           struct pca_drawing *drawing)
{
    return pca_draw_patches(job, number, image, color_patches, &drawing->picture);
}

static const char *const endings[] = {"_pca.png"};

const struct pca_kind pca_components = {.endings = endings,
                                        .n_endings = 1,
                                        .keeps = true,
                                        .open = open_components,
                                        .take = take_features,
                                        .find = find_components,
                                        .draw = draw_components,
                                        .close = close_components};
