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

struct slot {
    char *memory;   /* NULL: in the file */
    int64_t offset; /* there */
    size_t size;
    char *taken; /* the memory of all whose slots were taken together; the first of them owns it */
};

struct df_record_store {
    const char *what, *folder;
    const char *path; /* of a file with a name */
    int64_t count;
    struct slot *slots;   /* [count]; each belongs to whoever uses that record */
    pthread_mutex_t lock; /* of what follows */
    size_t memory;        /* bytes that may still be taken */
    int descriptor;       /* -1: no file yet */
    int64_t file_size;
};

struct df_record_store *df_record_store_open(const char *what, int64_t count, size_t memory,
                                             const char *folder)
{
    struct df_record_store *store = calloc(1, sizeof *store);
    struct slot *slots = calloc((size_t)count, sizeof *slots);

    if (!store || !slots) {
        df_error_memory(what, (size_t)count * sizeof *slots);
        free(store);
        free(slots);
        return NULL;
    }
    *store = (struct df_record_store){
        .what = what, .folder = folder, .count = count, .slots = slots, .memory = memory, .descriptor = -1};
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
        free(store->slots[i].taken);
    if (store->descriptor >= 0)
        close(store->descriptor);
    pthread_mutex_destroy(&store->lock);
    free(store->slots);
    free(store);
}

/* So many bytes in one piece; under the lock. */
static int take_bytes(struct df_record_store *store, size_t bytes, struct slot *slot)
{
    if (bytes <= store->memory && (slot->memory = malloc(bytes))) {
        store->memory -= bytes;
        return 0;
    }
    if (store->descriptor < 0 && !store->folder)
        return df_error_memory(store->what, bytes);
    if (store->descriptor < 0 && (store->descriptor = df_temporary_nameless(store->folder)) < 0)
        return -1;
    slot->offset = store->file_size;
    store->file_size += (int64_t)bytes;
    return 0;
}

int df_record_store_take(struct df_record_store *store, int64_t first, int64_t count, size_t bytes)
{
    struct slot slot = {.size = bytes};
    size_t all;

    assert(first >= 0 && count >= 0 && count <= store->count - first);
    if (!df_size_mul((size_t)count, bytes, &all) || all > INT64_MAX)
        return df_error_memory(store->what, SIZE_MAX);
    if (all == 0)
        return 0;
    pthread_mutex_lock(&store->lock);
    const int status = take_bytes(store, all, &slot);
    pthread_mutex_unlock(&store->lock);
    if (status != 0)
        return -1;
    slot.taken = slot.memory;
    for (int64_t i = first; i < first + count; i++) {
        assert(!store->slots[i].memory);
        store->slots[i] = slot;
        slot.memory = slot.memory ? slot.memory + bytes : NULL;
        slot.taken = NULL;
        slot.offset += (int64_t)bytes;
    }
    return 0;
}

static int cannot_write(const struct df_record_store *store, const char *reason)
{
    if (store->path)
        return df_error_set("cannot write %s: %s", store->path, reason);
    return df_error_set("cannot keep %s in a temporary file in %s: %s", store->what, store->folder, reason);
}

/* A file system that cannot reserve space says so with the errors that are let pass. */
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

static const struct slot *slot_of(const struct df_record_store *store, int64_t record, size_t start,
                                  size_t size)
{
    const struct slot *slot = &store->slots[record];

    assert(record >= 0 && record < store->count && start <= slot->size && size <= slot->size - start);
    return slot;
}

int df_record_store_write(const struct df_record_store *store, int64_t record, size_t start,
                          const void *bytes, size_t size)
{
    const struct slot *slot = slot_of(store, record, start, size);

    if (slot->memory)
        memcpy(slot->memory + start, bytes, size);
    for (size_t done = 0; !slot->memory && done < size;) {
        const ssize_t written = pwrite(store->descriptor, (const char *)bytes + done, size - done,
                                       slot->offset + (int64_t)(start + done));
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
                                 size_t size, void *buffer)
{
    const struct slot *slot = slot_of(store, record, start, size);

    if (slot->memory)
        return slot->memory + start;
    for (size_t done = 0; done < size;) {
        const int64_t offset = slot->offset + (int64_t)(start + done);
        const ssize_t got = pread(store->descriptor, (char *)buffer + done, size - done, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            cannot_read(store, got, offset);
            return NULL;
        }
        done += (size_t)got;
    }
    return buffer;
}

void df_record_store_expect(const struct df_record_store *store, int64_t record)
{
    const struct slot *slot = slot_of(store, record, 0, 0);

    if (!slot->memory)
        posix_fadvise(store->descriptor, slot->offset, (off_t)slot->size, POSIX_FADV_WILLNEED);
}
