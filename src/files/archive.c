#include "archive.h"
#include "tar.h"
#include "zip.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct df_archive {
    char *path;
    struct df_archive_names names;
    struct df_zip *zip; /* NULL: a tar */
};

/* --- what it is --- */

static bool begins_with(const struct df_mapping *mapping, const char *bytes, size_t size)
{
    return mapping->size >= size && memcmp(mapping->bytes, bytes, size) == 0;
}

const char *df_archive_packer(const struct df_mapping *mapping)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
    } packers[] = {{"gzip", "\x1f\x8b", 2},
                   {"zstd", "\x28\xb5\x2f\xfd", 4},
                   {"xz",
                    "\xfd"
                    "7zXZ",
                    5},
                   {"bzip2", "BZh", 3},
                   {"7-Zip", "7z\xbc\xaf\x27", 5},
                   {"RAR", "Rar!", 4}};

    for (size_t i = 0; i < sizeof packers / sizeof packers[0]; i++) {
        if (begins_with(mapping, packers[i].bytes, packers[i].size))
            return packers[i].name;
    }
    return NULL;
}

int df_archive_refuse_packed(const char *path, const char *packer)
{
    return df_error_set(
        "%s is packed by %s as a whole, so that nothing in it is found without unpacking all that is "
        "before it: unpack it, or pack the files as a plain .tar or a .zip",
        path, packer);
}

static bool is_zip(const char *path, const struct df_mapping *mapping)
{
    return begins_with(mapping, "PK\3\4", 4) || begins_with(mapping, "PK\5\6", 4) ||
           df_text_ends_with(path, ".zip");
}

/* --- zip --- */

/* Some writers of Windows part folders by backslashes. */
static int add_zip_entry(struct df_archive_names *names, const struct df_zip_entry *entry, uint64_t at)
{
    char turned[DF_ARCHIVE_NAME_MAX];
    const char *name = entry->name;
    const size_t length = entry->name_length;

    if (length < sizeof turned && !memchr(name, '/', length)) {
        for (size_t i = 0; i < length; i++)
            turned[i] = name[i] == '\\' ? '/' : name[i];
        name = turned;
    }
    return df_archive_names_add(names, name, length, entry->size, at);
}

static int read_zip(struct df_archive *archive, const struct df_mapping *mapping)
{
    archive->zip = df_zip_open(mapping);
    if (!archive->zip)
        return -1;
    for (size_t i = 0; i < archive->zip->count; i++)
        DF_TRY(add_zip_entry(&archive->names, &archive->zip->entries[i], i));
    return 0;
}

static int read_zip_file(const struct df_archive *archive, const struct df_archive_entry *entry,
                         unsigned char *bytes)
{
    const void *content;
    void *owned;

    DF_TRY(df_zip_read(archive->zip, &archive->zip->entries[entry->at], entry->size, &content, &owned));
    memcpy(bytes, content, entry->size);
    free(owned);
    return 0;
}

/* --- tar --- */

static int read_tar(struct df_archive *archive, const struct df_mapping *mapping)
{
    struct df_tar_passed passed;

    DF_TRY(df_tar_read(mapping, &archive->names, &passed));
    df_text_replace_controls(passed.first);
    if (passed.links + passed.others > 0)
        df_log("warning: %s: what is no file or folder is not read: %zu by a link, %zu of another kind; the "
               "first is %s",
               archive->path, passed.links, passed.others, passed.first);
    return 0;
}

static int read_at(int descriptor, const char *path, uint64_t at, unsigned char *bytes, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        const ssize_t got = pread(descriptor, bytes + done, size - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return df_error_set("cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            return df_error_set("cannot read %s: it has become shorter", path);
        done += (uint64_t)got;
    }
    return 0;
}

/* Read anew each time, and not mapped or kept open: shards may be thousands, and a mapping that fails ends
 * the program. */
static int read_tar_file(const struct df_archive *archive, const struct df_archive_entry *entry,
                         unsigned char *bytes)
{
    const int descriptor = open(archive->path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return df_error_set("cannot open %s: %s", archive->path, strerror(errno));
    const int status = read_at(descriptor, archive->path, entry->at, bytes, entry->size);
    close(descriptor);
    return status;
}

/* --- both --- */

static int read_any(struct df_archive *archive, const struct df_mapping *mapping)
{
    const char *packer = df_archive_packer(mapping);

    if (packer)
        return df_archive_refuse_packed(archive->path, packer);
    if ((is_zip(archive->path, mapping) ? read_zip(archive, mapping) : read_tar(archive, mapping)) != 0)
        return df_error_context("cannot read the archive %s", archive->path);
    df_archive_names_settle(&archive->names);
    if (archive->names.replaced > 0)
        df_log("warning: %s has %zu files under names that occur again: the last one of each counts",
               archive->path, archive->names.replaced);
    return 0;
}

struct df_archive *df_archive_read(const char *path, const struct df_mapping *mapping)
{
    struct df_archive *archive = calloc(1, sizeof *archive);

    if (!archive) {
        df_error_memory("an archive", sizeof *archive);
        return NULL;
    }
    archive->path = df_text_copy(path);
    if (archive->path && read_any(archive, mapping) == 0)
        return archive;
    df_archive_free(archive);
    return NULL;
}

void df_archive_free(struct df_archive *archive)
{
    if (!archive)
        return;
    df_zip_close(archive->zip);
    df_archive_names_free(&archive->names);
    free(archive->path);
    free(archive);
}

bool df_archive_needs_mapping(const struct df_archive *archive)
{
    return archive->zip != NULL;
}

const struct df_archive_names *df_archive_names(const struct df_archive *archive)
{
    return &archive->names;
}

const struct df_archive_entry *df_archive_file(const struct df_archive_place *place)
{
    const struct df_archive_names *names = &place->archive->names;
    const size_t at = df_archive_names_find(names, place->inside);
    const bool found = at < names->count && strcmp(names->entries[at].name, place->inside) == 0;

    return found ? &names->entries[at] : NULL;
}

bool df_archive_has_folder(const struct df_archive_place *place)
{
    const struct df_archive_names *names = &place->archive->names;
    const size_t length = strlen(place->inside);
    char folder[DF_ARCHIVE_NAME_MAX];

    if (length == 0)
        return true;
    if (length + 2 > sizeof folder)
        return false;
    memcpy(folder, place->inside, length);
    memcpy(folder + length, "/", 2);
    const size_t at = df_archive_names_find(names, folder);
    return at < names->count && df_text_starts_with(names->entries[at].name, folder);
}

int df_archive_check_file(const struct df_archive *archive, const struct df_archive_entry *entry)
{
    return archive->zip ? df_zip_check(archive->zip, &archive->zip->entries[entry->at], entry->size) : 0;
}

int df_archive_read_file(const struct df_archive *archive, const struct df_archive_entry *entry,
                         unsigned char *bytes)
{
    return archive->zip ? read_zip_file(archive, entry, bytes) : read_tar_file(archive, entry, bytes);
}
