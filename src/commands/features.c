#include "commands.h"
#include "image_features.h"
#include "inputs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/size.h"
#include "dinoft/weight_file.h"

#include <stdio.h>
#include <stdlib.h>

/* What the backbone finds of all images, in one state dict. */
struct extraction {
    const struct df_config *config;
    struct inputs inputs;
    struct image_features features;
    float *class_tokens;                /* [images, D] */
    float *patch_tokens;                /* [images, P, D] */
    float *layers[DF_VIT_MAX_FEATURES]; /* [images, D, h, w] */
    float *tokens;                      /* [P, D] of one image */
};

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
    const int64_t images = (int64_t)job->inputs.count, dim = job->features.setup.vit.dim;
    const int64_t one = job->features.patches * dim, all = images * one;

    if (!(job->tokens = new_floats(one)) || !(job->class_tokens = new_floats(images * dim)) ||
        !(job->patch_tokens = new_floats(all)))
        return -1;
    for (int64_t i = 0; i < job->config->layers; i++) {
        if (!(job->layers[i] = new_floats(all)))
            return -1;
    }
    return 0;
}

/* [P, D] -> [D, P] */
static void transpose(const float *tokens, int64_t rows, int64_t dim, float *map)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t d = 0; d < dim; d++)
            map[d * rows + row] = tokens[row * dim + d];
}

/* Rows are those of the images that could be read. */
static int extract(void *context, const struct decoded *image, size_t i, size_t done)
{
    struct extraction *job = context;
    struct image_features *features = &job->features;
    const int64_t dim = features->setup.vit.dim, count = features->patches * dim;
    const int64_t row = (int64_t)done;
    const int layers = (int)job->config->layers;

    (void)i;
    DF_TRY(image_features_run(features, image->resized));
    DF_TRY(image_features_class_token(features, job->class_tokens + row * dim));
    DF_TRY(image_features_patches(features, layers > 0 ? layers - 1 : 0, job->patch_tokens + row * count));
    for (int layer = 0; layer < layers; layer++) {
        DF_TRY(image_features_patches(features, layer, job->tokens));
        transpose(job->tokens, features->patches, dim, job->layers[layer] + row * count);
    }
    return 0;
}

/* The images' names as they were typed or found, in the order of the tensors' rows: a list in JSON, as
 * metadata are texts. */
static int add_names(const struct inputs *inputs, struct df_state *state)
{
    struct df_json json = {0};

    df_json_array(&json, NULL);
    for (size_t i = 0; i < inputs->count; i++)
        df_json_text(&json, NULL, inputs->items[i].path);
    df_json_close(&json);
    char *names = df_json_print(&json, "the names of images");
    const bool added = names && df_state_add_text(state, "images", names);
    free(names);
    return added ? 0 : -1;
}

static int write_features(const struct extraction *job)
{
    const int64_t images = (int64_t)job->inputs.count, dim = job->features.setup.vit.dim;
    const int64_t map[4] = {images, dim, job->features.grid_h, job->features.grid_w};
    struct df_state *state = df_state_new();
    int status = -1;

    if (!state ||
        !df_state_borrow(state, "x_norm_clstoken", DF_F32, 2, (int64_t[]){images, dim}, job->class_tokens) ||
        !df_state_borrow(state, "x_norm_patchtokens", DF_F32, 3,
                         (int64_t[]){images, job->features.patches, dim}, job->patch_tokens))
        goto done;
    for (int64_t i = 0; i < job->config->layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "intermediate_%d", (int)i);
        if (!df_state_borrow(state, name, DF_F32, 4, map, job->layers[i]))
            goto done;
    }
    if (add_names(&job->inputs, state) == 0)
        status = df_weight_file_write(job->config->output, state);
done:
    df_state_free(state);
    return status;
}

static int extract_all(struct extraction *job)
{
    const int status = image_features_each(&job->features, job->config, &job->inputs, extract, job);

    if (status != 0)
        return status;
    inputs_drop_failed(&job->inputs);
    return write_features(job) == 0 ? inputs_status(&job->inputs) : 1;
}

static void finish(struct extraction *job)
{
    image_features_close(&job->features);
    inputs_free(&job->inputs);
    for (int i = 0; i < DF_VIT_MAX_FEATURES; i++)
        free(job->layers[i]);
    free(job->tokens);
    free(job->class_tokens);
    free(job->patch_tokens);
}

int command_features(struct df_config *config)
{
    const struct input_outputs outputs = {.once = {config->output}};
    struct extraction job = {.config = config};
    int status = 1;

    if (inputs_read(&job.inputs, config) == 0 && df_weight_file_check_output(config->output) == 0 &&
        inputs_check_outputs(&job.inputs, config, &outputs) == 0 &&
        df_setup_open(&job.features.setup, config) == 0 &&
        df_setup_check_output(&job.features.setup, config, config->output) == 0 &&
        image_features_open(&job.features, (int)df_max_i64(config->layers, 1), true) == 0 &&
        allocate(&job) == 0)
        status = extract_all(&job);
    finish(&job);
    return status;
}
