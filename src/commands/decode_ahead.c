#include "decode_ahead.h"

#include "inputs.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>

#define MOST 64 /* images ahead */
#define MOST_BYTES                                                                                           \
    ((size_t)512 << 20) /* of all together; the largest so far stands for those that are read */
#define FIRST_BYTES  ((size_t)16 << 20) /* of an image, before any was read */
#define MOST_WORKERS 8

struct place {
    struct decode_ahead *ahead;
    struct decoded decoded;
    struct df_job_set set;
};

/* A ring: places[first .. first + count - 1], modulo MOST. */
struct decode_ahead {
    struct df_worker_pool *pool;
    struct decode_options options;
    struct place places[MOST];
    int64_t first, count;
    size_t largest; /* bytes of the largest image that was taken */
};

struct df_worker_pool *decode_pool_open(int64_t workers)
{
    const int64_t wanted = workers > 0 ? workers : df_min_i64(df_cores(), MOST_WORKERS);
    return df_worker_pool_open((int)wanted, 1);
}

static struct place *place_at(struct decode_ahead *ahead, int64_t i)
{
    return &ahead->places[(ahead->first + i) % MOST];
}

struct decode_ahead *decode_ahead_open(struct df_worker_pool *pool, const struct decode_options *options)
{
    struct decode_ahead *ahead = calloc(1, sizeof *ahead);

    if (!ahead) {
        df_error_memory("the images that are read ahead", sizeof *ahead);
        return NULL;
    }
    ahead->pool = pool;
    ahead->options = *options;
    ahead->largest = FIRST_BYTES;
    return ahead;
}

void decode_ahead_close(struct decode_ahead *ahead)
{
    struct decoded decoded;

    if (!ahead)
        return;
    for (int64_t i = 0; i < ahead->count; i++)
        df_worker_pool_drop(ahead->pool, &place_at(ahead, i)->set);
    while (ahead->count > 0) {
        decode_ahead_take(ahead, &decoded);
        decoded_free(&decoded);
    }
    free(ahead);
}

void decoded_free(struct decoded *decoded)
{
    df_image_free(&decoded->image);
    free(decoded->resized);
    decoded->resized = NULL;
}

bool decode_ahead_has_room(const struct decode_ahead *ahead)
{
    return ahead->count == 0 ||
           (ahead->count < MOST && (size_t)(ahead->count + 1) <= MOST_BYTES / ahead->largest);
}

static int decode(const struct decode_options *options, struct decoded *decoded)
{
    const size_t bytes = (size_t)(options->height * options->width * 3);

    DF_TRY(input_decode(decoded->path, options->reading, &decoded->image));
    if (bytes == 0)
        return 0;
    decoded->resized = malloc(bytes);
    if (!decoded->resized)
        return df_error_memory("an image for the model", bytes);
    DF_TRY(df_resize_linear(&decoded->image, decoded->resized, options->width, options->height));
    if (options->only_resized) {
        free(decoded->image.pixels);
        decoded->image.pixels = NULL;
    }
    return 0;
}

/* The image's failure is its own, not the set's. */
static int decode_job(void *context, int64_t number)
{
    struct place *place = context;
    struct decoded *decoded = &place->decoded;

    (void)number;
    decoded->status = decode(&place->ahead->options, decoded);
    if (decoded->status != 0) {
        df_error_keep(&decoded->error);
        decoded_free(decoded);
    }
    return 0;
}

static struct place *new_place(struct decode_ahead *ahead, const char *path, void *tag)
{
    struct place *place = place_at(ahead, ahead->count);

    assert(ahead->count < MOST);
    *place = (struct place){.ahead = ahead, .decoded = {.path = path, .tag = tag}};
    ahead->count++;
    return place;
}

void decode_ahead_add(struct decode_ahead *ahead, const char *path, void *tag)
{
    struct place *place = new_place(ahead, path, tag);
    df_worker_pool_submit(ahead->pool, &place->set, decode_job, place, 1);
}

void decode_ahead_add_failed(struct decode_ahead *ahead, const char *path, void *tag)
{
    struct place *place = new_place(ahead, path, tag);

    place->decoded.status = -1;
    df_error_keep(&place->decoded.error);
    df_worker_pool_submit(ahead->pool, &place->set, decode_job, place, 0);
}

int64_t decode_ahead_count(const struct decode_ahead *ahead)
{
    return ahead->count;
}

bool decode_ahead_is_ready(struct decode_ahead *ahead)
{
    return ahead->count > 0 && df_worker_pool_succeeded(ahead->pool, &place_at(ahead, 0)->set);
}

void decode_ahead_take(struct decode_ahead *ahead, struct decoded *decoded)
{
    struct place *place = place_at(ahead, 0);

    assert(ahead->count > 0);
    df_worker_pool_wait(ahead->pool, &place->set);
    *decoded = place->decoded;
    ahead->first = (ahead->first + 1) % MOST;
    ahead->count--;
    const size_t bytes = (size_t)(decoded->image.width * decoded->image.height * 3);
    ahead->largest = bytes > ahead->largest ? bytes : ahead->largest;
}
