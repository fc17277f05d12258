#include "commands.h"
#include "inputs.h"
#include "jobs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/corruption.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define VARIANTS (DF_CORRUPTIONS * DF_SEVERITIES)

/* A corruption and a severity. */
struct variant {
    const struct df_corruption *corruption;
    int severity;
};

/* An input: decoded by the first job that wants it, freed after the last. */
struct picture {
    struct df_image image; /* no pixels before it is read */
    char *error;           /* why it cannot be read; NULL: it can, or was not tried */
    int left;              /* jobs that have not ended */
    pthread_mutex_t lock;
};

/* Job i makes variant i % n_variants of input i / n_variants: the threads work on few images at a time. */
struct work {
    const struct df_config *config;
    struct inputs inputs;
    struct df_frost *frost;
    struct variant variants[VARIANTS];
    char *endings[VARIANTS]; /* of each variant's files: "_fog_3.png" */
    int n_variants;
    struct picture *pictures;
    size_t n_pictures;
};

/* Whoever comes second waits at the lock, and gets the first one's error. */
static int read_once(struct picture *picture, const char *path, const struct df_image_reading *reading)
{
    int status = 0;

    pthread_mutex_lock(&picture->lock);
    if (picture->error) {
        status = df_error_set("%s", picture->error);
    } else if (!picture->image.pixels) {
        status = input_decode(path, reading, &picture->image);
        if (status != 0)
            picture->error = df_text_copy(df_error_text());
    }
    pthread_mutex_unlock(&picture->lock);
    return status;
}

static void leave(struct picture *picture)
{
    pthread_mutex_lock(&picture->lock);
    if (--picture->left == 0)
        df_image_free(&picture->image);
    pthread_mutex_unlock(&picture->lock);
}

static int write_variant(const struct work *work, const struct df_image *image, const struct input *input,
                         int number)
{
    const struct variant *variant = &work->variants[number];
    char *stem = df_path_stem(input->path),
         *path = input_output_path(work->config, input, work->endings[number]);
    struct df_image copy = {0};
    int status = -1;

    if (!stem || !path || df_image_alloc(&copy, image->width, image->height, 3) != 0)
        goto done;
    memcpy(copy.pixels, image->pixels, (size_t)(image->width * image->height * 3));
    status = df_corrupt(variant->corruption, variant->severity, (uint64_t)work->config->seed, stem,
                        work->frost, &copy, NULL);
    if (status == 0)
        status = df_png_write_rgb(path, &copy);
    else
        df_error_context("%s", input->path);
done:
    df_image_free(&copy);
    free(path);
    free(stem);
    return status;
}

static int do_job(void *context, int64_t number)
{
    const struct work *work = context;
    const int64_t input = number / work->n_variants;
    struct picture *picture = &work->pictures[input];
    int status = read_once(picture, work->inputs.items[input].path, &work->config->reading);

    if (status == 0)
        status = write_variant(work, &picture->image, &work->inputs.items[input],
                               (int)(number % work->n_variants));
    leave(picture);
    return status;
}

static int list_variants(struct work *work, const struct df_corruption_choice *choice)
{
    const struct df_config *config = work->config;

    for (int i = 0; i < choice->count; i++) {
        for (int s = 0; s < config->n_severities; s++) {
            const int severity = config->severity_list[s];
            char *ending = df_text_format("_%s_%d.png", choice->items[i]->name, severity);
            if (!ending)
                return -1;
            work->endings[work->n_variants] = ending;
            work->variants[work->n_variants++] = (struct variant){choice->items[i], severity};
        }
    }
    return 0;
}

static int open_pictures(struct work *work)
{
    const size_t count = work->inputs.count;

    work->pictures = calloc(count, sizeof *work->pictures);
    if (!work->pictures)
        return df_error_memory("the list of images", (unsigned long long)(count * sizeof *work->pictures));
    for (; work->n_pictures < count; work->n_pictures++) {
        work->pictures[work->n_pictures].left = work->n_variants;
        pthread_mutex_init(&work->pictures[work->n_pictures].lock, NULL);
    }
    return 0;
}

static void close_work(struct work *work)
{
    for (size_t i = 0; i < work->n_pictures; i++) {
        df_image_free(&work->pictures[i].image);
        free(work->pictures[i].error);
        pthread_mutex_destroy(&work->pictures[i].lock);
    }
    free(work->pictures);
    for (int i = 0; i < work->n_variants; i++)
        free(work->endings[i]);
    df_frost_free(work->frost);
    inputs_free(&work->inputs);
}

int command_corrupt_images(struct df_config *config)
{
    struct work work = {.config = config};
    struct df_corruption_choice choice;
    int status = 1;

    if (df_corruption_list(config->corruptions, df_corruption_suite(DF_SUITE_IMAGENET_C), &choice) != 0) {
        df_error_context("--corruptions");
        return df_error_is_memory() ? 1 : 2;
    }
    if (inputs_read(&work.inputs, config) == 0 && inputs_name(&work.inputs) == 0 &&
        df_corruption_choice_frost(&choice, config->frost_dir, DF_FROST_ADVICE, &work.frost) == 0 &&
        list_variants(&work, &choice) == 0 && df_check_writable(config->output_dir) == 0) {
        const struct input_outputs outputs = {.endings = (const char *const *)work.endings,
                                              .n_endings = work.n_variants};
        if (inputs_check_outputs(&work.inputs, config, &outputs) == 0 &&
            inputs_make_folders(&work.inputs, config) == 0 && open_pictures(&work) == 0)
            status = jobs_run("corrupt", (int64_t)work.inputs.count * work.n_variants, config->threads,
                              do_job, &work);
    }
    close_work(&work);
    return status;
}
