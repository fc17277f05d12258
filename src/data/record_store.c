#include "dinoft/record_store.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/temporary.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
    char *memory;   /* NULL: in the file */
    int64_t offset; /* there */
    size_t size;
    char *taken; /* the memory of all that were given places together; the first of them owns it */
};

struct df_record_store {
    const char *what, *folder;
    const char *path; /* of a file with a name */
    int64_t count;
    struct place *places; /* [count]; each belongs to whoever uses that record */
    pthread_mutex_t lock; /* of what follows */
    size_t memory;        /* bytes that may still be taken */
    int descriptor;       /* -1: no file yet */
    int64_t file_size;
};

struct df_record_store *df_record_store_open(const char *what, int64_t count, size_t memory,
                                             const char *folder)
{
    struct df_record_store *store = calloc(1, sizeof *store);
    struct place *places = calloc((size_t)count, sizeof *places);

    if (!store || !places) {
        df_error_memory(what, (size_t)count * sizeof *places);
        free(store);
        free(places);
        return NULL;
    }
    *store = (struct df_record_store){
        .what = what, .folder = folder, .count = count, .places = places, .memory = memory, .descriptor = -1};
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

void df_record_store_use_file(struct df_record_store *store, int descriptor, const char *path)
{
    store->descriptor = descriptor;
    store->path = path;
}

void df_record_store_close(struct df_record_store *store)
{
    if (!store)
        return;
    for (int64_t i = 0; i < store->count; i++)
        free(store->places[i].taken);
    if (store->descriptor >= 0)
        close(store->descriptor);
    pthread_mutex_destroy(&store->lock);
    free(store->places);
    free(store);
}

/* Room for so many bytes in one piece; under the lock. */
static int take_bytes(struct df_record_store *store, size_t bytes, struct place *place)
{
    if (bytes <= store->memory && (place->memory = malloc(bytes))) {
        store->memory -= bytes;
        return 0;
    }
    if (store->descriptor < 0 && !store->folder)
        return df_error_memory(store->what, bytes);
    if (store->descriptor < 0 && (store->descriptor = df_temporary_nameless(store->folder)) < 0)
        return -1;
    place->offset = store->file_size;
    store->file_size += (int64_t)bytes;
    return 0;
}

int df_record_store_take(struct df_record_store *store, int64_t first, int64_t count, size_t bytes)
{
    struct place place = {.size = bytes};
    size_t all;

    assert(first >= 0 && count >= 0 && count <= store->count - first);
    if (!df_size_mul((size_t)count, bytes, &all) || all > INT64_MAX)
        return df_error_memory(store->what, SIZE_MAX);
    if (all == 0)
        return 0;
    pthread_mutex_lock(&store->lock);
    const int status = take_bytes(store, all, &place);
    pthread_mutex_unlock(&store->lock);
    if (status != 0)
        return -1;
    place.taken = place.memory;
    for (int64_t i = first; i < first + count; i++) {
        assert(!store->places[i].memory);
        store->places[i] = place;
        place.memory = place.memory ? place.memory + bytes : NULL;
        place.taken = NULL;
        place.offset += (int64_t)bytes;
    }
    return 0;
}

static int cannot_write(const struct df_record_store *store, const char *reason)
{
    if (store->path)
        return df_error_set("cannot write %s: %s", store->path, reason);
    return df_error_set("cannot keep %s in a temporary file in %s: %s", store->what, store->folder, reason);
}

/* A file system that cannot reserve room says so with the errors that are let pass. */
int df_record_store_reserve(const struct df_record_store *store)
{
    const int error = store->descriptor < 0 ? 0 : posix_fallocate(store->descriptor, 0, store->file_size);
    char reason[256];

    if (error == 0 || error == EOPNOTSUPP || error == EINVAL || error == ENOSYS)
        return 0;
    snprintf(reason, sizeof reason, "%lld bytes of %s: %s", (long long)store->file_size, store->what,
             strerror(error));
    return cannot_write(store, reason);
}

static const struct place *place_of(const struct df_record_store *store, int64_t record, size_t start,
                                    size_t size)
{
    const struct place *place = &store->places[record];

    assert(record >= 0 && record < store->count && start <= place->size && size <= place->size - start);
    return place;
}

int df_record_store_write(const struct df_record_store *store, int64_t record, size_t start,
                          const void *bytes, size_t size)
{
    const struct place *place = place_of(store, record, start, size);

    if (place->memory)
        memcpy(place->memory + start, bytes, size);
    for (size_t done = 0; !place->memory && done < size;) {
        const ssize_t written = pwrite(store->descriptor, (const char *)bytes + done, size - done,
                                       place->offset + (int64_t)(start + done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return cannot_write(store, strerror(written < 0 ? errno : ENOSPC));
        done += (size_t)written;
    }
    return 0;
}

/* got: what pread() answered, 0 at the file's end. */
static int cannot_read(const struct df_record_store *store, ssize_t got, int64_t offset)
{
    const char *reason = got < 0 ? strerror(errno) : "it has become shorter";

    if (!store->path)
        return df_error_set("cannot read %s back from a temporary file in %s: %s", store->what, store->folder,
                            reason);
    if (got < 0)
        return df_error_set("cannot read %s: %s", store->path, reason);
    return df_error_set("%s ends at byte %lld, within its %s", store->path, (long long)offset, store->what);
}

const void *df_record_store_read(const struct df_record_store *store, int64_t record, size_t start,
                                 size_t size, void *room)
{
    const struct place *place = place_of(store, record, start, size);

    if (place->memory)
        return place->memory + start;
    for (size_t done = 0; done < size;) {
        const int64_t offset = place->offset + (int64_t)(start + done);
        const ssize_t got = pread(store->descriptor, (char *)room + done, size - done, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            cannot_read(store, got, offset);
            return NULL;
        }
        done += (size_t)got;
    }
    return room;
}

void df_record_store_expect(const struct df_record_store *store, int64_t record)
{
    const struct place *place = place_of(store, record, 0, 0);

    if (!place->memory)
        posix_fadvise(store->descriptor, place->offset, (off_t)place->size, POSIX_FADV_WILLNEED);
}
