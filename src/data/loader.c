/* The ring of batches: batch b is read into slot b % n_slots, a sample a job. A batch's jobs are handed to
 * the workers when its slot is free, that is up to n_slots batches from the consumer's oldest on. */
#include "dinoft/loader.h"

#include "batch_slot.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/worker_pool.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD             2 /* batches that are read before the consumer asks for them */
#define HELD_MOST         2 /* batches that the consumer has, see df_loader_next() */
#define SLOTS_MOST        (AHEAD + HELD_MOST)
#define MAX_WORKERS       256
#define USUAL_WORKERS_MAX 8

struct slot {
    const struct df_loader *loader;
    int64_t first; /* the batch's first position in the epoch's order */
    struct df_batch_slot buffers;
    struct df_job_set jobs; /* one a sample */
};

/* What changes is the consumer's; the workers have what is in the slots that were handed to them. */
struct df_loader {
    const struct df_dataset *dataset;
    struct df_loader_options options;
    int64_t capacity; /* samples of a slot */
    int64_t batches;
    int64_t *order;
    int held;    /* batches that the consumer may have */
    int n_slots; /* AHEAD more */
    struct slot slots[SLOTS_MOST];
    struct df_worker_pool *pool;

    bool started;        /* an epoch, */
    int64_t epoch;       /* which is this one */
    int64_t first_batch; /* the oldest batch whose slot is in use */
    int64_t next_batch;  /* for the consumer; first_batch and up to `held` more */
};

static int64_t batch_count(const struct df_loader *loader, int64_t batch)
{
    int64_t size = loader->options.batch_size;
    return df_min_i64(size, loader->dataset->count - batch * size);
}

static int allocate(struct df_loader *loader)
{
    loader->order = malloc((size_t)loader->dataset->count * sizeof *loader->order);
    if (!loader->order)
        return df_error_memory("the order of the samples",
                               (unsigned long long)loader->dataset->count * sizeof *loader->order);
    for (int i = 0; i < loader->n_slots; i++) {
        loader->slots[i].loader = loader;
        DF_TRY(df_batch_slot_open(&loader->slots[i].buffers, &loader->options, loader->capacity));
    }
    return 0;
}

static int start_threads(struct df_loader *loader)
{
    loader->pool = df_worker_pool_open(loader->options.workers, loader->options.workers);
    return loader->pool ? 0 : df_error_context("loader");
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
    return (int)df_min_i64(df_cores(), USUAL_WORKERS_MAX);
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
    loader->held = df_loader_packs(loader) ? HELD_MOST : 1;
    loader->n_slots = AHEAD + loader->held;
    if (allocate(loader) == 0 && start_threads(loader) == 0)
        return loader;
    df_loader_close(loader);
    return NULL;
}

void df_loader_close(struct df_loader *loader)
{
    if (!loader)
        return;
    df_worker_pool_close(loader->pool);
    for (int i = 0; i < loader->n_slots; i++)
        df_batch_slot_close(&loader->slots[i].buffers, &loader->options, loader->capacity);
    free(loader->order);
    free(loader);
}

int df_loader_workers(const struct df_loader *loader)
{
    return loader->options.workers;
}

int64_t df_loader_batches(const struct df_loader *loader)
{
    return loader->batches;
}

bool df_loader_packs(const struct df_loader *loader)
{
    return loader->options.memory.alloc != NULL;
}

static struct slot *slot_of(struct df_loader *loader, int64_t batch)
{
    return &loader->slots[batch % loader->n_slots];
}

static int load_sample(void *context, int64_t at)
{
    struct slot *slot = context;
    const struct df_loader *loader = slot->loader;
    const struct df_sample_place place = {loader->dataset, loader->epoch, loader->order[slot->first + at]};

    return df_batch_slot_load(&slot->buffers, &loader->options, &place, at);
}

/* Has a batch read, if there is one of this number. */
static void begin_batch(struct df_loader *loader, int64_t batch)
{
    struct slot *slot = slot_of(loader, batch);

    if (batch >= loader->batches)
        return;
    slot->first = batch * loader->options.batch_size;
    df_worker_pool_submit(loader->pool, &slot->jobs, load_sample, slot, batch_count(loader, batch));
}

int df_loader_start(struct df_loader *loader, int64_t epoch, int64_t first_batch)
{
    const struct df_loader_options *options = &loader->options;
    const struct df_shuffle shuffle = {.on = options->shuffle,
                                       .seed = options->seed,
                                       .shards = loader->dataset,
                                       .buffer = options->shuffle_buffer};

    df_worker_pool_drop_all(loader->pool);
    DF_TRY(df_sample_order(loader->order, loader->dataset->count, &shuffle, epoch));
    loader->started = true;
    loader->epoch = epoch;
    loader->first_batch = first_batch;
    loader->next_batch = first_batch;
    for (int i = 0; i < loader->n_slots; i++)
        begin_batch(loader, first_batch + i);
    return 0;
}

/* The consumer's next batch is due and not handed out yet. */
static bool has_next(const struct df_loader *loader)
{
    return loader->started && loader->next_batch < loader->batches;
}

bool df_loader_is_ready(struct df_loader *loader)
{
    return has_next(loader) &&
           df_worker_pool_succeeded(loader->pool, &slot_of(loader, loader->next_batch)->jobs);
}

/* The consumer has as many batches as it may, and is done with the oldest. */
static void take_back(struct df_loader *loader)
{
    if (loader->next_batch - loader->first_batch < loader->held)
        return;
    begin_batch(loader, loader->first_batch + loader->n_slots);
    loader->first_batch++;
}

static int hand_out(struct df_loader *loader, struct df_batch *batch)
{
    struct slot *slot = slot_of(loader, loader->next_batch);
    const struct df_batch_slot *buffers = &slot->buffers;
    const int64_t count = batch_count(loader, loader->next_batch++);

    DF_TRY(df_worker_pool_wait(loader->pool, &slot->jobs));
    *batch = (struct df_batch){.count = count,
                               .pixels = buffers->pixels,
                               .labels = buffers->labels,
                               .packed = buffers->packed,
                               .samples = buffers->samples,
                               .images = buffers->images,
                               .masks = buffers->masks};
    return 1;
}

int df_loader_next(struct df_loader *loader, struct df_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    take_back(loader);
    return has_next(loader) ? hand_out(loader, batch) : 0;
}
