#include "commands.h"
#include "each_input.h"
#include "inputs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/legend.h"
#include "dinoft/log.h"
#include "dinoft/model_classes.h"
#include "dinoft/overlay.h"
#include "dinoft/region_numbers.h"
#include "dinoft/setup.h"
#include "dinoft/text.h"
#include "dinoft/weight_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct prediction {
    const struct df_config *config;
    const struct df_setup *setup;
    struct df_segmenter *segmenter;
    uint8_t *pixels; /* [H, W, 3] at the network's input size */
    struct df_model_classes classes;
    struct df_overlay_style style;
};

/* What is written for each image; the last only with --save_logits. */
static const char *const endings[] = {".png", "_overlay.png", ".safetensors"};

enum { ENDING_MASK, ENDING_OVERLAY, ENDING_LOGITS };

static int write_mask(const struct prediction *job, const char *image_path, const struct df_image *classes)
{
    char *path = input_output_path(job->config, image_path, endings[ENDING_MASK]);
    int status = path ? df_png_write_palette(path, classes, job->style.palette.rgb) : -1;
    free(path);
    return status;
}

static int write_overlay(const struct prediction *job, const char *image_path, const struct df_image *image,
                         const struct df_image *classes)
{
    struct df_image overlay = {0};
    char *path = input_output_path(job->config, image_path, endings[ENDING_OVERLAY]);
    int status = -1;

    if (path && df_overlay_draw(image, classes, &job->style, &overlay) == 0 &&
        (!job->config->legend || df_region_numbers_draw(&overlay, classes, &job->style.palette) == 0))
        status = df_png_write_rgb(path, &overlay);
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

    if (input_read(path, &job->config->reading, job->setup->model.height, job->setup->model.width, &image,
                   job->pixels) != 0)
        return -1;
    if (df_segmenter_load_pixels(job->segmenter, 1, job->pixels, NULL) == 0 &&
        df_segmenter_forward(job->segmenter, 1, false, NULL) == 0 &&
        df_image_alloc(&classes, image.width, image.height, 1) == 0 &&
        df_segmenter_predict_at(job->segmenter, 0, image.height, image.width, NULL,
                                &(struct df_wanted){.classes = classes.pixels}) == 0 &&
        write_mask(job, path, &classes) == 0 && write_overlay(job, path, &image, &classes) == 0 &&
        (!job->config->save_logits || write_logits(job, path) == 0))
        status = 0;
    df_image_free(&image);
    df_image_free(&classes);
    return status;
}

static int write_legend(const struct prediction *job, const char *path)
{
    const struct df_model_classes *classes = &job->classes;
    struct df_image legend = {0};
    int status = -1;

    if (df_legend_picture(&classes->palette, classes->names, classes->count, &legend) == 0)
        status = df_png_write_rgb(path, &legend);
    df_image_free(&legend);
    return status;
}

/* What needs the model's files alone. legend: its path, or NULL. */
static int prepare(struct prediction *job, struct df_setup *setup, const char *legend)
{
    const struct df_config *config = job->config;
    const int64_t size = setup->model.height * setup->model.width * 3;

    if (legend)
        DF_TRY(df_setup_check_output(setup, config, legend));
    DF_TRY(df_model_classes_of(setup->checkpoint, &job->classes));
    if (setup->checkpoint->record.keeps_ratio)
        df_log("warning: %s was trained on images whose ratio was kept (--resize short); here they are "
               "stretched to %" PRId64 " x %" PRId64 ", so masks differ from those that eval measures",
               config->lora_weights, setup->model.height, setup->model.width);
    job->style = (struct df_overlay_style){
        .palette = job->classes.palette, .opacity = config->overlay_opacity, .outlines = config->outlines};
    setup->backend->transient = true;
    job->segmenter = df_setup_segmenter(setup, DF_MODEL_EVALUATES, setup->checkpoint->classes, 1, 0);
    if (!job->segmenter)
        return -1;
    job->pixels = malloc((size_t)size);
    if (!job->pixels)
        return df_error_memory("an image", (unsigned long long)size);
    return legend ? write_legend(job, legend) : 0;
}

int command_predict(struct df_config *config)
{
    const int n_endings = config->save_logits ? 3 : 2;
    struct df_setup setup = {0};
    struct prediction job = {.config = config, .setup = &setup};
    char *legend = config->legend ? df_text_format("%s/legend.png", config->output_dir) : NULL;
    int status = 1;

    if ((config->legend && !legend) || inputs_check(config) != 0 ||
        df_check_writable(config->output_dir) != 0 ||
        inputs_check_outputs(config, endings, n_endings, legend) != 0)
        goto done;
    if (df_setup_open(&setup, config) == 0 && inputs_check_model(config, &setup, endings, n_endings) == 0 &&
        prepare(&job, &setup, legend) == 0)
        status = each_input_in_order(config, "predict", predict_image, &job);
done:
    df_segmenter_free(job.segmenter);
    df_model_classes_free(&job.classes);
    free(job.pixels);
    df_setup_close(&setup);
    free(legend);
    return status;
}
