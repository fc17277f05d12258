#include "dinoft/image_store.h"

#include "dinoft/error.h"
#include "dinoft/temporary.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A sample: the image's pixels, then the mask's, together. */
struct stored {
    int64_t width, height; /* 0: not there yet */
    uint8_t *pixels;       /* [height, width, 3] and [height, width]; NULL: in the file */
    int64_t offset;        /* in the file */
};

struct df_image_store {
    const struct df_dataset *dataset;
    const char *folder;
    struct stored *samples; /* [dataset->count]; each belongs to whoever reads that sample */
    pthread_mutex_t lock;   /* of what follows */
    size_t memory;          /* bytes that may still be taken */
    int file;               /* -1: none yet */
    int64_t file_size;
};

struct df_image_store *df_image_store_open(const struct df_dataset *dataset, size_t memory,
                                           const char *folder)
{
    struct df_image_store *store = calloc(1, sizeof *store);
    struct stored *samples = calloc((size_t)dataset->count, sizeof *samples);

    if (!store || !samples) {
        df_error_memory("the decoded images", (size_t)dataset->count * sizeof *samples);
        free(store);
        free(samples);
        return NULL;
    }
    *store = (struct df_image_store){
        .dataset = dataset, .folder = folder, .samples = samples, .memory = memory, .file = -1};
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

void df_image_store_close(struct df_image_store *store)
{
    if (!store)
        return;
    for (int64_t i = 0; i < store->dataset->count; i++)
        free(store->samples[i].pixels);
    if (store->file >= 0)
        close(store->file);
    pthread_mutex_destroy(&store->lock);
    free(store->samples);
    free(store);
}

/* Both parts' bytes. */
static size_t image_bytes(const struct stored *stored)
{
    return (size_t)(stored->width * stored->height * 3);
}

static size_t mask_bytes(const struct stored *stored)
{
    return (size_t)(stored->width * stored->height);
}

/* Room in memory: true, and it is taken. */
static bool take_memory(struct df_image_store *store, size_t bytes)
{
    pthread_mutex_lock(&store->lock);
    const bool fits = bytes <= store->memory;
    if (fits)
        store->memory -= bytes;
    pthread_mutex_unlock(&store->lock);
    return fits;
}

/* A place in the file for so many bytes. -1 with the error set. */
static int take_file(struct df_image_store *store, size_t bytes, int64_t *offset)
{
    pthread_mutex_lock(&store->lock);
    if (store->file < 0)
        store->file = df_temporary_nameless(store->folder);
    const int status = store->file < 0 ? -1 : 0;
    *offset = store->file_size;
    store->file_size += (int64_t)bytes;
    pthread_mutex_unlock(&store->lock);
    return status;
}

static int write_all(const struct df_image_store *store, const uint8_t *bytes, size_t size, int64_t offset)
{
    while (size > 0) {
        const ssize_t written = pwrite(store->file, bytes, size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return df_error_set("cannot keep decoded images in a temporary file in %s: %s", store->folder,
                                strerror(written < 0 ? errno : ENOSPC));
        bytes += written;
        size -= (size_t)written;
        offset += written;
    }
    return 0;
}

static int read_all(const struct df_image_store *store, uint8_t *bytes, size_t size, int64_t offset)
{
    while (size > 0) {
        const ssize_t got = pread(store->file, bytes, size, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return df_error_set("cannot read decoded images back from a temporary file in %s: %s",
                                store->folder, got < 0 ? strerror(errno) : "it has become shorter");
        bytes += got;
        size -= (size_t)got;
        offset += got;
    }
    return 0;
}

/* Keeps what was decoded. */
static int keep(struct df_image_store *store, struct stored *stored, const struct df_image *image,
                const struct df_image *mask)
{
    struct stored kept = {.width = image->width, .height = image->height};
    const size_t first = image_bytes(&kept), second = mask_bytes(&kept);

    if (take_memory(store, first + second) && (kept.pixels = malloc(first + second))) {
        memcpy(kept.pixels, image->pixels, first);
        memcpy(kept.pixels + first, mask->pixels, second);
    } else {
        DF_TRY(take_file(store, first + second, &kept.offset));
        DF_TRY(write_all(store, image->pixels, first, kept.offset));
        DF_TRY(write_all(store, mask->pixels, second, kept.offset + (int64_t)first));
    }
    *stored = kept;
    return 0;
}

static int copy_part(const struct df_image_store *store, const struct stored *stored, size_t start,
                     size_t size, uint8_t *to)
{
    if (!stored->pixels)
        return read_all(store, to, size, stored->offset + (int64_t)start);
    memcpy(to, stored->pixels + start, size);
    return 0;
}

/* Copies of what was kept. */
static int fetch(const struct df_image_store *store, const struct stored *stored, struct df_image *image,
                 struct df_image *mask)
{
    const size_t first = image_bytes(stored);

    DF_TRY(df_image_alloc(image, stored->width, stored->height, 3));
    DF_TRY(df_image_alloc(mask, stored->width, stored->height, 1));
    DF_TRY(copy_part(store, stored, 0, first, image->pixels));
    return copy_part(store, stored, first, mask_bytes(stored), mask->pixels);
}

int df_image_store_read(struct df_image_store *store, int64_t sample, struct df_image *image,
                        struct df_image *mask)
{
    struct stored *stored = &store->samples[sample];
    int status;

    *image = *mask = (struct df_image){0};
    if (stored->width > 0) {
        status = fetch(store, stored, image, mask);
    } else {
        DF_TRY(df_dataset_read(store->dataset, sample, image, mask));
        status = keep(store, stored, image, mask);
    }
    if (status == 0)
        return 0;
    df_image_free(image);
    df_image_free(mask);
    return -1;
}
