#include "zip.h"
#include "little_endian.h"
#include "zip_format.h"

#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum {
    ALIGNMENT = 64,
    DESCRIPTOR_MAX = 24,
    ZIP64_EXTRA_MAX = DF_ZIP_EXTRA_HEADER_SIZE + 3 * 8,
    NAME_MAX_BYTES = 0x7fff,
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
    ZIP64_VERSION = 45,
    UNIX_VERSION = 3 << 8 | 30 /* written on Unix, by the rules of version 3.0 */
};

struct written {
    char *name;
    uint64_t size, offset;
    uint32_t crc;
};

struct df_zip_writer {
    FILE *stream;
    uint64_t at, zip64_from;
    struct written *entries;
    size_t count, capacity;
};

struct df_zip_writer *df_zip_writer_new(FILE *stream, uint64_t zip64_from)
{
    struct df_zip_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        df_error_memory("a zip archive", sizeof *writer);
        return NULL;
    }
    writer->stream = stream;
    writer->zip64_from = zip64_from;
    return writer;
}

void df_zip_writer_free(struct df_zip_writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->entries[i].name);
    free(writer->entries);
    free(writer);
}

static int put(struct df_zip_writer *writer, const void *bytes, size_t size)
{
    if (!df_mapped_write(writer->stream, bytes, size))
        return df_error_set("cannot write: %s", strerror(errno));
    writer->at += size;
    return 0;
}

static bool is_large(const struct df_zip_writer *writer, uint64_t value)
{
    return value >= writer->zip64_from;
}

static bool has_zip64(const struct df_zip_writer *writer, const struct written *entry)
{
    return is_large(writer, entry->size) || is_large(writer, entry->offset);
}

static uint32_t narrow(const struct df_zip_writer *writer, uint64_t value)
{
    return is_large(writer, value) ? UINT32_MAX : (uint32_t)value;
}

/* The extra field with what does not fit into 32 bits; returns a pointer behind it. */
static unsigned char *put_zip64_extra(const struct df_zip_writer *writer, const struct written *entry,
                                      unsigned char *field)
{
    bool wide_size = is_large(writer, entry->size), wide_offset = is_large(writer, entry->offset);
    if (!wide_size && !wide_offset)
        return field;
    field = df_le_put(field, 2, DF_ZIP_ZIP64_EXTRA);
    field = df_le_put(field, 2, (wide_size ? 16 : 0) + (wide_offset ? 8 : 0));
    if (wide_size) {
        field = df_le_put(field, 8, entry->size);
        field = df_le_put(field, 8, entry->size);
    }
    return wide_offset ? df_le_put(field, 8, entry->offset) : field;
}

static unsigned flags_of(const struct written *entry)
{
    return FLAG_UTF8 | (entry->size ? FLAG_DESCRIPTOR : 0);
}

static int put_local_header(struct df_zip_writer *writer, const struct written *entry)
{
    unsigned char extra[ZIP64_EXTRA_MAX + DF_ZIP_EXTRA_HEADER_SIZE + ALIGNMENT];
    unsigned char header[DF_ZIP_LOCAL_SIZE] = {0};
    size_t name_length = strlen(entry->name);

    unsigned char *end = put_zip64_extra(writer, entry, extra);
    size_t unpadded = (size_t)(end - extra) + DF_ZIP_EXTRA_HEADER_SIZE + DF_ZIP_LOCAL_SIZE + name_length;
    unsigned padding = (unsigned)((ALIGNMENT - (writer->at + unpadded) % ALIGNMENT) % ALIGNMENT);
    *end++ = 'F';
    *end++ = 'B';
    end = df_le_put(end, 2, padding);
    memset(end, 'Z', padding);
    end += padding;

    df_le_put(header, 4, DF_ZIP_LOCAL_SIGNATURE);
    df_le_put(header + 6, 2, flags_of(entry));
    df_le_put(header + 26, 2, name_length);
    df_le_put(header + 28, 2, (uint64_t)(end - extra));
    DF_TRY(put(writer, header, sizeof header));
    DF_TRY(put(writer, entry->name, name_length));
    return put(writer, extra, (size_t)(end - extra));
}

static int put_descriptor(struct df_zip_writer *writer, const struct written *entry)
{
    unsigned char descriptor[DESCRIPTOR_MAX];
    unsigned width = has_zip64(writer, entry) ? 8 : 4;
    unsigned char *end = df_le_put(descriptor, 4, DF_ZIP_DESCRIPTOR_SIGNATURE);
    end = df_le_put(end, 4, entry->crc);
    end = df_le_put(end, width, entry->size);
    end = df_le_put(end, width, entry->size);
    return put(writer, descriptor, (size_t)(end - descriptor));
}

/* A new, zeroed entry with a copy of the name, at the stream's offset. */
static struct written *append(struct df_zip_writer *writer, const char *name)
{
    if (writer->count == writer->capacity) {
        size_t capacity = writer->capacity ? 2 * writer->capacity : 64;
        struct written *entries = realloc(writer->entries, capacity * sizeof *entries);
        if (!entries) {
            df_error_memory("a zip archive's directory", capacity * sizeof *entries);
            return NULL;
        }
        writer->entries = entries;
        writer->capacity = capacity;
    }
    size_t length = strlen(name);
    if (length > NAME_MAX_BYTES) {
        df_error_set("a zip entry's name of %zu bytes is too long", length);
        return NULL;
    }
    struct written *entry = &writer->entries[writer->count];
    *entry = (struct written){.name = malloc(length + 1), .offset = writer->at};
    if (!entry->name) {
        df_error_memory("a zip entry's name", length + 1);
        return NULL;
    }
    memcpy(entry->name, name, length + 1);
    writer->count++;
    return entry;
}

int df_zip_add(struct df_zip_writer *writer, const char *name, const void *bytes, size_t size)
{
    struct written *entry = append(writer, name);
    if (!entry)
        return -1;
    entry->size = size;
    entry->crc = size ? (uint32_t)crc32_z(0, bytes, size) : 0;
    DF_TRY(put_local_header(writer, entry));
    assert(writer->at % ALIGNMENT == 0);
    DF_TRY(put(writer, bytes, size));
    return size ? put_descriptor(writer, entry) : 0;
}

static int put_central(struct df_zip_writer *writer, const struct written *entry)
{
    unsigned char extra[ZIP64_EXTRA_MAX];
    unsigned char header[DF_ZIP_CENTRAL_SIZE] = {0};
    size_t name_length = strlen(entry->name);
    size_t extra_length = (size_t)(put_zip64_extra(writer, entry, extra) - extra);

    df_le_put(header, 4, DF_ZIP_CENTRAL_SIGNATURE);
    df_le_put(header + 8, 2, flags_of(entry));
    df_le_put(header + 16, 4, entry->crc);
    df_le_put(header + 20, 4, narrow(writer, entry->size));
    df_le_put(header + 24, 4, narrow(writer, entry->size));
    df_le_put(header + 28, 2, name_length);
    df_le_put(header + 30, 2, extra_length);
    df_le_put(header + 42, 4, narrow(writer, entry->offset));
    DF_TRY(put(writer, header, sizeof header));
    DF_TRY(put(writer, entry->name, name_length));
    return put(writer, extra, extra_length);
}

/* PyTorch's writer ends every archive with the zip64 records, needed or not; so does this one. */
int df_zip_finish(struct df_zip_writer *writer)
{
    uint64_t start = writer->at;
    for (size_t i = 0; i < writer->count; i++)
        DF_TRY(put_central(writer, &writer->entries[i]));
    uint64_t end = writer->at;

    unsigned char end64[DF_ZIP_END64_SIZE] = {0};
    df_le_put(end64, 4, DF_ZIP_END64_SIGNATURE);
    df_le_put(end64 + 4, 8, DF_ZIP_END64_SIZE - 12);
    df_le_put(end64 + 12, 2, UNIX_VERSION);
    df_le_put(end64 + 14, 2, ZIP64_VERSION);
    df_le_put(end64 + 24, 8, writer->count);
    df_le_put(end64 + 32, 8, writer->count);
    df_le_put(end64 + 40, 8, end - start);
    df_le_put(end64 + 48, 8, start);
    DF_TRY(put(writer, end64, sizeof end64));

    unsigned char locator[DF_ZIP_LOCATOR64_SIZE] = {0};
    df_le_put(locator, 4, DF_ZIP_LOCATOR64_SIGNATURE);
    df_le_put(locator + 8, 8, end);
    df_le_put(locator + 16, 4, 1);
    DF_TRY(put(writer, locator, sizeof locator));

    unsigned char tail[DF_ZIP_END_SIZE] = {0};
    uint64_t count = writer->count < UINT16_MAX ? writer->count : UINT16_MAX;
    df_le_put(tail, 4, DF_ZIP_END_SIGNATURE);
    df_le_put(tail + 8, 2, count);
    df_le_put(tail + 10, 2, count);
    df_le_put(tail + 12, 4, narrow(writer, end - start));
    df_le_put(tail + 16, 4, narrow(writer, start));
    return put(writer, tail, sizeof tail);
}

void df_zip_digest(const struct df_zip_writer *writer, char text[DF_ZIP_DIGEST_SIZE])
{
    uint64_t names = 0, contents = 0;
    for (size_t i = 0; i < writer->count; i++) {
        names = names * 31 + df_hash_text(writer->entries[i].name);
        contents = contents * 0x100000001b3u + writer->entries[i].crc;
    }
    snprintf(text, DF_ZIP_DIGEST_SIZE, "%020llu%020llu", (unsigned long long)names,
             (unsigned long long)contents);
}
