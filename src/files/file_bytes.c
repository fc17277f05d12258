#include "dinoft/file_bytes.h"

#include "dinoft/error.h"
#include "archive.h"
#include "open_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MOST ((size_t)16 << 20) /* bytes that a thread keeps for its next file */

/* New memory costs its first use about as much as reading a file into it does, so each thread keeps a buffer.
 */
struct buffer {
    size_t size;
    unsigned char bytes[];
};

static pthread_key_t kept; /* a thread's buffer that is not in use; freed at the thread's end */
static pthread_once_t kept_made = PTHREAD_ONCE_INIT;
static int kept_failed;

static void make_kept(void)
{
    kept_failed = pthread_key_create(&kept, free);
}

static struct buffer *take_buffer(size_t size)
{
    pthread_once(&kept_made, make_kept);
    struct buffer *buffer = kept_failed ? NULL : pthread_getspecific(kept);
    if (buffer)
        pthread_setspecific(kept, NULL);
    if (buffer && buffer->size >= size)
        return buffer;
    free(buffer);
    buffer = malloc(sizeof *buffer + size);
    if (buffer)
        buffer->size = size;
    return buffer;
}

static void give_buffer_back(struct buffer *buffer)
{
    if (kept_failed || buffer->size > KEPT_MOST || pthread_getspecific(kept) ||
        pthread_setspecific(kept, buffer) != 0)
        free(buffer);
}

/* Up to size bytes: fewer at the file's end. -1 with errno set. */
static ssize_t read_up_to(int descriptor, unsigned char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t got = read(descriptor, bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* The buffer is one byte longer than the file: to see that nothing was added meanwhile. */
static int read_all(int descriptor, const char *path, unsigned char *bytes, size_t size)
{
    const ssize_t got = read_up_to(descriptor, bytes, size + 1);

    if (got < 0)
        return df_error_set("cannot read %s: %s", path, strerror(errno));
    if ((size_t)got != size)
        return df_error_set("cannot read %s: it changed meanwhile, from %zu bytes to %s", path, size,
                            (size_t)got < size ? "fewer" : "more");
    return 0;
}

/* NULL with the error set; with a byte more. */
static struct buffer *buffer_for(const char *path, uint64_t size)
{
    if (size > (uint64_t)DF_FILE_BYTES_MAX || size > SIZE_MAX / 2) {
        df_error_set("cannot read %s: it has %llu bytes, more than %lld", path, (unsigned long long)size,
                     (long long)DF_FILE_BYTES_MAX);
        return NULL;
    }
    struct buffer *buffer = take_buffer((size_t)size + 1);
    if (!buffer)
        df_error_memory(path, (unsigned long long)size);
    return buffer;
}

static int read_file(int descriptor, const char *path, int64_t size, struct df_file_bytes *file)
{
    struct buffer *buffer = buffer_for(path, (uint64_t)size);

    if (!buffer)
        return -1;
    if (read_all(descriptor, path, buffer->bytes, (size_t)size) != 0) {
        give_buffer_back(buffer);
        return -1;
    }
    file->bytes = buffer->bytes;
    file->size = (size_t)size;
    return 0;
}

static int read_entry(const struct df_archive_place *place, const char *path, struct df_file_bytes *file)
{
    const struct df_archive_entry *entry = df_archive_file(place);

    if (!entry)
        return df_error_set("cannot open %s: %s", path,
                            df_archive_has_folder(place) ? "it is a folder" : "it is not in the archive");
    if (df_archive_check_file(place->archive, entry) != 0)
        return df_error_context("cannot read %s", path);
    struct buffer *buffer = buffer_for(path, entry->size);
    if (!buffer)
        return -1;
    if (df_archive_read_file(place->archive, entry, buffer->bytes) != 0) {
        give_buffer_back(buffer);
        return df_error_context("cannot read %s", path);
    }
    file->bytes = buffer->bytes;
    file->size = (size_t)entry->size;
    return 0;
}

int df_file_bytes_read(const char *path, struct df_file_bytes *file)
{
    struct df_archive_place place;
    int64_t size;

    memset(file, 0, sizeof *file);
    const int found = df_archive_find(path, &place);
    if (found < 0)
        return -1;
    if (found == 1 && *place.inside)
        return read_entry(&place, path, file);
    const int descriptor = df_open_regular(path, &size);
    if (descriptor < 0)
        return -1;
    const int status = read_file(descriptor, path, size, file);
    close(descriptor);
    return status;
}

void df_file_bytes_free(struct df_file_bytes *file)
{
    if (file->bytes)
        give_buffer_back((struct buffer *)(file->bytes - offsetof(struct buffer, bytes)));
    memset(file, 0, sizeof *file);
}
