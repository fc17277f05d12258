#include "tar.h"
#include "quote.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

#define EXTENDED_MAX ((uint64_t)1 << 20) /* bytes of an extended header */

/* Where fields of a header are, and how long. */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    SIZE = 124,
    SIZE_SIZE = 12,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_SIZE = 155
};

struct reading {
    const struct df_mapping *mapping;
    uint64_t at; /* of the header that is being read */
    struct df_archive_names *names;
    struct df_tar_passed *passed;
    /* What an extended header said of the next one. */
    const char *path; /* in the mapping; NULL: nothing */
    size_t path_length;
    uint64_t size;
    bool has_size;
};

unsigned df_tar_checksum(const unsigned char header[DF_TAR_BLOCK])
{
    unsigned sum = 0;

    for (int i = 0; i < DF_TAR_BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : header[i];
    return sum;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* Octal digits between spaces and zeros, or 8 bits a byte behind a first one of 128. */
static bool read_number(const unsigned char *field, size_t size, uint64_t *number)
{
    size_t i = 0;

    *number = 0;
    if (field[0] & 0x80) {
        if (field[0] != 0x80)
            return false; /* negative, or beyond 95 bits */
        for (i = 1; i < size; i++) {
            if (*number >> 55)
                return false;
            *number = *number << 8 | field[i];
        }
        return true;
    }
    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        *number = *number << 3 | (uint64_t)(field[i] - '0');
    return i == size || field[i] == ' ' || field[i] == '\0';
}

/* Older writers summed signed bytes. */
static bool has_its_sum(const unsigned char *header)
{
    uint64_t stated;
    int64_t is_signed = 0;

    if (!read_number(header + CHECKSUM, CHECKSUM_SIZE, &stated))
        return false;
    for (int i = 0; i < DF_TAR_BLOCK; i++)
        is_signed += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : (signed char)header[i];
    return stated == df_tar_checksum(header) || (is_signed >= 0 && stated == (uint64_t)is_signed);
}

static size_t field_length(const unsigned char *field, size_t most)
{
    const unsigned char *end = memchr(field, '\0', most);
    return end ? (size_t)(end - field) : most;
}

static int damaged(const struct reading *reading, const char *what)
{
    return df_error_set("damaged tar archive: %s at byte %llu", what, (unsigned long long)reading->at);
}

static int refuse_sparse(const struct reading *reading)
{
    return df_error_set("the tar archive has a sparse file at byte %llu, which is not read: write it without "
                        "--sparse",
                        (unsigned long long)reading->at);
}

/* --- extended headers --- */

static bool is_key(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(key, name, length) == 0;
}

static bool parse_decimal(const char *text, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *number > UINT64_MAX / 10 - 1)
            return false;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0;
}

static int take_record(struct reading *reading, const char *key, size_t key_length, const char *value,
                       size_t length)
{
    if (is_key(key, key_length, "path")) {
        reading->path = value;
        reading->path_length = length;
    } else if (is_key(key, key_length, "size")) {
        if (!parse_decimal(value, length, &reading->size))
            return damaged(reading, "a size in pax that is no number");
        reading->has_size = true;
    } else if (key_length >= 11 && memcmp(key, "GNU.sparse.", 11) == 0) {
        return refuse_sparse(reading);
    }
    return 0;
}

/* Records "LENGTH KEY=VALUE\n", whose length counts all of it. */
static int read_pax(struct reading *reading, const char *text, size_t size)
{
    while (size > 0) {
        const char *space = memchr(text, ' ', size < 20 ? size : 20);
        uint64_t length;
        if (!space || !parse_decimal(text, (size_t)(space - text), &length) || length > size ||
            length < (size_t)(space - text) + 3 || text[length - 1] != '\n')
            return damaged(reading, "a broken record of pax");
        const char *key = space + 1, *end = text + length - 1;
        const char *equals = memchr(key, '=', (size_t)(end - key));
        if (!equals)
            return damaged(reading, "a broken record of pax");
        DF_TRY(take_record(reading, key, (size_t)(equals - key), equals + 1, (size_t)(end - equals) - 1));
        text += length;
        size -= length;
    }
    return 0;
}

/* --- entries --- */

/* What the header itself calls it, which an extended one may replace. */
static size_t name_of(const unsigned char *header, char name[PREFIX_SIZE + 1 + NAME_SIZE + 1])
{
    const size_t length = field_length(header + NAME, NAME_SIZE);
    const bool posix = memcmp(header + MAGIC, "ustar\0", 6) == 0;
    const size_t prefix = posix ? field_length(header + PREFIX, PREFIX_SIZE) : 0;
    size_t used = 0;

    if (prefix > 0) {
        memcpy(name, header + PREFIX, prefix);
        name[prefix] = '/';
        used = prefix + 1;
    }
    memcpy(name + used, header + NAME, length);
    return used + length;
}

static void pass_over(struct reading *reading, const char *name, size_t length, bool is_link)
{
    struct df_tar_passed *passed = reading->passed;

    if (passed->links + passed->others == 0) {
        const size_t kept = length < sizeof passed->first ? length : sizeof passed->first - 1;
        memcpy(passed->first, name, kept);
        passed->first[kept] = '\0';
    }
    passed->links += is_link;
    passed->others += !is_link;
}

/* A name and what is behind it, by the type of the header. */
static int take_entry(struct reading *reading, char type, const char *name, size_t length, uint64_t size,
                      uint64_t content)
{
    char folder[DF_ARCHIVE_NAME_MAX];

    if (type == '1' || type == '2') {
        pass_over(reading, name, length, true);
        return 0;
    }
    if (type == '5') {
        if (length + 1 >= sizeof folder)
            return df_archive_names_add(reading->names, name, length, 0, 0); /* which refuses it */
        memcpy(folder, name, length);
        folder[length] = '/';
        return df_archive_names_add(reading->names, folder, length + 1, 0, 0);
    }
    if (type == '0' || type == '\0' || type == '7')
        return df_archive_names_add(reading->names, name, length, size, content);
    pass_over(reading, name, length, false);
    return 0;
}

/* Links, devices, folders and pipes have no content, whatever their size says. */
static bool has_content(char type, const char *name, size_t length)
{
    if (type == '\0' && length > 0 && name[length - 1] == '/')
        return false; /* a folder of the oldest format */
    return type == '\0' || !strchr("123456", type);
}

static int check_content(const struct reading *reading, uint64_t content, uint64_t size, const char *name,
                         size_t length)
{
    const uint64_t whole = reading->mapping->size;
    char quoted[DF_QUOTE_SIZE];

    if (content <= whole && size <= whole - content)
        return 0;
    return df_error_set(
        "the tar archive is cut short: %s has %llu bytes from byte %llu on, the file has %llu",
        df_quote(quoted, name, length), (unsigned long long)size, (unsigned long long)content,
        (unsigned long long)whole);
}

static int read_extended(struct reading *reading, char type, const char *content, uint64_t size)
{
    if (size > EXTENDED_MAX)
        return damaged(reading, "too long an extended header");
    if (type == 'x')
        return read_pax(reading, content, (size_t)size);
    if (type == 'L') {
        reading->path = content;
        reading->path_length = field_length((const unsigned char *)content, (size_t)size);
    }
    return 0; /* K, the target of a link, and g, which says nothing of a file's place */
}

/* Moves on behind the content, which fills whole blocks; the last one may lack its rest. */
static void move_on(struct reading *reading, uint64_t content, uint64_t size)
{
    const uint64_t padding = (DF_TAR_BLOCK - size % DF_TAR_BLOCK) % DF_TAR_BLOCK;
    const uint64_t left = reading->mapping->size - content - size;

    reading->at = content + size + (padding < left ? padding : left);
}

static int read_header(struct reading *reading, const unsigned char *header)
{
    const char type = (char)header[TYPE];
    const uint64_t content = reading->at + DF_TAR_BLOCK;
    char own[PREFIX_SIZE + 1 + NAME_SIZE + 1];
    const char *name = own;
    size_t length = name_of(header, own);
    uint64_t size;

    if (!has_its_sum(header))
        return damaged(reading, "a header whose checksum is wrong");
    if (!read_number(header + SIZE, SIZE_SIZE, &size))
        return damaged(reading, "a size that is no number");
    if (type == 'S')
        return refuse_sparse(reading);
    if (type && strchr("xgLK", type)) {
        DF_TRY(check_content(reading, content, size, own, length));
        DF_TRY(read_extended(reading, type, (const char *)reading->mapping->bytes + content, size));
        move_on(reading, content, size);
        return 0;
    }
    if (reading->path) {
        name = reading->path;
        length = reading->path_length;
    }
    size = !has_content(type, name, length) ? 0 : reading->has_size ? reading->size : size;
    DF_TRY(check_content(reading, content, size, name, length));
    DF_TRY(take_entry(reading, type, name, length, size, content));
    reading->path = NULL;
    reading->has_size = false;
    move_on(reading, content, size);
    return 0;
}

/* Two blocks of zeros are the end, and zeros may fill the file behind them. */
static int check_end(const struct reading *reading)
{
    const struct df_mapping *mapping = reading->mapping;

    if (is_zero(mapping->bytes + reading->at, mapping->size - reading->at))
        return 0;
    return df_error_set(
        "the tar archive has something behind its end at byte %llu: archives that were put one "
        "behind the other are not read (tar --concatenate joins them)",
        (unsigned long long)reading->at);
}

int df_tar_read(const struct df_mapping *mapping, struct df_archive_names *names,
                struct df_tar_passed *passed)
{
    struct reading reading = {.mapping = mapping, .names = names, .passed = passed};

    *passed = (struct df_tar_passed){0};
    while (mapping->size - reading.at >= DF_TAR_BLOCK) {
        const unsigned char *header = mapping->bytes + reading.at;
        if (is_zero(header, DF_TAR_BLOCK))
            return check_end(&reading);
        if (reading.at == 0 && !has_its_sum(header))
            return df_error_set("it is no tar archive: its first header has a wrong checksum");
        DF_TRY(read_header(&reading, header));
    }
    return df_error_set("the tar archive is cut short: it ends at byte %llu without its mark of the end",
                        (unsigned long long)mapping->size);
}
