/* Zip archives: written and read back, zip64, deflate, and files that lie. */
#include "support/errors.h"

#include "src/files/zip.h"

#include "dinoft/rng.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

struct buffer {
    unsigned char bytes[8192];
    size_t size;
};

static void put(struct buffer *buffer, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++)
        buffer->bytes[buffer->size++] = (unsigned char)(value >> (8 * i));
}

static void put_bytes(struct buffer *buffer, const void *bytes, size_t size)
{
    assert_true(size <= sizeof buffer->bytes - buffer->size);
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

/* An entry as it is written by hand: what the directory claims need not be what is there. */
struct entry {
    const char *name;
    const void *stored;
    size_t stored_size;
    uint64_t claimed_size;
    uint32_t crc;
    unsigned method, flags;
    bool zip64;
    uint64_t offset; /* filled in by build() */
};

static void build(struct buffer *zip, struct entry *entries, int count)
{
    zip->size = 0;
    for (int i = 0; i < count; i++) {
        entries[i].offset = zip->size;
        put(zip, 4, 0x04034b50);
        for (int field = 0; field < 22; field++) /* all lies: the directory is the authority */
            put(zip, 1, 0xee);
        put(zip, 2, strlen(entries[i].name));
        put(zip, 2, 3);
        put_bytes(zip, entries[i].name, strlen(entries[i].name));
        put_bytes(zip, "pad", 3);
        put_bytes(zip, entries[i].stored, entries[i].stored_size);
    }
    size_t start = zip->size;
    for (int i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        put(zip, 4, 0x02014b50);
        put(zip, 4, 0);
        put(zip, 2, entry->flags);
        put(zip, 2, entry->method);
        put(zip, 4, 0);
        put(zip, 4, entry->crc);
        put(zip, 4, entry->zip64 ? UINT32_MAX : entry->stored_size);
        put(zip, 4, entry->zip64 ? UINT32_MAX : entry->claimed_size);
        put(zip, 2, strlen(entry->name));
        put(zip, 2, entry->zip64 ? 4 + 5 + 4 + 24 : 0);
        put(zip, 2, 0);
        put(zip, 8, 0);
        put(zip, 4, entry->zip64 ? UINT32_MAX : entry->offset);
        put_bytes(zip, entry->name, strlen(entry->name));
        if (entry->zip64) {
            put(zip, 2, 0x7777); /* another extra field before the one that counts */
            put(zip, 2, 5);
            put_bytes(zip, "other", 5);
            put(zip, 2, 0x0001);
            put(zip, 2, 24);
            put(zip, 8, entry->claimed_size);
            put(zip, 8, entry->stored_size);
            put(zip, 8, entry->offset);
        }
    }
    size_t end = zip->size;
    put(zip, 4, 0x06054b50);
    put(zip, 4, 0);
    put(zip, 2, (uint64_t)count);
    put(zip, 2, (uint64_t)count);
    put(zip, 4, end - start);
    put(zip, 4, start);
    put(zip, 2, 0);
}

/* A mapping of exactly these bytes, so that the sanitizer sees every access behind them. */
static struct df_mapping map_copy(const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return (struct df_mapping){.bytes = copy, .size = size};
}

static void unmap(struct df_mapping *mapping)
{
    free((void *)(uintptr_t)mapping->bytes);
}

/* Reads every entry of what may be an archive. Returns how many could be read, -1 if it is none. */
static int read_all(const void *bytes, size_t size, uint64_t limit)
{
    struct df_mapping mapping = map_copy(bytes, size);
    struct df_zip *zip = df_zip_open(&mapping);
    int readable = zip ? 0 : -1;
    for (size_t i = 0; zip && i < zip->count; i++) {
        const void *content;
        void *owned;
        if (df_zip_read(zip, &zip->entries[i], limit, &content, &owned) != 0)
            continue;
        readable += crc32_z(0, content, zip->entries[i].size) == zip->entries[i].crc;
        free(owned);
    }
    df_zip_close(zip);
    unmap(&mapping);
    return readable;
}

static void check_refusal(struct entry *entries, int count, uint64_t limit, const char *text)
{
    struct buffer zip;
    build(&zip, entries, count);
    assert_true(read_all(zip.bytes, zip.size, limit) < count);
    assert_error_has(text);
}

static struct entry stored(const char *name, const char *content)
{
    size_t size = strlen(content);
    return (struct entry){.name = name,
                          .stored = content,
                          .stored_size = size,
                          .claimed_size = size,
                          .crc = (uint32_t)crc32_z(0, (const unsigned char *)content, size)};
}

/* 5000 equal bytes, deflated into space. */
static struct entry deflated(const char *name, struct buffer *space)
{
    static unsigned char content[5000];
    z_stream stream = {.next_in = content, .avail_in = sizeof content};
    stream.next_out = space->bytes;
    stream.avail_out = sizeof space->bytes;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (struct entry){.name = name,
                          .stored = space->bytes,
                          .stored_size = stream.total_out,
                          .claimed_size = sizeof content,
                          .crc = (uint32_t)crc32_z(0, content, sizeof content),
                          .method = 8};
}

static void check_content(const struct df_zip *zip, const char *name, const void *content, size_t size,
                          bool in_place)
{
    const struct df_zip_entry *entry = df_zip_find(zip, name);
    const void *bytes;
    void *owned;
    assert_non_null(entry);
    assert_int_equal(df_zip_read(zip, entry, 1 << 20, &bytes, &owned), 0);
    assert_int_equal(entry->size, size);
    assert_memory_equal(bytes, content, size);
    assert_int_equal(owned == NULL, in_place);
    free(owned);
}

/* Names of several lengths, so that the padding differs from entry to entry. */
static void name_entry(char name[128], int i)
{
    snprintf(name, 128, "root/%.*s%d", 9 * i,
             "a name that grows by some letters with every entry in the file", i);
}

static void write_and_read(uint64_t zip64_from)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 4096};
    static unsigned char content[4096];
    char *bytes;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);
    struct df_zip_writer *writer = df_zip_writer_new(stream, zip64_from);
    char name[128], digest[DF_ZIP_DIGEST_SIZE];

    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (unsigned char)(i * 7 + 3);
    for (int i = 0; i < 7; i++) {
        name_entry(name, i);
        assert_int_equal(df_zip_add(writer, name, content, sizes[i]), 0);
    }
    df_zip_digest(writer, digest);
    assert_int_equal(strlen(digest), 40);
    assert_int_equal(df_zip_finish(writer), 0);
    df_zip_writer_free(writer);
    fclose(stream);

    struct df_mapping mapping = map_copy(bytes, size);
    struct df_zip *zip = df_zip_open(&mapping);
    assert_non_null(zip);
    assert_int_equal(zip->count, 7);
    for (int i = 0; i < 7; i++) {
        name_entry(name, i);
        check_content(zip, name, content, sizes[i], true);
        const void *data;
        void *owned;
        assert_int_equal(df_zip_read(zip, df_zip_find(zip, name), 0, &data, &owned), 0);
        assert_int_equal(((const unsigned char *)data - mapping.bytes) % 64, 0);
    }
    assert_null(df_zip_find(zip, "root/"));
    df_zip_close(zip);
    unmap(&mapping);
    free(bytes);
}

static void test_write_and_read(void **state)
{
    write_and_read(DF_ZIP64_FROM);
}

static void test_write_and_read_zip64(void **state)
{
    write_and_read(1);
    write_and_read(64);
    write_and_read(2000);
}

static void test_stored_and_deflated(void **state)
{
    static const unsigned char zeros[5000];
    struct buffer space, zip_bytes;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        struct entry entries[] = {stored("b/stored", "hello"), deflated("a/deflated", &space),
                                  stored("b", "")};
        for (int i = 0; i < 3; i++)
            entries[i].zip64 = zip64 && i != 2;
        build(&zip_bytes, entries, 3);
        struct df_mapping mapping = map_copy(zip_bytes.bytes, zip_bytes.size);
        struct df_zip *zip = df_zip_open(&mapping);
        assert_non_null(zip);
        check_content(zip, "b/stored", "hello", 5, true);
        check_content(zip, "a/deflated", zeros, sizeof zeros, false);
        check_content(zip, "b", "", 0, true);
        df_zip_close(zip);
        unmap(&mapping);
    }
}

static void test_refusals(void **state)
{
    struct buffer space;
    struct entry one;

    struct entry twice[] = {stored("x/y", "1"), stored("z", "2"), stored("x/y", "3")};
    check_refusal(twice, 3, 0, "two entries named x/y");
    one = deflated("bomb", &space);
    check_refusal(&one, 1, 4999, "inflates to 5000 bytes, at most 4999");
    one.claimed_size = 1 << 30;
    check_refusal(&one, 1, UINT64_MAX, "cannot inflate to 1073741824");
    one.claimed_size = 5001;
    check_refusal(&one, 1, UINT64_MAX, "does not inflate to its 5001 bytes");
    one.claimed_size = 4999;
    check_refusal(&one, 1, UINT64_MAX, "does not inflate to its 4999 bytes");
    one = deflated("cut", &space);
    one.stored_size -= 2;
    check_refusal(&one, 1, UINT64_MAX, "does not inflate to its 5000 bytes");
    one = stored("secret", "1234");
    one.flags = 1;
    check_refusal(&one, 1, 0, "secret is encrypted");
    one = stored("squeezed", "1234");
    one.method = 14;
    check_refusal(&one, 1, 0, "method 14");
    one = stored("two\nlines", "1234");
    one.claimed_size = 5;
    check_refusal(&one, 1, 0, "two?lines: stored, but of two sizes");
    one = stored("flipped", "1234");
    one.crc ^= 1;
    check_refusal(&one, 1, 0, "flipped: its CRC is wrong");
}

/* Changes `width` bytes at `offset` of a small archive and expects it to be refused. */
static void check_damage(size_t offset_from_end, unsigned width, uint64_t value, const char *text)
{
    struct entry entries[] = {stored("one", "first"), stored("two", "second")};
    entries[1].zip64 = true;
    struct buffer zip;
    build(&zip, entries, 2);
    size_t size = zip.size;
    zip.size -= offset_from_end;
    put(&zip, width, value);
    assert_int_not_equal(read_all(zip.bytes, size, 0), 2);
    assert_error_has(text);
}

static void test_lying_sizes(void **state)
{
    const size_t end = 22, zip64_values = end + 24;
    check_damage(end - 16, 4, 0xffffffff, "does not fit");
    check_damage(end - 12, 4, 0x7fffffff, "directory of");
    check_damage(end - 10, 2, 0xffff, "65535 entries");
    check_damage(end - 12, 4, 50, "50 bytes");
    check_damage(end - 4, 2, 1, "split over several");
    check_damage(end - 20, 2, 1, "no end record");
    check_damage(zip64_values, 8, UINT64_MAX, "two sizes");
    check_damage(zip64_values - 16, 8, UINT64_MAX, "no header at byte 18446744073709551615");
    check_damage(zip64_values + 2, 2, 4000, "broken zip64 field");
    check_damage(zip64_values + 2, 2, 12, "broken zip64 field");
}

static void test_comment_with_a_signature(void **state)
{
    struct entry entries[] = {stored("one", "first")};
    struct buffer zip;
    build(&zip, entries, 1);
    zip.size -= 2;
    put(&zip, 2, 30);
    put(&zip, 4, 0x06054b50); /* looks like an end record, but its comment would end elsewhere */
    for (int i = 0; i < 26; i++)
        put(&zip, 1, 'x');
    assert_int_equal(read_all(zip.bytes, zip.size, 0), 1);
    put(&zip, 1, 'x');
    assert_int_equal(read_all(zip.bytes, zip.size, 0), -1);
}

static void test_damage(void **state)
{
    struct buffer space, zip;
    struct entry entries[] = {stored("one", "first"), deflated("two", &space), stored("three", "")};
    struct df_rng rng;

    entries[2].zip64 = true;
    build(&zip, entries, 3);
    for (size_t size = 0; size < zip.size; size++)
        assert_int_equal(read_all(zip.bytes, size, 1 << 20), -1);
    df_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 4000; i++) {
        struct buffer damaged = zip;
        int flips = 1 + i % 3;
        while (flips-- > 0)
            damaged.bytes[df_rng_below(&rng, zip.size)] ^= (unsigned char)(1 + df_rng_below(&rng, 255));
        assert_in_range(read_all(damaged.bytes, damaged.size, 1 << 20) + 1, 0, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_write_and_read_zip64),
        cmocka_unit_test(test_stored_and_deflated),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_lying_sizes),
        cmocka_unit_test(test_comment_with_a_signature),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
