/* The ring of batches: worker threads take positions of the epoch's order one after the other and fill
 * batch position / batch_size in slot batch % n_slots; the consumer waits for its next batch to be complete.
 * A position is handed out only while its batch's slot is free, that is up to n_slots batches from the
 * consumer's oldest on. */
#include "dinoft/loader.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AHEAD             2 /* batches that are read before the consumer asks for them */
#define HELD_MOST         2 /* batches that the consumer has, see df_loader_next() */
#define SLOTS_MOST        (AHEAD + HELD_MOST)
#define MAX_WORKERS       256
#define USUAL_WORKERS_MAX 8

struct slot {
    uint8_t *pixels, *labels; /* NULL where nothing is resized here */
    uint8_t *packed;          /* a block of the caller's memory; NULL without one */
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
    int held;    /* batches that the consumer may have */
    int n_slots; /* AHEAD more */
    struct slot slots[SLOTS_MOST];

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
    int64_t next_batch;    /* for the consumer; first_batch and up to `held` more */
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

static int resize_sample(const struct df_loader *loader, const struct df_image *image,
                         const struct df_image *mask, struct slot *slot, int64_t at)
{
    const int64_t height = loader->options.height, width = loader->options.width;

    df_resize_nearest(mask, slot->labels + at * height * width, width, height);
    return df_resize_linear(image, slot->pixels + at * height * width * 3, width, height);
}

/* Its place in the block, and whether it goes there as it is. */
static bool place(const struct df_loader *loader, const struct df_image *image, size_t offset,
                  struct df_packed_image *entry)
{
    const bool fits = image->width * image->height <= loader->options.layout.room;

    entry->offset = (int64_t)offset;
    entry->width = (int32_t)(fits ? image->width : loader->options.width);
    entry->height = (int32_t)(fits ? image->height : loader->options.height);
    return fits;
}

static int pack_sample(const struct df_loader *loader, const struct df_image *image,
                       const struct df_image *mask, struct slot *slot, int64_t at)
{
    const struct df_packed_layout *layout = &loader->options.layout;
    const int64_t height = loader->options.height, width = loader->options.width;
    const size_t image_at = df_packed_image_at(layout, at), mask_at = df_packed_mask_at(layout, at);
    struct df_packed_image *images = df_packed_images(slot->packed);
    struct df_packed_image *masks = df_packed_masks(layout, slot->packed);

    if (place(loader, mask, mask_at, &masks[at]))
        memcpy(slot->packed + mask_at, mask->pixels, (size_t)(mask->width * mask->height));
    else
        df_resize_nearest(mask, slot->packed + mask_at, width, height);
    if (!place(loader, image, image_at, &images[at]))
        return df_resize_linear(image, slot->packed + image_at, width, height);
    memcpy(slot->packed + image_at, image->pixels, 3 * (size_t)(image->width * image->height));
    return 0;
}

static int load_sample(const struct df_loader *loader, int64_t sample, struct slot *slot, int64_t at)
{
    struct df_image image, mask;
    int status = 0;

    DF_TRY(read_sample(loader, sample, &image, &mask));
    if (slot->packed)
        status = pack_sample(loader, &image, &mask, slot, at);
    else if (slot->pixels)
        status = resize_sample(loader, &image, &mask, slot, at);
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
           loader->next_position / loader->options.batch_size < loader->first_batch + loader->n_slots;
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
        struct slot *slot = &loader->slots[position / loader->options.batch_size % loader->n_slots];
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

/* Room for pixels and labels, or for a packed block. */
static int allocate_pixels(const struct df_loader *loader, struct slot *slot, size_t bytes)
{
    const struct df_block_memory *memory = &loader->options.memory;

    if (bytes == 0)
        return 0;
    if (memory->alloc)
        return (slot->packed = memory->alloc(memory->context, loader->options.layout.bytes)) ? 0 : -1;
    slot->pixels = malloc(bytes);
    slot->labels = malloc(bytes / 3);
    return slot->pixels && slot->labels ? 0 : df_error_memory("a batch of images", bytes / 3 * 4);
}

static int allocate_slot(const struct df_loader *loader, struct slot *slot, size_t bytes)
{
    const size_t count = (size_t)loader->capacity;

    DF_TRY(allocate_pixels(loader, slot, bytes));
    slot->samples = malloc(count * sizeof *slot->samples);
    if (loader->options.originals) {
        slot->images = calloc(count, sizeof *slot->images);
        slot->masks = calloc(count, sizeof *slot->masks);
    }
    if (slot->samples && (!loader->options.originals || (slot->images && slot->masks)))
        return 0;
    return df_error_memory("a batch's samples", count * (sizeof *slot->samples + 2 * sizeof *slot->images));
}

static int allocate(struct df_loader *loader)
{
    const struct df_loader_options *options = &loader->options;
    const int64_t shape[] = {loader->capacity, options->height, options->width, 3};
    size_t bytes;

    if (!df_shape_count(shape, 4, &bytes))
        return df_error_set("a batch of %lld images of %lld x %lld pixels is too large",
                            (long long)loader->capacity, (long long)options->width,
                            (long long)options->height);
    loader->order = malloc((size_t)loader->dataset->count * sizeof *loader->order);
    if (!loader->order)
        return df_error_memory("the order of the samples",
                               (unsigned long long)loader->dataset->count * sizeof *loader->order);
    for (int i = 0; i < loader->n_slots; i++)
        DF_TRY(allocate_slot(loader, &loader->slots[i], bytes));
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
    loader->held = options->memory.alloc ? HELD_MOST : 1;
    loader->n_slots = AHEAD + loader->held;
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
    for (int i = 0; i < loader->n_slots; i++) {
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
        if (slot->packed)
            loader->options.memory.free(loader->options.memory.context, slot->packed);
    }
    free(loader->order);
    pthread_cond_destroy(&loader->done_changed);
    pthread_cond_destroy(&loader->work_changed);
    pthread_mutex_destroy(&loader->lock);
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

bool df_loader_packs(const struct df_loader *loader)
{
    return loader->options.memory.alloc != NULL;
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
    for (int i = 0; i < loader->n_slots; i++)
        clear_slot(&loader->slots[i]);
    loader->next_position = 0;
    loader->first_batch = 0;
    loader->next_batch = 0;
    loader->end_position = loader->dataset->count;
    pthread_cond_broadcast(&loader->work_changed);
    pthread_mutex_unlock(&loader->lock);
    return 0;
}

/* The consumer's next batch is due and not handed out yet. */
static bool has_next(const struct df_loader *loader)
{
    return loader->end_position > 0 && loader->next_batch < loader->batches;
}

static struct slot *next_slot(struct df_loader *loader)
{
    return &loader->slots[loader->next_batch % loader->n_slots];
}

bool df_loader_is_ready(struct df_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    const struct slot *slot = next_slot(loader);
    const bool ready =
        has_next(loader) && slot->finished == batch_count(loader, loader->next_batch) && slot->failed < 0;
    pthread_mutex_unlock(&loader->lock);
    return ready;
}

/* The consumer has as many batches as it may, and is done with the oldest. */
static void take_back(struct df_loader *loader)
{
    if (loader->next_batch - loader->first_batch < loader->held)
        return;
    clear_slot(&loader->slots[loader->first_batch++ % loader->n_slots]);
    pthread_cond_broadcast(&loader->work_changed);
}

static int hand_out(struct df_loader *loader, struct df_batch *batch)
{
    struct slot *slot = next_slot(loader);
    const int64_t count = batch_count(loader, loader->next_batch);

    while (slot->finished < count)
        pthread_cond_wait(&loader->done_changed, &loader->lock);
    loader->next_batch++;
    if (slot->failed >= 0)
        return df_error_set("%s", slot->error);
    *batch = (struct df_batch){.count = count,
                               .pixels = slot->pixels,
                               .labels = slot->labels,
                               .packed = slot->packed,
                               .samples = slot->samples,
                               .images = slot->images,
                               .masks = slot->masks};
    return 1;
}

int df_loader_next(struct df_loader *loader, struct df_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    pthread_mutex_lock(&loader->lock);
    take_back(loader);
    const int result = has_next(loader) ? hand_out(loader, batch) : 0;
    pthread_mutex_unlock(&loader->lock);
    return result;
}
