/* The ring of batches: worker threads take positions of the epoch's order one after the other and fill
 * batch position / batch_size in slot batch % SLOTS; the consumer waits for its next batch to be complete. A
 * position is handed out only while its batch's slot is free, that is up to SLOTS batches from the consumer's
 * on. */
#include "dinoft/loader.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS             3 /* one with the consumer, two ahead */
#define MAX_WORKERS       256
#define USUAL_WORKERS_MAX 8

struct slot {
    uint8_t *pixels, *labels;
    int64_t *samples;
    struct df_image *images, *masks; /* NULL unless originals are wanted */
    int64_t finished;                /* samples that are done, well or not */
    int64_t failed;                  /* the batch's first sample that failed, -1 if none did */
    char error[DF_ERROR_TEXT_MAX];
};

struct df_loader {
    const struct df_dataset *dataset;
    struct df_loader_options options;
    int64_t capacity; /* samples that a slot has room for */
    int64_t batches;
    int64_t *order;
    struct slot slots[SLOTS];

    pthread_t *threads;
    int n_threads;

    /* Guarded by the lock. Of the slots, what belongs to one sample is its worker's alone until it is
     * finished. */
    pthread_mutex_t lock;
    pthread_cond_t work_changed; /* a slot is free, an epoch has begun, or it is time to go */
    pthread_cond_t done_changed; /* a sample is finished */
    bool closing;
    int64_t next_position; /* to hand out */
    int64_t end_position;  /* handing out stops here: the count, or 0 between epochs */
    int64_t first_batch;   /* the oldest batch whose slot is in use */
    int64_t next_batch;    /* for the consumer; first_batch or one more */
    int in_flight;         /* samples that workers are busy with */
};

static int64_t batch_count(const struct df_loader *loader, int64_t batch)
{
    int64_t size = loader->options.batch_size;
    return df_min_i64(size, loader->dataset->count - batch * size);
}

static int read_sample(const struct df_loader *loader, int64_t sample, struct df_image *image,
                       struct df_image *mask)
{
    const struct df_loader_options *options = &loader->options;

    if (options->read)
        return options->read(options->read_context, loader->dataset, sample, image, mask);
    return df_dataset_read(loader->dataset, sample, image, mask);
}

/* The slot's place for an original takes the image over. */
static void keep(struct df_image *place, struct df_image *image)
{
    df_image_free(place);
    *place = *image;
}

static int load_sample(const struct df_loader *loader, int64_t sample, struct slot *slot, int64_t at)
{
    const int64_t height = loader->options.height, width = loader->options.width;
    struct df_image image, mask;
    int status = 0;

    DF_TRY(read_sample(loader, sample, &image, &mask));
    if (height > 0) {
        status = df_resize_linear(&image, slot->pixels + at * height * width * 3, width, height);
        df_resize_nearest(&mask, slot->labels + at * height * width, width, height);
    }
    if (slot->images) {
        keep(&slot->images[at], &image);
        keep(&slot->masks[at], &mask);
    } else {
        df_image_free(&image);
        df_image_free(&mask);
    }
    return status;
}

static bool has_work(const struct df_loader *loader)
{
    return loader->next_position < loader->end_position &&
           loader->next_position / loader->options.batch_size < loader->first_batch + SLOTS;
}

static void note_failure(struct slot *slot, int64_t at)
{
    if (slot->failed >= 0 && slot->failed < at)
        return;
    slot->failed = at;
    strncpy(slot->error, df_error_text(), sizeof slot->error - 1);
    slot->error[sizeof slot->error - 1] = '\0';
}

static void *work(void *argument)
{
    struct df_loader *loader = argument;

    pthread_mutex_lock(&loader->lock);
    for (;;) {
        while (!loader->closing && !has_work(loader))
            pthread_cond_wait(&loader->work_changed, &loader->lock);
        if (loader->closing)
            break;
        int64_t position = loader->next_position++;
        int64_t at = position % loader->options.batch_size;
        struct slot *slot = &loader->slots[position / loader->options.batch_size % SLOTS];
        int64_t sample = loader->order[position];
        loader->in_flight++;
        pthread_mutex_unlock(&loader->lock);

        slot->samples[at] = sample;
        int status = load_sample(loader, sample, slot, at);

        pthread_mutex_lock(&loader->lock);
        if (status != 0)
            note_failure(slot, at);
        slot->finished++;
        loader->in_flight--;
        pthread_cond_signal(&loader->done_changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static int allocate(struct df_loader *loader)
{
    const struct df_loader_options *options = &loader->options;
    const int64_t shape[] = {loader->capacity, options->height, options->width, 3};
    const size_t count = (size_t)loader->capacity;
    size_t bytes;

    if (!df_shape_count(shape, 4, &bytes))
        return df_error_set("a batch of %lld images of %lld x %lld pixels is too large",
                            (long long)loader->capacity, (long long)options->width,
                            (long long)options->height);
    loader->order = malloc((size_t)loader->dataset->count * sizeof *loader->order);
    if (!loader->order)
        return df_error_memory("the order of the samples",
                               (unsigned long long)loader->dataset->count * sizeof *loader->order);
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &loader->slots[i];
        if (bytes > 0) {
            slot->pixels = malloc(bytes);
            slot->labels = malloc(bytes / 3);
        }
        slot->samples = malloc(count * sizeof *slot->samples);
        if (options->originals) {
            slot->images = calloc(count, sizeof *slot->images);
            slot->masks = calloc(count, sizeof *slot->masks);
        }
        if ((bytes > 0 && (!slot->pixels || !slot->labels)) || !slot->samples ||
            (options->originals && (!slot->images || !slot->masks)))
            return df_error_memory("a batch of images", (unsigned long long)bytes / 3 * 4);
    }
    return 0;
}

/* Signals are for the main thread: the workers block them all. */
static int start_threads(struct df_loader *loader)
{
    sigset_t all, before;
    int reason = 0;

    loader->threads = calloc((size_t)loader->options.workers, sizeof *loader->threads);
    if (!loader->threads)
        return df_error_memory("the loader's threads",
                               (unsigned long long)loader->options.workers * sizeof(pthread_t));
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (reason == 0 && loader->n_threads < loader->options.workers) {
        reason = pthread_create(&loader->threads[loader->n_threads], NULL, work, loader);
        loader->n_threads += reason == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason != 0)
        return df_error_set("cannot start loader thread %d of %d: %s", loader->n_threads + 1,
                            loader->options.workers, strerror(reason));
    return 0;
}

static int check_options(const struct df_dataset *dataset, const struct df_loader_options *options)
{
    if (dataset->count < 1)
        return df_error_set("the data set is empty");
    if (options->batch_size < 1)
        return df_error_set("a batch of %lld images", (long long)options->batch_size);
    if (options->workers < 0 || options->workers > MAX_WORKERS)
        return df_error_set("%d loader threads; 0 (one for each core) to %d are possible", options->workers,
                            MAX_WORKERS);
    if (options->originals && options->height == 0 && options->width == 0)
        return 0;
    if (options->height < 1 || options->width < 1 || options->height > DF_IMAGE_MAX_SIDE ||
        options->width > DF_IMAGE_MAX_SIDE)
        return df_error_set("images cannot be resized to %lld x %lld pixels", (long long)options->width,
                            (long long)options->height);
    return 0;
}

static int usual_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return (int)df_min_i64(df_max_i64(cores, 1), USUAL_WORKERS_MAX);
}

struct df_loader *df_loader_open(const struct df_dataset *dataset, const struct df_loader_options *options)
{
    if (check_options(dataset, options) != 0)
        return NULL;
    struct df_loader *loader = calloc(1, sizeof *loader);
    if (!loader) {
        df_error_memory("a loader", sizeof *loader);
        return NULL;
    }
    loader->dataset = dataset;
    loader->options = *options;
    if (options->workers == 0)
        loader->options.workers = usual_workers();
    loader->capacity = df_min_i64(options->batch_size, dataset->count);
    loader->batches = (dataset->count - 1) / options->batch_size + 1;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->work_changed, NULL);
    pthread_cond_init(&loader->done_changed, NULL);
    if (allocate(loader) == 0 && start_threads(loader) == 0)
        return loader;
    df_loader_close(loader);
    return NULL;
}

void df_loader_close(struct df_loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->closing = true;
    pthread_cond_broadcast(&loader->work_changed);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->n_threads; i++)
        pthread_join(loader->threads[i], NULL);
    free(loader->threads);
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &loader->slots[i];
        for (int64_t k = 0; slot->images && slot->masks && k < loader->capacity; k++) {
            df_image_free(&slot->images[k]);
            df_image_free(&slot->masks[k]);
        }
        free(slot->images);
        free(slot->masks);
        free(slot->samples);
        free(slot->labels);
        free(slot->pixels);
    }
    free(loader->order);
    pthread_cond_destroy(&loader->done_changed);
    pthread_cond_destroy(&loader->work_changed);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

int64_t df_loader_batches(const struct df_loader *loader)
{
    return loader->batches;
}

void df_sample_order(int64_t *order, int64_t count, bool shuffle, uint64_t seed, int64_t epoch)
{
    struct df_rng rng;

    if (shuffle) {
        df_rng_seed(&rng, seed, df_hash_text("order of samples") + (uint64_t)epoch);
        df_rng_permutation(&rng, order, count);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
}

static void clear_slot(struct slot *slot)
{
    slot->finished = 0;
    slot->failed = -1;
}

int df_loader_start(struct df_loader *loader, int64_t epoch)
{
    pthread_mutex_lock(&loader->lock);
    loader->end_position = 0;
    while (loader->in_flight > 0)
        pthread_cond_wait(&loader->done_changed, &loader->lock);
    df_sample_order(loader->order, loader->dataset->count, loader->options.shuffle, loader->options.seed,
                    epoch);
    for (int i = 0; i < SLOTS; i++)
        clear_slot(&loader->slots[i]);
    loader->next_position = 0;
    loader->first_batch = 0;
    loader->next_batch = 0;
    loader->end_position = loader->dataset->count;
    pthread_cond_broadcast(&loader->work_changed);
    pthread_mutex_unlock(&loader->lock);
    return 0;
}

int df_loader_next(struct df_loader *loader, struct df_batch *batch)
{
    int result = 0;

    memset(batch, 0, sizeof *batch);
    pthread_mutex_lock(&loader->lock);
    if (loader->first_batch < loader->next_batch) { /* the consumer is done with the one that it has */
        clear_slot(&loader->slots[loader->first_batch % SLOTS]);
        loader->first_batch = loader->next_batch;
        pthread_cond_broadcast(&loader->work_changed);
    }
    if (loader->end_position > 0 && loader->next_batch < loader->batches) {
        struct slot *slot = &loader->slots[loader->next_batch % SLOTS];
        int64_t count = batch_count(loader, loader->next_batch++);
        while (slot->finished < count)
            pthread_cond_wait(&loader->done_changed, &loader->lock);
        if (slot->failed >= 0) {
            result = df_error_set("%s", slot->error);
        } else {
            *batch = (struct df_batch){.count = count,
                                       .pixels = slot->pixels,
                                       .labels = slot->labels,
                                       .samples = slot->samples,
                                       .images = slot->images,
                                       .masks = slot->masks};
            result = 1;
        }
    }
    pthread_mutex_unlock(&loader->lock);
    return result;
}
