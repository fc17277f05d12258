#include "dinoft/image_store.h"

#include "dinoft/error.h"
#include "dinoft/record_store.h"

#include <stdlib.h>
#include <string.h>

struct size {
    int64_t width, height; /* 0: not decoded yet */
};

/* A record is a sample: the image's pixels [height, width, 3], then the mask's [height, width]. */
struct df_image_store {
    const struct df_dataset *dataset;
    struct df_record_store *records;
    struct size sizes[]; /* [dataset->count]; each belongs to whoever reads that sample */
};

struct df_image_store *df_image_store_open(const struct df_dataset *dataset, size_t memory,
                                           const char *folder)
{
    const size_t bytes = sizeof(struct df_image_store) + (size_t)dataset->count * sizeof(struct size);
    struct df_image_store *store = calloc(1, bytes);

    if (!store) {
        df_error_memory("the decoded images", bytes);
        return NULL;
    }
    store->dataset = dataset;
    store->records = df_record_store_open("decoded images", dataset->count, memory, folder);
    if (store->records)
        return store;
    free(store);
    return NULL;
}

void df_image_store_close(struct df_image_store *store)
{
    if (!store)
        return;
    df_record_store_close(store->records);
    free(store);
}

static size_t mask_bytes(const struct size *size)
{
    return (size_t)(size->width * size->height);
}

/* Keeps what was decoded. */
static int keep(struct df_image_store *store, int64_t sample, const struct df_image *image,
                const struct df_image *mask)
{
    const struct size size = {image->width, image->height};
    const size_t bytes = mask_bytes(&size);

    DF_TRY(df_record_store_take(store->records, sample, 1, 4 * bytes));
    DF_TRY(df_record_store_write(store->records, sample, 0, image->pixels, 3 * bytes));
    DF_TRY(df_record_store_write(store->records, sample, 3 * bytes, mask->pixels, bytes));
    store->sizes[sample] = size;
    return 0;
}

static int copy_part(const struct df_image_store *store, int64_t sample, size_t start, size_t bytes,
                     uint8_t *to)
{
    const void *part = df_record_store_read(store->records, sample, start, bytes, to);

    if (part && part != to)
        memcpy(to, part, bytes);
    return part ? 0 : -1;
}

/* Copies of what was kept. */
static int fetch(const struct df_image_store *store, int64_t sample, struct df_image *image,
                 struct df_image *mask)
{
    const struct size *size = &store->sizes[sample];
    const size_t bytes = mask_bytes(size);

    DF_TRY(df_image_alloc(image, size->width, size->height, 3));
    DF_TRY(df_image_alloc(mask, size->width, size->height, 1));
    DF_TRY(copy_part(store, sample, 0, 3 * bytes, image->pixels));
    return copy_part(store, sample, 3 * bytes, bytes, mask->pixels);
}

int df_image_store_read(struct df_image_store *store, int64_t sample, struct df_image *image,
                        struct df_image *mask)
{
    int status;

    *image = *mask = (struct df_image){0};
    if (store->sizes[sample].width > 0) {
        status = fetch(store, sample, image, mask);
    } else {
        DF_TRY(df_dataset_read(store->dataset, sample, image, mask));
        status = keep(store, sample, image, mask);
    }
    if (status == 0)
        return 0;
    df_image_free(image);
    df_image_free(mask);
    return -1;
}
