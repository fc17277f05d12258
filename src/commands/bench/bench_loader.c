/* How fast a data set's images are read and made ready, without a model: what --num_workers threads can feed
 * to one. */
#include "bench_loader.h"

#include "dinoft/backend.h"
#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/feed.h"
#include "dinoft/json_writer.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdio.h>

#define WARM_UP 2 /* batches that are not counted: files come into the system's memory, threads begin */

struct loading {
    const struct df_config *config;
    const volatile sig_atomic_t *stop;
    struct df_dataset *dataset;
    struct df_backend *backend;
    struct df_loader *loader;
    int64_t batch_size, height, width; /* as they are in the end */
    int64_t epoch;                     /* begun so far */
    int64_t images;                    /* counted */
    double seconds;                    /* of these */
};

/* The size that the model of the flags would get: the figure is compared with that of its steps. */
static int choose_size(struct loading *loading)
{
    struct df_segmenter_options options;
    struct df_vit_config vit;

    DF_TRY(df_backbone_dimensions(loading->config, NULL, &vit));
    DF_TRY(df_model_options(&options, loading->config, NULL, &vit, NULL));
    loading->height = options.height;
    loading->width = options.width;
    return 0;
}

static int open_loader(struct loading *loading)
{
    const struct df_config *config = loading->config;
    struct df_loader_options options = {.workers = (int)config->num_workers,
                                        .shuffle = true,
                                        .shuffle_buffer = config->shuffle_buffer,
                                        .seed = (uint64_t)config->seed,
                                        .augment = df_setup_augmentation(config)};

    DF_TRY(choose_size(loading));
    loading->dataset = df_setup_dataset(config, DF_SPLIT_TRAIN, NULL);
    if (loading->dataset)
        loading->backend = df_backend_open(config->device, config->precision, (int)config->threads);
    if (!loading->backend)
        return -1;
    loading->batch_size = df_min_i64(config->batch_size, loading->dataset->count);
    options.batch_size = loading->batch_size;
    options.height = loading->height;
    options.width = loading->width;
    if (loading->backend->resizes) {
        options.memory = df_feed_block_memory(loading->backend);
        DF_TRY(df_packed_layout_init(&options.layout, options.batch_size, options.height, options.width));
    }
    loading->loader = df_loader_open(loading->dataset, &options);
    return loading->loader ? 0 : -1;
}

/* The next batch, of one epoch after the other. */
static int next_batch(struct loading *loading, struct df_batch *batch)
{
    int more = df_loader_next(loading->loader, batch);

    if (more == 0) {
        DF_TRY(df_loader_start(loading->loader, loading->epoch++, 0));
        more = df_loader_next(loading->loader, batch);
    }
    return more == 1 ? 0 : -1;
}

static int measure(struct loading *loading)
{
    struct df_batch batch;

    for (int i = 0; i < WARM_UP; i++)
        DF_TRY(next_batch(loading, &batch));
    const double started = df_seconds();
    for (int64_t i = 0; i < loading->config->steps && !*loading->stop; i++) {
        DF_TRY(next_batch(loading, &batch));
        loading->images += batch.count;
    }
    loading->seconds = df_seconds() - started;
    return 0;
}

static double rate(const struct loading *loading)
{
    return loading->seconds > 0.0 ? (double)loading->images / loading->seconds : 0.0;
}

static void print(const struct loading *loading)
{
    const struct df_config *config = loading->config;
    const struct df_augment_options augment = df_setup_augmentation(config);
    char augmentation[DF_AUGMENT_TEXT_MAX];

    printf("data set         %s, %" PRId64 " training images\n", df_dataset_kind_name(config->dataset),
           loading->dataset->count);
    printf("batches          %" PRId64 " of %" PRId64 ", %s %" PRId64 " x %" PRId64 "\n", config->steps,
           loading->batch_size,
           loading->backend->resizes ? "packed for a device that resizes to" : "resized to", loading->height,
           loading->width);
    df_augment_text(&augment, augmentation);
    printf("augmentation     %s\n", augmentation);
    printf("threads          %d\n", df_loader_workers(loading->loader));
    printf("speed            %.1f images/s\n", rate(loading));
}

static int write_json(const struct loading *loading)
{
    const struct df_config *config = loading->config;
    const struct df_augment_options augment = df_setup_augmentation(config);
    char augmentation[DF_AUGMENT_TEXT_MAX];
    struct df_json json = {0};

    df_augment_text(&augment, augmentation);
    df_json_object(&json, NULL);
    df_json_text(&json, "mode", "loader");
    df_json_text(&json, "dataset", df_dataset_kind_name(config->dataset));
    df_json_text(&json, "device", loading->backend->name);
    df_json_integer(&json, "batch_size", loading->batch_size);
    df_json_integer(&json, "height", loading->height);
    df_json_integer(&json, "width", loading->width);
    df_json_text(&json, "augmentation", augmentation);
    df_json_integer(&json, "workers", df_loader_workers(loading->loader));
    df_json_integer(&json, "steps", config->steps);
    df_json_number(&json, "images_per_second", rate(loading));
    df_json_close(&json);
    return df_json_write(&json, config->json);
}

int bench_loader(const struct df_config *config, const volatile sig_atomic_t *stop)
{
    struct loading loading = {.config = config, .stop = stop};
    int status = -1;

    if (open_loader(&loading) != 0 || measure(&loading) != 0)
        goto done;
    status = 0;
    if (*stop)
        goto done;
    print(&loading);
    if (config->json)
        status = write_json(&loading);
done:
    df_loader_close(loading.loader);
    df_backend_close(loading.backend);
    df_dataset_free(loading.dataset);
    return status;
}
