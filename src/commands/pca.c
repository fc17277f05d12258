/* Features of all images, their principal components, and a picture of each image from them. */
#include "commands.h"
#include "image_features.h"
#include "inputs.h"
#include "interrupt.h"
#include "jobs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/available.h"
#include "dinoft/backend.h"
#include "dinoft/component_scores.h"
#include "dinoft/error.h"
#include "dinoft/feature_picture.h"
#include "dinoft/log.h"
#include "dinoft/record_store.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdlib.h>

#define MIB 1048576.0

static const char *const endings[] = {"_pca.png"};

struct image_size {
    int64_t height, width;
};

struct pictures {
    const struct df_config *config;
    struct inputs inputs; /* once features are extracted: of the images that could be read */
    struct image_features features;
    struct df_record_store *kept; /* each image's features, until they were used for the last time */
    float *values;                /* one image's */
    size_t bytes;                 /* of one image's */
    int64_t grid_h, grid_w, patches;
    int64_t all;              /* patches of all images */
    struct image_size *sizes; /* [images] */
    float *scores;            /* [all, DF_PCA_COMPONENTS] */
    uint8_t *foreground;      /* [all]; NULL: all are */
};

static int keep_features(struct pictures *job, int64_t images, size_t memory)
{
    const char *folder = job->config->output_dir;
    size_t all;

    job->bytes = (size_t)(job->patches * job->features.setup.vit.dim) * sizeof(float);
    job->values = malloc(job->bytes);
    if (!job->values)
        return df_error_memory("an image's features", job->bytes);
    job->kept = df_record_store_open("features", images, memory, folder);
    if (!job->kept)
        return -1;
    DF_TRY(df_record_store_take(job->kept, 0, images, job->bytes));
    DF_TRY(df_record_store_reserve(job->kept));
    if (df_size_mul((size_t)images, job->bytes, &all) && all > memory)
        df_log("the features of all images take %.1f MiB, of memory there are %.1f to spare: "
               "they are kept in %s meanwhile",
               (double)all / MIB, (double)memory / MIB, folder);
    return 0;
}

static int prepare(struct pictures *job)
{
    const int64_t images = (int64_t)job->inputs.count;
    size_t values;

    DF_TRY(image_features_open(&job->features, 1, false));
    job->grid_h = job->features.grid_h;
    job->grid_w = job->features.grid_w;
    job->patches = job->features.patches;
    job->all = images * job->patches;
    if (!df_size_mul((size_t)job->all, DF_PCA_COMPONENTS * sizeof *job->scores, &values))
        values = SIZE_MAX;
    job->scores = malloc(values);
    job->sizes = calloc((size_t)images, sizeof *job->sizes);
    if (job->config->foreground)
        job->foreground = malloc((size_t)job->all);
    if (!job->scores || !job->sizes || (job->config->foreground && !job->foreground))
        return df_error_memory("the components of all images", values);
    return keep_features(job, images, df_available_memory() / 2);
}

/* The sums over all features, which are kept for what comes after. */
struct extraction {
    struct pictures *job;
    struct df_pca *pca;
};

static int extract_image(void *context, const struct decoded *image, size_t i, size_t done)
{
    const struct extraction *extraction = context;
    struct pictures *job = extraction->job;

    (void)i;
    job->sizes[done] = (struct image_size){image->image.height, image->image.width};
    DF_TRY(image_features_run(&job->features, image->resized));
    DF_TRY(image_features_patches(&job->features, 0, job->values));
    df_pca_add(extraction->pca, job->values, job->patches, NULL);
    return df_record_store_write(job->kept, (int64_t)done, 0, job->values, job->bytes);
}

/* The exit status, as of the functions below. */
static int extract_all(struct pictures *job, struct df_pca *pca)
{
    struct extraction extraction = {job, pca};
    const int status =
        image_features_each(&job->features, job->config, &job->inputs, extract_image, &extraction);

    inputs_drop_failed(&job->inputs);
    job->all = (int64_t)job->inputs.count * job->patches;
    return status;
}

/* The sums over the foreground's features alone. */
static int add_foreground(struct pictures *job, struct df_pca *pca)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    for (int64_t i = 0; i < (int64_t)job->inputs.count; i++) {
        const float *values = df_record_store_read(job->kept, i, 0, job->bytes, job->values);
        if (*stop)
            return EXIT_INTERRUPTED;
        if (!values)
            return 1;
        df_pca_add(pca, values, job->patches, job->foreground + i * job->patches);
    }
    return 0;
}

static int score_all(struct pictures *job, const struct df_components *components)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    for (int64_t i = 0; i < (int64_t)job->inputs.count; i++) {
        const float *values = df_record_store_read(job->kept, i, 0, job->bytes, job->values);
        if (*stop)
            return EXIT_INTERRUPTED;
        if (!values)
            return 1;
        df_components_project(components, values, job->patches,
                              job->scores + i * job->patches * DF_PCA_COMPONENTS);
    }
    return 0;
}

static double share(double part, double whole)
{
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

/* Components of all patches, or of the foreground once it is known; scores, scaled. */
static int find_components(struct pictures *job, bool of_foreground)
{
    struct df_pca *pca = df_pca_new(job->features.setup.vit.dim);
    struct df_components components = {0};
    int status = 1;

    if (pca)
        status = of_foreground ? add_foreground(job, pca) : extract_all(job, pca);
    if (status == 0 && df_pca_solve(pca, &components) != 0)
        status = 1;
    if (status == 0) {
        const double *variance = components.variance, total = components.total_variance;
        df_log("principal components of %" PRId64 "%s patches: %.1f, %.1f and %.1f %% of their variance",
               components.rows, of_foreground ? " foreground" : "", share(variance[0], total),
               share(variance[1], total), share(variance[2], total));
        status = score_all(job, &components);
    }
    if (status == 0)
        df_scores_scale(job->scores, job->all, of_foreground ? job->foreground : NULL);
    df_components_free(&components);
    df_pca_free(pca);
    return status;
}

static int find_foreground(struct pictures *job)
{
    const bool high = df_scores_foreground(job->scores, (int64_t)job->inputs.count, job->grid_h, job->grid_w,
                                           job->foreground);

    df_log("foreground: patches whose first component is %s, of which images' borders have less",
           high ? "high" : "low");
    return find_components(job, true);
}

/* [patches, DF_PATCH_COLORS] of image i. */
static void color_patches(const struct pictures *job, int i, float *colors)
{
    const float *scores = job->scores + i * job->patches * DF_PCA_COMPONENTS;

    for (int64_t p = 0; p < job->patches; p++) {
        for (int c = 0; c < 3; c++)
            colors[p * DF_PATCH_COLORS + c] = scores[p * DF_PCA_COMPONENTS + c];
        colors[p * DF_PATCH_COLORS + 3] =
            !job->foreground || job->foreground[i * job->patches + p] ? 1.0f : 0.0f;
    }
}

static int make_picture(const struct pictures *job, int i, const float *colors, struct df_image *picture)
{
    struct df_image image = {0};

    if (!job->config->upsample)
        return df_picture_patches(colors, job->grid_h, job->grid_w, job->sizes[i].height, job->sizes[i].width,
                                  picture);
    DF_TRY(df_image_read(job->inputs.items[i].path, &job->config->reading, &image));
    const int status = df_picture_guided(colors, job->grid_h, job->grid_w, &image, picture);
    df_image_free(&image);
    return status;
}

static int write_picture(void *context, int64_t number)
{
    const struct pictures *job = context;
    const int i = (int)number;
    const size_t bytes = (size_t)job->patches * DF_PATCH_COLORS * sizeof(float);
    struct df_image picture = {0};
    float *colors = malloc(bytes);
    char *path = input_output_path(job->config, &job->inputs.items[i], endings[0]);
    int status = -1;

    if (!colors)
        df_error_memory("an image's colours", bytes);
    if (colors && path) {
        color_patches(job, i, colors);
        if (make_picture(job, i, colors, &picture) == 0)
            status = df_png_write_rgb(path, &picture);
    }
    df_image_free(&picture);
    free(colors);
    free(path);
    return status;
}

static int picture_all(struct pictures *job)
{
    int status = find_components(job, false);

    if (status == 0 && job->foreground)
        status = find_foreground(job);
    if (status != 0)
        return status;
    /* Pictures need the memory more. */
    df_record_store_close(job->kept);
    job->kept = NULL;
    image_features_release(&job->features);
    status = jobs_run("pictures", (int64_t)job->inputs.count, job->features.setup.backend->threads,
                      write_picture, job);
    return status == 0 ? inputs_status(&job->inputs) : status;
}

int command_pca(struct df_config *config)
{
    struct pictures job = {.config = config};
    const struct input_outputs outputs = {.endings = endings, .n_endings = 1};
    int status = 1;

    if (inputs_read(&job.inputs, config) == 0 && inputs_name(&job.inputs) == 0 &&
        df_check_writable(config->output_dir) == 0 &&
        inputs_check_outputs(&job.inputs, config, &outputs) == 0 &&
        df_setup_open(&job.features.setup, config) == 0 &&
        inputs_check_model(&job.inputs, config, &job.features.setup, &outputs) == 0 &&
        inputs_make_folders(&job.inputs, config) == 0 && prepare(&job) == 0)
        status = picture_all(&job);
    df_record_store_close(job.kept);
    image_features_close(&job.features);
    inputs_free(&job.inputs);
    free(job.values);
    free(job.sizes);
    free(job.scores);
    free(job.foreground);
    return status;
}
