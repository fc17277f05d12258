#include "dinoft/feature_cache.h"

#include "dinoft/atomic_write.h"
#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/record_store.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC   "dinoftFC"
#define VERSION 1 /* of the file's layout */

/* Numbers are this machine's: on one of the other byte order the version differs, and the file is damaged. */
struct header {
    char magic[8];
    uint64_t version, key;
    uint64_t count, n_features, feature_bytes, label_bytes;
    uint64_t digest; /* of what is before it */
};

/* The store's record 0 is a file's header, the others images': in a file a digest, then what was appended. */
struct df_feature_cache {
    struct df_feature_shape shape;
    uint64_t key; /* of a file */
    size_t record_bytes;
    int64_t appended;
    bool finished;
    char *path;                    /* NULL in memory */
    struct df_atomic_file *output; /* of a file, until finished */
    struct df_record_store *records;
};

bool df_feature_bytes(const struct df_feature_shape *shape, size_t *record, size_t *all)
{
    size_t stored;

    return shape->count >= 0 && shape->n_features >= 0 &&
           df_size_mul((size_t)shape->n_features, shape->feature_bytes, record) &&
           df_size_add(*record, shape->label_bytes, record) &&
           df_size_add(*record, sizeof(uint64_t), &stored) &&
           df_size_mul(stored, (size_t)shape->count, all) && df_size_add(*all, sizeof(struct header), all) &&
           *all <= INT64_MAX;
}

static size_t all_bytes(const struct df_feature_cache *cache)
{
    size_t record, all = 0;
    df_feature_bytes(&cache->shape, &record, &all);
    return all;
}

void df_feature_cache_free(struct df_feature_cache *cache)
{
    if (!cache)
        return;
    df_record_store_close(cache->records);
    df_atomic_abort(cache->output);
    free(cache->path);
    free(cache);
}

static struct df_feature_cache *freed(struct df_feature_cache *cache)
{
    df_feature_cache_free(cache);
    return NULL;
}

/* path: NULL in memory. */
static struct df_feature_cache *new_cache(const struct df_feature_shape *shape, const char *path,
                                          uint64_t key)
{
    size_t record, all;

    if (!df_feature_bytes(shape, &record, &all)) {
        df_error_set("the features of %lld images are too large for this machine's addresses",
                     (long long)shape->count);
        return NULL;
    }
    struct df_feature_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        df_error_memory("a feature cache", sizeof *cache);
        return NULL;
    }
    cache->shape = *shape;
    cache->key = key;
    cache->record_bytes = record;
    cache->records = df_record_store_open("features", 1 + shape->count, path ? 0 : SIZE_MAX, NULL);
    if (!cache->records || (path && !(cache->path = df_text_copy(path))))
        return freed(cache);
    return cache;
}

struct df_feature_cache *df_feature_cache_in_memory(const struct df_feature_shape *shape)
{
    struct df_feature_cache *cache = new_cache(shape, NULL, 0);

    if (cache && df_record_store_take(cache->records, 1, shape->count, cache->record_bytes) != 0)
        return freed(cache);
    return cache;
}

static struct header make_header(const struct df_feature_cache *cache)
{
    const struct df_feature_shape *shape = &cache->shape;
    struct header header = {
        .magic = MAGIC,
        .version = VERSION,
        .key = cache->key,
        .count = (uint64_t)shape->count,
        .n_features = (uint64_t)shape->n_features,
        .feature_bytes = shape->feature_bytes,
        .label_bytes = shape->label_bytes,
    };
    header.digest = df_digest_of(&header, offsetof(struct header, digest));
    return header;
}

/* The descriptor is the store's from now on. */
static int use_file(struct df_feature_cache *cache, int descriptor)
{
    df_record_store_use_file(cache->records, descriptor, cache->path);
    DF_TRY(df_record_store_take(cache->records, 0, 1, sizeof(struct header)));
    return df_record_store_take(cache->records, 1, cache->shape.count,
                                sizeof(uint64_t) + cache->record_bytes);
}

/* Records go past the stream, to a descriptor of the store's own that stays open to be read from. */
static int begin_file(struct df_feature_cache *cache)
{
    const struct header header = make_header(cache);

    cache->output = df_atomic_open(cache->path);
    if (!cache->output)
        return -1;
    const int descriptor = fcntl(fileno(df_atomic_stream(cache->output)), F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
        return df_error_set("cannot write %s: %s", cache->path, strerror(errno));
    DF_TRY(use_file(cache, descriptor));
    DF_TRY(df_record_store_reserve(cache->records));
    return df_record_store_write(cache->records, 0, 0, &header, sizeof header);
}

struct df_feature_cache *df_feature_cache_in_file(const char *path, const struct df_feature_shape *shape,
                                                  uint64_t key)
{
    struct df_feature_cache *cache = new_cache(shape, path, key);

    return cache && begin_file(cache) == 0 ? cache : freed(cache);
}

/* Depends on the record's index too, and on the file's key: a record elsewhere is a wrong one. */
static uint64_t record_digest(const struct df_feature_cache *cache, int64_t i, const void *record)
{
    struct df_digest digest;

    df_digest_start(&digest);
    df_digest_add_number(&digest, cache->key);
    df_digest_add_number(&digest, (uint64_t)i);
    df_digest_add(&digest, record, cache->record_bytes);
    return df_digest_value(&digest);
}

int df_feature_cache_append(struct df_feature_cache *cache, const void *record)
{
    const int64_t number = 1 + cache->appended;
    size_t start = 0;

    assert(!cache->finished && cache->appended < cache->shape.count);
    if (cache->path) {
        const uint64_t digest = record_digest(cache, cache->appended, record);
        DF_TRY(df_record_store_write(cache->records, number, 0, &digest, sizeof digest));
        start = sizeof digest;
    }
    DF_TRY(df_record_store_write(cache->records, number, start, record, cache->record_bytes));
    cache->appended++;
    return 0;
}

int df_feature_cache_finish(struct df_feature_cache *cache)
{
    struct df_atomic_file *output = cache->output;

    assert(!cache->finished && cache->appended == cache->shape.count);
    cache->output = NULL;
    if (output)
        DF_TRY(df_atomic_commit(output));
    cache->finished = true;
    return 0;
}

bool df_feature_cache_is_finished(const struct df_feature_cache *cache)
{
    return cache->finished;
}

size_t df_feature_cache_record_bytes(const struct df_feature_cache *cache)
{
    return cache->record_bytes;
}

const void *df_feature_cache_record(const struct df_feature_cache *cache, int64_t i, void *buffer)
{
    uint64_t digest;

    assert(cache->finished);
    if (!cache->path)
        return df_record_store_read(cache->records, 1 + i, 0, cache->record_bytes, buffer);
    if (!df_record_store_read(cache->records, 1 + i, 0, sizeof digest, &digest) ||
        !df_record_store_read(cache->records, 1 + i, sizeof digest, cache->record_bytes, buffer))
        return NULL;
    if (digest == record_digest(cache, i, buffer))
        return buffer;
    df_error_set("%s is damaged: record %lld of %lld, at byte %zu, is not what was written", cache->path,
                 (long long)i, (long long)cache->shape.count,
                 sizeof(struct header) + (size_t)i * (sizeof digest + cache->record_bytes));
    return NULL;
}

void df_feature_cache_expect(const struct df_feature_cache *cache, int64_t i)
{
    df_record_store_expect(cache->records, 1 + i);
}

/* -1 with the error set. */
static int open_to_read(struct df_feature_cache *cache, size_t *size)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    const int descriptor = open(cache->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status = {0};

    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        df_error_set("cannot open %s: %s", cache->path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        df_error_set("cannot open %s: it is not a regular file", cache->path);
    else {
        *size = (size_t)status.st_size;
        return use_file(cache, descriptor);
    }
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static enum df_feature_file check_header(const struct df_feature_cache *cache, size_t size)
{
    const struct header expected = make_header(cache);
    struct header found;

    if (size < sizeof found || !df_record_store_read(cache->records, 0, 0, sizeof found, &found) ||
        memcmp(found.magic, MAGIC, sizeof found.magic) != 0) {
        df_error_set("%s is there already and is no feature file of dinoft", cache->path);
        return DF_FEATURE_FILE_FOREIGN;
    }
    if (found.digest != df_digest_of(&found, offsetof(struct header, digest)) || found.version != VERSION) {
        df_error_set("the header of %s is damaged, or of another version", cache->path);
        return DF_FEATURE_FILE_DAMAGED;
    }
    if (memcmp(&found, &expected, sizeof found) != 0) {
        df_error_set("%s holds the features of another backbone, other images or other settings",
                     cache->path);
        return DF_FEATURE_FILE_STALE;
    }
    if (size != all_bytes(cache)) {
        df_error_set("%s has %zu bytes, expected are %zu", cache->path, size, all_bytes(cache));
        return DF_FEATURE_FILE_DAMAGED;
    }
    return DF_FEATURE_FILE_WHOLE;
}

static enum df_feature_file check_records(const struct df_feature_cache *cache)
{
    enum df_feature_file state = DF_FEATURE_FILE_WHOLE;
    void *buffer = malloc(cache->record_bytes ? cache->record_bytes : 1);

    if (!buffer) {
        df_error_memory("an image's features", cache->record_bytes);
        return DF_FEATURE_FILE_FOREIGN;
    }
    for (int64_t i = 0; i < cache->shape.count && state == DF_FEATURE_FILE_WHOLE; i++) {
        if (!df_feature_cache_record(cache, i, buffer))
            state = DF_FEATURE_FILE_DAMAGED;
    }
    free(buffer);
    return state;
}

enum df_feature_file df_feature_cache_open(const char *path, const struct df_feature_shape *shape,
                                           uint64_t key, struct df_feature_cache **cache)
{
    struct stat status;
    enum df_feature_file state = DF_FEATURE_FILE_FOREIGN;
    size_t size;

    *cache = NULL;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return DF_FEATURE_FILE_ABSENT;
    struct df_feature_cache *opened = new_cache(shape, path, key);
    if (opened && open_to_read(opened, &size) == 0)
        state = check_header(opened, size);
    if (state == DF_FEATURE_FILE_WHOLE) {
        opened->finished = true;
        state = check_records(opened);
    }
    *cache = state == DF_FEATURE_FILE_WHOLE ? opened : freed(opened);
    return state;
}
