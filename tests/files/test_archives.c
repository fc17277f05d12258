/* Files in archives: found by their paths, as in folders; archives that lie, or are cut. */
#include "support/errors.h"
#include "support/scratch.h"

#include "src/files/tar.h"

#include "dinoft/archive_path.h"
#include "dinoft/file_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tar archive while it is written. */
struct tar {
    unsigned char bytes[64 * DF_TAR_BLOCK];
    size_t size;
};

static unsigned char *put_header(struct tar *tar, const char *name, char type, const char *size)
{
    unsigned char *header = tar->bytes + tar->size;

    assert_true(tar->size + DF_TAR_BLOCK <= sizeof tar->bytes);
    memset(header, 0, DF_TAR_BLOCK);
    memcpy(header, name, strlen(name));
    memcpy(header + 124, size, strlen(size));
    memcpy(header + 257, "ustar\00000", 8);
    header[156] = (unsigned char)type;
    tar->size += DF_TAR_BLOCK;
    return header;
}

static void sum(unsigned char *header)
{
    snprintf((char *)header + 148, 8, "%06o", df_tar_checksum(header));
}

static void put_content(struct tar *tar, const char *content, size_t size)
{
    const size_t blocks = (size + DF_TAR_BLOCK - 1) / DF_TAR_BLOCK * DF_TAR_BLOCK;

    assert_true(tar->size + blocks <= sizeof tar->bytes);
    memset(tar->bytes + tar->size, 0, blocks);
    memcpy(tar->bytes + tar->size, content, size);
    tar->size += blocks;
}

static void put(struct tar *tar, const char *name, char type, const char *content)
{
    char size[24];

    snprintf(size, sizeof size, "%011zo", strlen(content));
    sum(put_header(tar, name, type, size));
    put_content(tar, content, strlen(content));
}

static void put_end(struct tar *tar)
{
    assert_true(tar->size + 2 * DF_TAR_BLOCK <= sizeof tar->bytes);
    memset(tar->bytes + tar->size, 0, 2 * DF_TAR_BLOCK);
    tar->size += 2 * DF_TAR_BLOCK;
}

static void assert_content(const char *path, const char *content)
{
    struct df_file_bytes file;
    struct stat facts;

    assert_works(df_file_bytes_read(path, &file) == 0);
    assert_int_equal(file.size, strlen(content));
    assert_memory_equal(file.bytes, content, file.size);
    df_file_bytes_free(&file);
    assert_int_equal(df_path_stat(path, &facts), 0);
    assert_true(S_ISREG(facts.st_mode));
    assert_int_equal(facts.st_size, strlen(content));
}

static int list(void *context, const char *name, bool is_folder)
{
    char *text = context;

    snprintf(text + strlen(text), 200 - strlen(text), "%s%s ", name, is_folder ? "/" : "");
    return 0;
}

static void assert_lists(const char *folder, const char *names)
{
    char text[200] = "";

    assert_works(df_path_each(folder, list, text) == 0);
    assert_string_equal(text, names);
}

static void finds_files_by_paths(void **state)
{
    struct tar tar = {.size = 0};
    struct stat facts;

    put(&tar, "set/", '5', "");
    put(&tar, "./set//images/a.png", '0', "first");
    put(&tar, "/set/images-b", '0', "of a name that sorts before what is in images");
    put(&tar, "set/images/./b.png", '\0', "");
    put(&tar, "set/images/a.png", '0', "second");
    put(&tar, "set/link", '2', "");
    put_end(&tar);
    const char *path = scratch_write("set.tar", tar.bytes, tar.size);
    char inside[300];

    assert_lists(path, "set/ ");
    snprintf(inside, sizeof inside, "%s/set", path);
    assert_lists(inside, "images-b images/ ");
    snprintf(inside, sizeof inside, "%s//set/images/", path);
    assert_lists(inside, "a.png b.png ");
    snprintf(inside, sizeof inside, "%s/set/none/../images/.", path);
    assert_lists(inside, "a.png b.png ");
    snprintf(inside, sizeof inside, "%s/set/../../set.tar", path);
    assert_false(df_path_exists(inside));
    snprintf(inside, sizeof inside, "%s/set/images/a.png", path);
    assert_content(inside, "second"); /* the later one, as when it is unpacked */
    snprintf(inside, sizeof inside, "%s/set/images/b.png", path);
    assert_content(inside, "");
    snprintf(inside, sizeof inside, "%s/set/link", path);
    assert_int_equal(df_path_stat(inside, &facts), -1);
    assert_int_equal(errno, ENOENT);
    assert_true(df_path_is_archive(path));
    assert_int_equal(df_path_stat(path, &facts), 0);
    assert_true(S_ISREG(facts.st_mode));
}

static void names_what_is_not_there(void **state)
{
    struct df_file_bytes file;
    struct tar tar = {.size = 0};
    char inside[300], text[200] = "";

    put(&tar, "a/b.png", '0', "x");
    put_end(&tar);
    const char *path = scratch_write("few.tar", tar.bytes, tar.size);
    snprintf(inside, sizeof inside, "%s/a/c.png", path);
    assert_int_equal(df_file_bytes_read(inside, &file), -1);
    assert_error_has("few.tar/a/c.png: it is not in the archive");
    snprintf(inside, sizeof inside, "%s/a", path);
    assert_int_equal(df_file_bytes_read(inside, &file), -1);
    assert_error_has("few.tar/a: it is a folder");
    snprintf(inside, sizeof inside, "%s/b", path);
    assert_int_equal(df_path_each(inside, list, text), -1);
    assert_error_has("few.tar/b: it is not in the archive");
}

/* A folder may be called as archives are. */
static void folders_stay_folders(void **state)
{
    const char *path = scratch_write("odd.zip/a.png", "x", 1);
    assert_content(path, "x");
    assert_false(df_path_is_archive(scratch_path("odd.zip")));
    assert_lists(scratch_path("odd.zip"), "a.png ");
}

static void notices_changes(void **state)
{
    struct tar tar = {.size = 0};
    struct df_file_bytes file;
    char inside[300];

    put(&tar, "a", '0', "x");
    put_end(&tar);
    snprintf(inside, sizeof inside, "%s/a", scratch_write("changing.tar", tar.bytes, tar.size));
    assert_content(inside, "x");
    scratch_write("changing.tar", tar.bytes, tar.size + DF_TAR_BLOCK);
    assert_int_equal(df_file_bytes_read(inside, &file), -1);
    assert_error_has("has changed since it was first read");
}

/* --- what a tar archive may hold --- */

static int read_tar(const struct tar *tar, struct df_archive_names *names, struct df_tar_passed *passed)
{
    const struct df_mapping mapping = {tar->bytes, tar->size};

    *names = (struct df_archive_names){0};
    const int status = df_tar_read(&mapping, names, passed);
    df_archive_names_settle(names);
    return status;
}

static void assert_refused(const struct tar *tar, const char *error)
{
    struct df_archive_names names;
    struct df_tar_passed passed;

    assert_int_equal(read_tar(tar, &names, &passed), -1);
    assert_error_has(error);
    df_archive_names_free(&names);
}

static void reads_names_and_sizes_of_all_kinds(void **state)
{
    struct tar tar = {.size = 0};
    struct df_archive_names names;
    struct df_tar_passed passed;

    put(&tar, "pax_global_header", 'g', "19 path=not/this/x\n");
    put(&tar, "././@LongLink", 'L', "long/name");
    put(&tar, "long/na", '0', "abc");
    put(&tar, "header", 'x', "15 path=of/pax\n9 size=2\n");
    sum(put_header(&tar, "of", '0', "77777777777"));
    put_content(&tar, "de", 2);
    unsigned char *header = put_header(&tar, "c", '0', "00000000001");
    memcpy(header + 345, "prefix", 6);
    sum(header);
    put_content(&tar, "f", 1);
    header = put_header(&tar, "large", '0', "");
    header[124] = 0x80;
    header[135] = 3;
    sum(header);
    put_content(&tar, "ghi", 3);
    put(&tar, "hard", '1', "");
    put(&tar, "pipe", '6', "");
    put_end(&tar);
    assert_works(read_tar(&tar, &names, &passed) == 0);
    static const struct {
        const char *name, *content;
    } expected[] = {{"large", "ghi"}, {"long/name", "abc"}, {"of/pax", "de"}, {"prefix/c", "f"}};
    assert_int_equal(names.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(names.entries[i].name, expected[i].name);
        assert_int_equal(names.entries[i].size, strlen(expected[i].content));
        assert_memory_equal(tar.bytes + names.entries[i].at, expected[i].content, names.entries[i].size);
    }
    assert_int_equal(passed.links, 1);
    assert_int_equal(passed.others, 1);
    assert_string_equal(passed.first, "hard");
    df_archive_names_free(&names);
}

static void refuses_what_is_damaged(void **state)
{
    struct tar tar = {.size = 0};

    assert_refused(&tar, "without its mark of the end");
    put(&tar, "a", '0', "x");
    assert_refused(&tar, "cut short: it ends at byte 1024");
    tar.size -= DF_TAR_BLOCK;
    assert_refused(&tar, "cut short: a has 1 bytes from byte 512 on, the file has 512");
    tar.size += DF_TAR_BLOCK;
    put(&tar, "b", '0', "y");
    tar.bytes[1024]++;
    assert_refused(&tar, "a header whose checksum is wrong at byte 1024");
    tar.bytes[1024]--;
    put_end(&tar);
    put(&tar, "c", '0', "z");
    assert_refused(&tar, "something behind its end at byte 2048");
    tar.bytes[0]++;
    assert_refused(&tar, "no tar archive");
}

static void refuses_what_cannot_be_meant(void **state)
{
    static const struct {
        const char *name, *size, *error;
        char type;
        const char *content;
    } cases[] = {
        {"a/../b", "00000000000", "leads out of the archive", '0', ""},
        {"a", "00000000009", "a size that is no number", '0', ""},
        {"a", "77777777777", "cut short", '0', ""},
        {"a", "00000000000", "sparse", 'S', ""},
        {"a", "00000000012", "a broken record of pax", 'x', "11 path=a\n"},
        {"a", "00000000011", "a broken record of pax", 'x', "8 path=a\n"},
        {"a", "00000000012", "a size in pax that is no number", 'x', "11 size=-1\n"},
        {"a", "00000000026", "sparse", 'x', "22 GNU.sparse.major=1\n"},
        {"a", "77777777777", "cut short", 'L', ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tar tar = {.size = 0};
        char size[24];
        snprintf(size, sizeof size, "%011zo", strlen(cases[i].content));
        sum(put_header(&tar, cases[i].name, cases[i].type, *cases[i].content ? size : cases[i].size));
        put_content(&tar, cases[i].content, strlen(cases[i].content));
        put_end(&tar);
        assert_refused(&tar, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_files_by_paths),
        cmocka_unit_test(names_what_is_not_there),
        cmocka_unit_test(folders_stay_folders),
        cmocka_unit_test(notices_changes),
        cmocka_unit_test(reads_names_and_sizes_of_all_kinds),
        cmocka_unit_test(refuses_what_is_damaged),
        cmocka_unit_test(refuses_what_cannot_be_meant),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
