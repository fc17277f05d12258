#include "commands.h"
#include "each_input.h"
#include "inputs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/dataset.h"
#include "dinoft/error.h"
#include "dinoft/overlay.h"
#include "dinoft/setup.h"
#include "dinoft/weight_file.h"

#include <stdio.h>
#include <stdlib.h>

struct prediction {
    const struct df_config *config;
    const struct df_setup *setup;
    struct df_segmenter *segmenter;
    uint8_t *pixels; /* [H, W, 3] at the network's input size */
    uint8_t palette[256][3];
};

/* What is written for each image; the last only with --save_logits. */
static const char *const endings[] = {".png", "_overlay.png", ".safetensors"};

enum { ENDING_MASK, ENDING_OVERLAY, ENDING_LOGITS };

static int write_mask(const struct prediction *job, const char *image_path, const struct df_image *classes)
{
    char *path = input_output_path(job->config, image_path, endings[ENDING_MASK]);
    int status = path ? df_png_write_palette(path, classes, job->palette) : -1;
    free(path);
    return status;
}

static int write_overlay(const struct prediction *job, const char *image_path, const struct df_image *image,
                         const struct df_image *classes)
{
    struct df_image overlay = {0};
    char *path = input_output_path(job->config, image_path, endings[ENDING_OVERLAY]);
    int status = path && df_overlay(image, classes, job->palette, &overlay) == 0
                     ? df_png_write_rgb(path, &overlay)
                     : -1;
    df_image_free(&overlay);
    free(path);
    return status;
}

/* NAME.safetensors with `logits` [C, H, W] at the network's input size. */
static int write_logits(const struct prediction *job, const char *image_path)
{
    const int64_t shape[3] = {job->setup->checkpoint->classes, job->setup->model.height,
                              job->setup->model.width};
    float *logits = malloc((size_t)(shape[0] * shape[1] * shape[2]) * sizeof *logits);
    struct df_state *state = df_state_new();
    char *path = input_output_path(job->config, image_path, endings[ENDING_LOGITS]);
    int status = -1;

    if (!logits || !state || !path) {
        df_error_memory("the logits", (unsigned long long)(shape[0] * shape[1] * shape[2]) * sizeof *logits);
        goto done;
    }
    if (df_segmenter_download_logits(job->segmenter, 0, logits) == 0 &&
        df_state_borrow(state, "logits", DF_F32, 3, shape, logits))
        status = df_weight_file_write(path, state);
done:
    df_state_free(state);
    free(logits);
    free(path);
    return status;
}

/* The mask is written at the image's own size, from logits resized to it. */
static int predict_image(void *context, int i)
{
    const struct prediction *job = context;
    const char *path = job->config->inputs[i];
    struct df_image image = {0}, classes = {0};
    int status = -1;

    if (input_read(path, job->setup->model.height, job->setup->model.width, &image, job->pixels) != 0)
        return -1;
    if (df_segmenter_load_pixels(job->segmenter, 1, job->pixels, NULL) == 0 &&
        df_segmenter_forward(job->segmenter, 1, false, NULL) == 0 &&
        df_image_alloc(&classes, image.width, image.height, 1) == 0 &&
        df_segmenter_predict_at(job->segmenter, 0, image.height, image.width, NULL, classes.pixels, NULL) ==
            0 &&
        write_mask(job, path, &classes) == 0 && write_overlay(job, path, &image, &classes) == 0 &&
        (!job->config->save_logits || write_logits(job, path) == 0))
        status = 0;
    df_image_free(&image);
    df_image_free(&classes);
    return status;
}

int command_predict(struct df_config *config)
{
    const int n_endings = config->save_logits ? 3 : 2;
    struct df_setup setup;
    struct prediction job = {.config = config, .setup = &setup};
    int status = 1;

    if (inputs_check(config) != 0 || df_check_writable(config->output_dir) != 0 ||
        inputs_check_outputs(config, endings, n_endings) != 0)
        return 1;
    if (df_setup_open(&setup, config) != 0 || inputs_check_model(config, &setup, endings, n_endings) != 0)
        goto done;
    df_voc_palette(job.palette);
    setup.backend->transient = true;
    job.segmenter = df_setup_segmenter(&setup, DF_MODEL_EVALUATES, setup.checkpoint->classes, 1, 0);
    job.pixels = malloc((size_t)(setup.model.height * setup.model.width * 3));
    if (job.segmenter && !job.pixels)
        df_error_memory("an image", (unsigned long long)(setup.model.height * setup.model.width * 3));
    if (job.segmenter && job.pixels)
        status = each_input_in_order(config, "predict", predict_image, &job);
done:
    df_segmenter_free(job.segmenter);
    free(job.pixels);
    df_setup_close(&setup);
    return status;
}
