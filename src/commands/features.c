#include "commands.h"
#include "each_input.h"
#include "image_features.h"
#include "inputs.h"
#include "video_frames.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "dinoft/weight_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What the backbone finds of all images, in one state dict. */
struct extraction {
    const struct df_config *config;
    struct video_frames video; /* with --video */
    int64_t images;            /* or frames that are computed */
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
    const int64_t images = job->images, dim = job->features.setup.vit.dim;
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

/* Of an image that the backbone was run through just now. */
static int take(struct extraction *job, int64_t i)
{
    struct image_features *features = &job->features;
    const int64_t dim = features->setup.vit.dim, count = features->patches * dim;
    const int layers = (int)job->config->layers;

    DF_TRY(image_features_class_token(features, job->class_tokens + i * dim));
    DF_TRY(image_features_patches(features, layers > 0 ? layers - 1 : 0, job->patch_tokens + i * count));
    for (int layer = 0; layer < layers; layer++) {
        DF_TRY(image_features_patches(features, layer, job->tokens));
        transpose(job->tokens, features->patches, dim, job->layers[layer] + i * count);
    }
    return 0;
}

static int extract(void *context, int i)
{
    struct extraction *job = context;

    DF_TRY(image_features_run(&job->features, job->config->inputs[i], &job->config->reading, NULL, NULL));
    return take(job, i);
}

static int extract_frame(void *context, int64_t number, const struct df_image *frame, struct df_image *drawn)
{
    struct extraction *job = context;

    (void)drawn;
    DF_TRY(image_features_run_image(&job->features, frame));
    return take(job, number / job->video.every);
}

/* The name of an image, or of a frame: "FILE:NUMBER". */
static int add_name(const struct extraction *job, int64_t i, struct df_json *json)
{
    char *name;

    if (!job->config->video) {
        df_json_text(json, NULL, job->config->inputs[i]);
        return 0;
    }
    name = df_text_format("%s:%" PRId64, job->config->video, i * job->video.every);
    if (!name)
        return -1;
    df_json_text(json, NULL, name);
    free(name);
    return 0;
}

/* The images' names as they were typed, in the order of the tensors' rows: a list in JSON, as metadata are
 * texts. */
static int add_names(const struct extraction *job, struct df_state *state)
{
    struct df_json json = {0};

    df_json_array(&json, NULL);
    int status = 0;
    for (int64_t i = 0; i < job->images && status == 0; i++)
        status = add_name(job, i, &json);
    df_json_close(&json);
    char *names = df_json_print(&json, "the names of images");
    const bool added = status == 0 && names && df_state_add_text(state, "images", names);
    free(names);
    return added ? 0 : -1;
}

static int write_features(const struct extraction *job)
{
    const int64_t images = job->images, dim = job->features.setup.vit.dim;
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
    if (add_names(job, state) == 0)
        status = df_weight_file_write(job->config->output, state);
done:
    df_state_free(state);
    return status;
}

static int extract_all(struct extraction *job)
{
    int status = job->config->video
                     ? video_frames_each(&job->video, "features", false, true, extract_frame, job)
                     : each_input_in_order(job->config, "features", extract, job);

    if (status == 0 && write_features(job) != 0)
        status = 1;
    return status;
}

static void finish(struct extraction *job)
{
    image_features_close(&job->features);
    for (int i = 0; i < DF_VIT_MAX_FEATURES; i++)
        free(job->layers[i]);
    free(job->tokens);
    free(job->class_tokens);
    free(job->patch_tokens);
}

/* The output must not be one of the files that are read. */
static int check_output(const struct extraction *job)
{
    for (int i = 0; i < job->config->n_inputs; i++)
        DF_TRY(df_check_other_file(job->config->output, job->config->inputs[i]));
    if (job->config->video)
        DF_TRY(df_check_other_file(job->config->output, job->config->video));
    return df_setup_check_output(&job->features.setup, job->config, job->config->output);
}

static int open_all(struct extraction *job, struct df_config *config)
{
    if (config->video)
        DF_TRY(video_frames_open(&job->video, config, NULL));
    else
        DF_TRY(inputs_check(config));
    DF_TRY(df_weight_file_check_output(config->output));
    DF_TRY(df_setup_open(&job->features.setup, config));
    return check_output(job);
}

/* The exit status. */
static int do_all(struct extraction *job, struct df_config *config)
{
    int status;

    if (open_all(job, config) != 0)
        return 1;
    if (config->video && (status = video_frames_count(&job->video)) != 0)
        return status;
    job->images = config->video ? video_frames_computed(&job->video) : config->n_inputs;
    if (image_features_open(&job->features, (int)df_max_i64(config->layers, 1), true) != 0 ||
        allocate(job) != 0)
        return 1;
    return extract_all(job);
}

int command_features(struct df_config *config)
{
    struct extraction job = {.config = config};
    const int status = do_all(&job, config);

    finish(&job);
    return status;
}
