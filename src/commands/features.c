#include "commands.h"
#include "inputs.h"
#include "interrupt.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/extractor.h"
#include "dinoft/report.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"
#include "dinoft/weight_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The backbone over one image at a time, and what it found of all images in one state dict. */
struct extraction {
    const struct df_config *config;
    struct df_setup setup;
    struct df_extractor extractor;
    uint8_t *pixels;                    /* [H, W, 3] */
    float *class_tokens;                /* [images, D] */
    float *patch_tokens;                /* [images, P, D] */
    float *layers[DF_VIT_MAX_FEATURES]; /* [images, D, h, w] */
    float *tokens;                      /* [P, D] of one image */
};

static int64_t patches(const struct extraction *job)
{
    return df_vit_grid_h(job->extractor.vit) * df_vit_grid_w(job->extractor.vit);
}

static int prepare(struct extraction *job)
{
    const struct df_extractor_options options = {
        .max_batch = 1,
        .n_features = (int)df_max_i64(job->config->layers, 1),
        .class_tokens = true,
        .fold = job->setup.checkpoint ? job->setup.checkpoint->state : NULL,
    };
    return df_extractor_open(&job->extractor, &job->setup, &options);
}

/* count floats, or NULL with the error set. */
static float *new_floats(int64_t count)
{
    float *values = malloc((size_t)count * sizeof *values);
    if (!values)
        df_error_memory("the features", (unsigned long long)count * sizeof *values);
    return values;
}

static int allocate(struct extraction *job)
{
    int64_t images = job->config->n_inputs, dim = job->setup.vit.dim, all = images * patches(job) * dim;

    job->pixels = malloc((size_t)(job->setup.height * job->setup.width * 3));
    if (!job->pixels)
        return df_error_memory("an image", (unsigned long long)(job->setup.height * job->setup.width * 3));
    if (!(job->tokens = new_floats(patches(job) * dim)) || !(job->class_tokens = new_floats(images * dim)) ||
        !(job->patch_tokens = new_floats(all)))
        return -1;
    for (int64_t i = 0; i < job->config->layers; i++) {
        if (!(job->layers[i] = new_floats(all)))
            return -1;
    }
    return 0;
}

static int fetch(struct extraction *job, const float *device, int64_t count, float *values)
{
    struct df_backend *backend = job->setup.backend;
    return backend->ops->download(backend, values, device, (size_t)count * sizeof *values);
}

/* [P, D] -> [D, P] */
static void transpose(const float *tokens, int64_t rows, int64_t dim, float *map)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t d = 0; d < dim; d++)
            map[d * rows + row] = tokens[row * dim + d];
}

static int extract(struct extraction *job, int64_t i)
{
    const struct df_vit *vit = job->extractor.vit;
    struct df_image image = {0};
    int64_t dim = job->setup.vit.dim, count = patches(job) * dim;
    int layers = (int)job->config->layers;
    int last = layers > 0 ? layers - 1 : 0;

    DF_TRY(input_read(job->config->inputs[i], job->setup.height, job->setup.width, &image, job->pixels));
    df_image_free(&image);
    DF_TRY(df_extractor_run(&job->extractor, 1, job->pixels));
    DF_TRY(fetch(job, df_vit_class_token(vit), dim, job->class_tokens + i * dim));
    DF_TRY(fetch(job, df_vit_feature(vit, last), count, job->patch_tokens + i * count));
    for (int layer = 0; layer < layers; layer++) {
        DF_TRY(fetch(job, df_vit_feature(vit, layer), count, job->tokens));
        transpose(job->tokens, patches(job), dim, job->layers[layer] + i * count);
    }
    return 0;
}

static int write_features(const struct extraction *job)
{
    int64_t images = job->config->n_inputs, dim = job->setup.vit.dim;
    const int64_t map[4] = {images, dim, df_vit_grid_h(job->extractor.vit),
                            df_vit_grid_w(job->extractor.vit)};
    struct df_state *state = df_state_new();
    int status = -1;

    if (!state ||
        !df_state_borrow(state, "x_norm_clstoken", DF_F32, 2, (int64_t[]){images, dim}, job->class_tokens) ||
        !df_state_borrow(state, "x_norm_patchtokens", DF_F32, 3, (int64_t[]){images, patches(job), dim},
                         job->patch_tokens))
        goto done;
    for (int64_t i = 0; i < job->config->layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "intermediate_%d", (int)i);
        if (!df_state_borrow(state, name, DF_F32, 4, map, job->layers[i]))
            goto done;
    }
    status = df_weight_file_write(job->config->output, state);
done:
    df_state_free(state);
    return status;
}

static int extract_all(struct extraction *job)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct df_progress *progress = df_progress_open(stderr, "features", job->config->n_inputs);
    int status = 0;

    for (int i = 0; i < job->config->n_inputs && status == 0; i++) {
        if (*stop)
            status = EXIT_INTERRUPTED;
        else if (extract(job, i) != 0)
            status = 1;
        else
            df_progress_update(progress, i + 1, i + 1, NAN);
    }
    df_progress_close(progress);
    if (status == 0 && write_features(job) != 0)
        status = 1;
    return status;
}

static void finish(struct extraction *job)
{
    df_extractor_close(&job->extractor);
    df_setup_close(&job->setup);
    for (int i = 0; i < DF_VIT_MAX_FEATURES; i++)
        free(job->layers[i]);
    free(job->pixels);
    free(job->tokens);
    free(job->class_tokens);
    free(job->patch_tokens);
}

/* The output must not be one of the files that are read. */
static int check_output(const struct extraction *job)
{
    for (int i = 0; i < job->config->n_inputs; i++)
        DF_TRY(df_check_other_file(job->config->output, job->config->inputs[i]));
    return df_setup_check_output(&job->setup, job->config, job->config->output);
}

int command_features(const struct df_config *config)
{
    struct extraction job = {.config = config};
    int status = 1;

    if (inputs_check(config) == 0 && df_weight_file_check_output(config->output) == 0 &&
        df_setup_open(&job.setup, config) == 0 && check_output(&job) == 0 && prepare(&job) == 0 &&
        allocate(&job) == 0)
        status = extract_all(&job);
    finish(&job);
    return status;
}
