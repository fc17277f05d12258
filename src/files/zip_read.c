#include "zip.h"
#include "little_endian.h"
#include "quote.h"
#include "zip_format.h"

#include "dinoft/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum {
    COMMENT_MAX = 0xffff,
    STORED = 0,
    DEFLATED = 8,
    /* traditional encryption, strong encryption, masked headers */
    ENCRYPTED_FLAGS = 1 << 0 | 1 << 6 | 1 << 13,
    DEFLATE_RATIO_MAX = 1032 /* a code of 2 bits stands for 258 bytes at most */
};

struct directory {
    uint64_t count, size, offset;
};

static bool fits(const struct df_mapping *mapping, uint64_t offset, uint64_t size)
{
    return offset <= mapping->size && size <= mapping->size - offset;
}

/* The end record is the last thing in the file but for a comment, whose length it holds. */
static int find_end(const struct df_mapping *mapping, size_t *offset)
{
    for (size_t comment = 0; comment <= COMMENT_MAX && mapping->size >= DF_ZIP_END_SIZE + comment;
         comment++) {
        size_t candidate = mapping->size - DF_ZIP_END_SIZE - comment;
        const unsigned char *bytes = mapping->bytes + candidate;
        if (df_le_get(bytes, 4) == DF_ZIP_END_SIGNATURE && df_le_get(bytes + 20, 2) == comment) {
            *offset = candidate;
            return 0;
        }
    }
    return df_error_set("not a zip archive, or cut short: it has no end record");
}

/* Replaces the fields of the end record by those of its zip64 twin. */
static int read_end64(const struct df_mapping *mapping, size_t end, struct directory *directory)
{
    const unsigned char *locator = mapping->bytes + end - DF_ZIP_LOCATOR64_SIZE;
    uint64_t offset = df_le_get(locator + 8, 8);
    if (!fits(mapping, offset, DF_ZIP_END64_SIZE) ||
        df_le_get(mapping->bytes + offset, 4) != DF_ZIP_END64_SIGNATURE)
        return df_error_set("damaged zip archive: no zip64 end record at byte %llu",
                            (unsigned long long)offset);
    const unsigned char *bytes = mapping->bytes + offset;
    if (df_le_get(bytes + 16, 4) != 0 || df_le_get(bytes + 20, 4) != 0)
        return df_error_set("zip archive split over several files: refused");
    directory->count = df_le_get(bytes + 32, 8);
    directory->size = df_le_get(bytes + 40, 8);
    directory->offset = df_le_get(bytes + 48, 8);
    return 0;
}

static int find_directory(const struct df_mapping *mapping, struct directory *directory)
{
    size_t end = 0;
    DF_TRY(find_end(mapping, &end));
    const unsigned char *bytes = mapping->bytes + end;

    directory->count = df_le_get(bytes + 10, 2);
    directory->size = df_le_get(bytes + 12, 4);
    directory->offset = df_le_get(bytes + 16, 4);
    if (end >= DF_ZIP_LOCATOR64_SIZE &&
        df_le_get(bytes - DF_ZIP_LOCATOR64_SIZE, 4) == DF_ZIP_LOCATOR64_SIGNATURE)
        DF_TRY(read_end64(mapping, end, directory));
    else if (df_le_get(bytes + 4, 2) != 0 || df_le_get(bytes + 6, 2) != 0)
        return df_error_set("zip archive split over several files: refused");

    if (directory->offset > end || directory->size > end - directory->offset)
        return df_error_set(
            "damaged zip archive: its directory of %llu bytes at byte %llu does not fit in %zu",
            (unsigned long long)directory->size, (unsigned long long)directory->offset, end);
    if (directory->count > directory->size / DF_ZIP_CENTRAL_SIZE)
        return df_error_set("damaged zip archive: %llu entries in a directory of %llu bytes",
                            (unsigned long long)directory->count, (unsigned long long)directory->size);
    return 0;
}

/* One 64-bit value of the zip64 field, if the 32-bit one says that it is there. */
static bool widen(uint64_t *value, const unsigned char **field, size_t *left)
{
    if (*value != UINT32_MAX)
        return true;
    if (*left < 8)
        return false;
    *value = df_le_get(*field, 8);
    *field += 8;
    *left -= 8;
    return true;
}

static bool read_zip64_extra(struct df_zip_entry *entry, const unsigned char *extra, size_t length)
{
    if (entry->size != UINT32_MAX && entry->stored_size != UINT32_MAX && entry->header_offset != UINT32_MAX)
        return true;
    while (length >= DF_ZIP_EXTRA_HEADER_SIZE) {
        size_t size = df_le_get(extra + 2, 2);
        if (size > length - DF_ZIP_EXTRA_HEADER_SIZE)
            return false;
        if (df_le_get(extra, 2) == DF_ZIP_ZIP64_EXTRA) {
            const unsigned char *field = extra + DF_ZIP_EXTRA_HEADER_SIZE;
            return widen(&entry->size, &field, &size) && widen(&entry->stored_size, &field, &size) &&
                   widen(&entry->header_offset, &field, &size);
        }
        extra += DF_ZIP_EXTRA_HEADER_SIZE + size;
        length -= DF_ZIP_EXTRA_HEADER_SIZE + size;
    }
    return true; /* without the field, 0xffffffff is the value itself */
}

/* Reads the record at bytes, which has `left` bytes, and stores its length. */
static int read_central(struct df_zip_entry *entry, const unsigned char *bytes, size_t left, size_t *length)
{
    if (left < DF_ZIP_CENTRAL_SIZE || df_le_get(bytes, 4) != DF_ZIP_CENTRAL_SIGNATURE)
        return df_error_set("damaged zip archive: a record of its directory is missing");
    size_t extra_length = df_le_get(bytes + 30, 2);
    entry->name_length = df_le_get(bytes + 28, 2);
    *length = DF_ZIP_CENTRAL_SIZE + entry->name_length + extra_length + df_le_get(bytes + 32, 2);
    if (*length > left)
        return df_error_set("damaged zip archive: a record of its directory is cut short");

    entry->name = (const char *)bytes + DF_ZIP_CENTRAL_SIZE;
    entry->flags = (unsigned)df_le_get(bytes + 8, 2);
    entry->method = (unsigned)df_le_get(bytes + 10, 2);
    entry->crc = (uint32_t)df_le_get(bytes + 16, 4);
    entry->stored_size = df_le_get(bytes + 20, 4);
    entry->size = df_le_get(bytes + 24, 4);
    entry->header_offset = df_le_get(bytes + 42, 4);
    if (!read_zip64_extra(entry, bytes + DF_ZIP_CENTRAL_SIZE + entry->name_length, extra_length)) {
        char name[DF_QUOTE_SIZE];
        return df_error_set("damaged zip archive: %s has a broken zip64 field",
                            df_quote(name, entry->name, entry->name_length));
    }
    return 0;
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_entries(const void *a, const void *b)
{
    const struct df_zip_entry *x = a, *y = b;
    return compare_names(x->name, x->name_length, y->name, y->name_length);
}

static int read_directory(struct df_zip *zip, const struct directory *directory)
{
    const unsigned char *bytes = zip->mapping->bytes + directory->offset;
    size_t left = directory->size;
    for (; zip->count < directory->count; zip->count++) {
        size_t length = 0;
        DF_TRY(read_central(&zip->entries[zip->count], bytes, left, &length));
        bytes += length;
        left -= length;
    }
    if (zip->count > 1)
        qsort(zip->entries, zip->count, sizeof *zip->entries, compare_entries);
    for (size_t i = 1; i < zip->count; i++) {
        char name[DF_QUOTE_SIZE];
        if (compare_entries(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return df_error_set("zip archive with two entries named %s: refused",
                                df_quote(name, zip->entries[i].name, zip->entries[i].name_length));
    }
    return 0;
}

struct df_zip *df_zip_open(const struct df_mapping *mapping)
{
    struct directory directory;
    if (find_directory(mapping, &directory) != 0)
        return NULL;
    struct df_zip *zip = calloc(1, sizeof *zip);
    if (zip)
        zip->entries = calloc(directory.count + 1, sizeof *zip->entries);
    if (!zip || !zip->entries) {
        df_error_memory("a zip archive's directory", (directory.count + 1) * sizeof *zip->entries);
        free(zip);
        return NULL;
    }
    zip->mapping = mapping;
    if (read_directory(zip, &directory) != 0) {
        df_zip_close(zip);
        return NULL;
    }
    return zip;
}

void df_zip_close(struct df_zip *zip)
{
    if (!zip)
        return;
    free(zip->entries);
    free(zip);
}

const struct df_zip_entry *df_zip_find(const struct df_zip *zip, const char *name)
{
    struct df_zip_entry wanted = {.name = name, .name_length = strlen(name)};
    return bsearch(&wanted, zip->entries, zip->count, sizeof *zip->entries, compare_entries);
}

/* zlib counts in 32 bits, so both sides are handed over piece by piece. */
static bool inflate_all(const unsigned char *source, uint64_t source_size, unsigned char *destination,
                        uint64_t size)
{
    enum { PIECE = 1 << 30 };
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    int status = Z_OK;
    stream.next_in = (unsigned char *)source;
    stream.next_out = destination;
    while (status == Z_OK) {
        uint64_t in = source_size - (uint64_t)(stream.next_in - source);
        uint64_t out = size - (uint64_t)(stream.next_out - destination);
        stream.avail_in = (uInt)(in < PIECE ? in : PIECE);
        stream.avail_out = (uInt)(out < PIECE ? out : PIECE);
        status = inflate(&stream, Z_NO_FLUSH);
    }
    bool whole = status == Z_STREAM_END && (uint64_t)(stream.next_out - destination) == size;
    inflateEnd(&stream);
    return whole;
}

static int inflate_entry(const struct df_zip_entry *entry, const char *name, const unsigned char *data,
                         void **owned)
{
    unsigned char *bytes = malloc(entry->size ? entry->size : 1);
    if (!bytes)
        return df_error_memory("a deflated zip entry", entry->size);
    if (!inflate_all(data, entry->stored_size, bytes, entry->size)) {
        free(bytes);
        return df_error_set("damaged zip entry %s: it does not inflate to its %llu bytes", name,
                            (unsigned long long)entry->size);
    }
    *owned = bytes;
    return 0;
}

/* Where the entry's stored bytes begin: after a local header whose name and extra field have lengths of their
 * own. */
static int locate(const struct df_zip *zip, const struct df_zip_entry *entry, const char *name,
                  const unsigned char **data)
{
    const struct df_mapping *mapping = zip->mapping;
    uint64_t offset = entry->header_offset;
    if (!fits(mapping, offset, DF_ZIP_LOCAL_SIZE) ||
        df_le_get(mapping->bytes + offset, 4) != DF_ZIP_LOCAL_SIGNATURE)
        return df_error_set("damaged zip entry %s: no header at byte %llu", name, (unsigned long long)offset);
    const unsigned char *header = mapping->bytes + offset;
    offset += DF_ZIP_LOCAL_SIZE + df_le_get(header + 26, 2) + df_le_get(header + 28, 2);
    if (!fits(mapping, offset, entry->stored_size))
        return df_error_set("damaged zip entry %s: %llu bytes at byte %llu do not fit in a file of %zu", name,
                            (unsigned long long)entry->stored_size, (unsigned long long)offset,
                            mapping->size);
    *data = mapping->bytes + offset;
    return 0;
}

/* Also finds where its stored bytes begin. */
static int check(const struct df_zip *zip, const struct df_zip_entry *entry, uint64_t inflate_limit,
                 const char *name, const unsigned char **data)
{
    if (entry->flags & ENCRYPTED_FLAGS)
        return df_error_set("zip entry %s is encrypted: refused", name);
    if (entry->method != STORED && entry->method != DEFLATED)
        return df_error_set("zip entry %s is compressed by method %u; only stored and deflated are known",
                            name, entry->method);
    if (entry->method == STORED && entry->size != entry->stored_size)
        return df_error_set("damaged zip entry %s: stored, but of two sizes, %llu and %llu bytes", name,
                            (unsigned long long)entry->size, (unsigned long long)entry->stored_size);
    if (entry->method == DEFLATED && entry->size > inflate_limit)
        return df_error_set("zip entry %s inflates to %llu bytes, at most %llu are allowed", name,
                            (unsigned long long)entry->size, (unsigned long long)inflate_limit);
    if (entry->method == DEFLATED && entry->size / DEFLATE_RATIO_MAX > entry->stored_size)
        return df_error_set("damaged zip entry %s: %llu bytes cannot inflate to %llu", name,
                            (unsigned long long)entry->stored_size, (unsigned long long)entry->size);
    return locate(zip, entry, name, data);
}

int df_zip_check(const struct df_zip *zip, const struct df_zip_entry *entry, uint64_t inflate_limit)
{
    char name[DF_QUOTE_SIZE];
    const unsigned char *data = NULL;

    return check(zip, entry, inflate_limit, df_quote(name, entry->name, entry->name_length), &data);
}

int df_zip_read(const struct df_zip *zip, const struct df_zip_entry *entry, uint64_t inflate_limit,
                const void **bytes, void **owned)
{
    char name[DF_QUOTE_SIZE];
    const unsigned char *data = NULL;

    *bytes = NULL;
    *owned = NULL;
    df_quote(name, entry->name, entry->name_length);
    DF_TRY(check(zip, entry, inflate_limit, name, &data));
    if (entry->method == DEFLATED) {
        DF_TRY(inflate_entry(entry, name, data, owned));
        data = *owned;
    }
    if (crc32_z(0, data, entry->size) != entry->crc) {
        free(*owned);
        *owned = NULL;
        return df_error_set("damaged zip entry %s: its CRC is wrong", name);
    }
    *bytes = data;
    return 0;
}
