#include "dinoft/feature_cache.h"

#include "dinoft/atomic_write.h"
#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/temporary.h"
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

struct df_feature_cache {
    struct df_feature_shape shape;
    uint64_t key; /* of a file */
    size_t record_bytes;
    int64_t appended;
    bool finished;
    char *memory;                  /* [count, record_bytes]; NULL in a file */
    char *path;                    /* for messages, if the file has no name; NULL in memory */
    struct df_atomic_file *output; /* of a file with a name, until finished */
    FILE *stream;                  /* until finished; belongs to output, if that is there */
    int descriptor;                /* of the finished file, or of one without a name; -1: none */
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
    cache->descriptor = -1;
    if (path && !(cache->path = df_text_copy(path))) {
        free(cache);
        return NULL;
    }
    return cache;
}

void df_feature_cache_free(struct df_feature_cache *cache)
{
    if (!cache)
        return;
    if (cache->output)
        df_atomic_abort(cache->output);
    else if (cache->stream)
        fclose(cache->stream);
    if (cache->descriptor >= 0)
        close(cache->descriptor);
    free(cache->memory);
    free(cache->path);
    free(cache);
}

struct df_feature_cache *df_feature_cache_in_memory(const struct df_feature_shape *shape)
{
    struct df_feature_cache *cache = new_cache(shape, NULL, 0);
    if (!cache)
        return NULL;
    const size_t bytes = cache->record_bytes * (size_t)shape->count;
    cache->memory = malloc(bytes ? bytes : 1);
    if (!cache->memory) {
        df_error_memory("the features of all images", bytes);
        df_feature_cache_free(cache);
        return NULL;
    }
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

/* A file system that cannot reserve room says so with the errors that are let pass. */
static int reserve_disk(const struct df_feature_cache *cache)
{
    int reason = posix_fallocate(fileno(cache->stream), 0, (off_t)all_bytes(cache));

    if (reason == 0 || reason == EOPNOTSUPP || reason == EINVAL || reason == ENOSYS)
        return 0;
    return df_error_set("cannot write %s: %zu bytes of features: %s", cache->path, all_bytes(cache),
                        strerror(reason));
}

static int cannot_write(const struct df_feature_cache *cache)
{
    return df_error_set("cannot write %s: %s", cache->path, strerror(errno));
}

/* The cache, or NULL with the error set where it has no stream or no room: then it is freed. */
static struct df_feature_cache *begin_file(struct df_feature_cache *cache)
{
    const struct header header = make_header(cache);

    if (cache->stream && reserve_disk(cache) == 0) {
        if (fwrite(&header, sizeof header, 1, cache->stream) == 1)
            return cache;
        cannot_write(cache);
    }
    df_feature_cache_free(cache);
    return NULL;
}

struct df_feature_cache *df_feature_cache_in_file(const char *path, const struct df_feature_shape *shape,
                                                  uint64_t key)
{
    struct df_feature_cache *cache = new_cache(shape, path, key);
    if (!cache)
        return NULL;
    cache->output = df_atomic_open(path);
    cache->stream = cache->output ? df_atomic_stream(cache->output) : NULL;
    return begin_file(cache);
}

struct df_feature_cache *df_feature_cache_nameless(const char *folder, const struct df_feature_shape *shape)
{
    char *name = df_text_format("a temporary file in %s", folder);
    struct df_feature_cache *cache = name ? new_cache(shape, name, 0) : NULL;
    int copy = -1;

    free(name);
    if (!cache)
        return NULL;
    cache->descriptor = df_temporary_nameless(folder);
    if (cache->descriptor >= 0) {
        copy = fcntl(cache->descriptor, F_DUPFD_CLOEXEC, 0);
        cache->stream = copy < 0 ? NULL : fdopen(copy, "wb");
        if (!cache->stream)
            cannot_write(cache);
    }
    if (!cache->stream && copy >= 0)
        close(copy);
    return begin_file(cache);
}

/* Depends on the record's place too, and on the file's key: a record elsewhere is a wrong one. */
static uint64_t record_digest(const struct df_feature_cache *cache, int64_t i, const void *record)
{
    struct df_digest digest;

    df_digest_start(&digest);
    df_digest_add_number(&digest, cache->key);
    df_digest_add_number(&digest, (uint64_t)i);
    df_digest_add(&digest, record, cache->record_bytes);
    return df_digest_value(&digest);
}

static int append_to_file(struct df_feature_cache *cache, const void *record)
{
    const uint64_t digest = record_digest(cache, cache->appended, record);

    if (fwrite(&digest, sizeof digest, 1, cache->stream) == 1 &&
        fwrite(record, cache->record_bytes, 1, cache->stream) == 1)
        return 0;
    return cannot_write(cache);
}

int df_feature_cache_append(struct df_feature_cache *cache, const void *record)
{
    assert(!cache->finished && cache->appended < cache->shape.count);
    if (cache->memory)
        memcpy(cache->memory + (size_t)cache->appended * cache->record_bytes, record, cache->record_bytes);
    else
        DF_TRY(append_to_file(cache, record));
    cache->appended++;
    return 0;
}

static int open_for_reading(struct df_feature_cache *cache)
{
    struct stat status;

    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    cache->descriptor = open(cache->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (cache->descriptor < 0 || fstat(cache->descriptor, &status) != 0)
        return df_error_set("cannot open %s: %s", cache->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return df_error_set("cannot open %s: it is not a regular file", cache->path);
    return 0;
}

int df_feature_cache_finish(struct df_feature_cache *cache)
{
    struct df_atomic_file *output = cache->output;
    FILE *stream = cache->stream;

    assert(!cache->finished && cache->appended == cache->shape.count);
    cache->output = NULL;
    cache->stream = NULL;
    if (output) {
        DF_TRY(df_atomic_commit(output));
        DF_TRY(open_for_reading(cache));
    } else if (stream && fclose(stream) != 0) {
        return cannot_write(cache);
    }
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

static off_t record_offset(const struct df_feature_cache *cache, int64_t i)
{
    return (off_t)(sizeof(struct header) + (size_t)i * (cache->record_bytes + sizeof(uint64_t)));
}

static int read_at(const struct df_feature_cache *cache, off_t offset, void *bytes, size_t size)
{
    char *next = bytes;

    while (size > 0) {
        const ssize_t got = pread(cache->descriptor, next, size, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return df_error_set("cannot read %s: %s", cache->path, strerror(errno));
        if (got == 0)
            return df_error_set("%s ends at byte %lld, within its features", cache->path, (long long)offset);
        next += got;
        offset += got;
        size -= (size_t)got;
    }
    return 0;
}

const void *df_feature_cache_record(const struct df_feature_cache *cache, int64_t i, void *room)
{
    uint64_t digest;

    assert(cache->finished && i >= 0 && i < cache->shape.count);
    if (cache->memory)
        return cache->memory + (size_t)i * cache->record_bytes;
    const off_t offset = record_offset(cache, i);
    if (read_at(cache, offset, &digest, sizeof digest) != 0 ||
        read_at(cache, offset + (off_t)sizeof digest, room, cache->record_bytes) != 0)
        return NULL;
    if (digest == record_digest(cache, i, room))
        return room;
    df_error_set("%s is damaged: record %lld of %lld, at byte %lld, is not what was written", cache->path,
                 (long long)i, (long long)cache->shape.count, (long long)offset);
    return NULL;
}

void df_feature_cache_expect(const struct df_feature_cache *cache, int64_t i)
{
    if (cache->descriptor >= 0)
        posix_fadvise(cache->descriptor, record_offset(cache, i),
                      (off_t)(cache->record_bytes + sizeof(uint64_t)), POSIX_FADV_WILLNEED);
}

static enum df_feature_file check_header(const struct df_feature_cache *cache)
{
    const struct header expected = make_header(cache);
    struct header found;
    struct stat status;

    if (fstat(cache->descriptor, &status) != 0 || (size_t)status.st_size < sizeof found ||
        read_at(cache, 0, &found, sizeof found) != 0 || memcmp(found.magic, MAGIC, sizeof found.magic) != 0) {
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
    if ((size_t)status.st_size != all_bytes(cache)) {
        df_error_set("%s has %lld bytes, expected are %zu", cache->path, (long long)status.st_size,
                     all_bytes(cache));
        return DF_FEATURE_FILE_DAMAGED;
    }
    return DF_FEATURE_FILE_WHOLE;
}

static enum df_feature_file check_records(const struct df_feature_cache *cache)
{
    enum df_feature_file state = DF_FEATURE_FILE_WHOLE;
    void *room = malloc(cache->record_bytes ? cache->record_bytes : 1);

    if (!room) {
        df_error_memory("an image's features", cache->record_bytes);
        return DF_FEATURE_FILE_FOREIGN;
    }
    for (int64_t i = 0; i < cache->shape.count && state == DF_FEATURE_FILE_WHOLE; i++) {
        if (!df_feature_cache_record(cache, i, room))
            state = DF_FEATURE_FILE_DAMAGED;
    }
    free(room);
    return state;
}

enum df_feature_file df_feature_cache_open(const char *path, const struct df_feature_shape *shape,
                                           uint64_t key, struct df_feature_cache **cache)
{
    struct stat status;
    enum df_feature_file state = DF_FEATURE_FILE_FOREIGN;

    *cache = NULL;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return DF_FEATURE_FILE_ABSENT;
    struct df_feature_cache *opened = new_cache(shape, path, key);
    if (opened && open_for_reading(opened) == 0)
        state = check_header(opened);
    if (state == DF_FEATURE_FILE_WHOLE) {
        opened->finished = true;
        state = check_records(opened);
    }
    if (state == DF_FEATURE_FILE_WHOLE)
        *cache = opened;
    else
        df_feature_cache_free(opened);
    return state;
}
