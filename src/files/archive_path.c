#include "dinoft/archive_path.h"

#include "archive.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the system does not know: the place in an archive, where there is one. */
static int find_inside(const char *path, struct df_archive_place *place)
{
    const int found = df_archive_find(path, place);
    return found == 1 && *place->inside == '\0' ? 0 : found;
}

int df_path_stat(const char *path, struct stat *facts)
{
    struct df_archive_place place;
    const int found = find_inside(path, &place);

    if (found == 0)
        return stat(path, facts);
    errno = found < 0 ? EIO : ENOENT;
    if (found < 0)
        return -1;
    const struct df_archive_entry *file = df_archive_file(&place);
    if (!file && !df_archive_has_folder(&place))
        return -1;
    memset(facts, 0, sizeof *facts);
    facts->st_mode = file ? S_IFREG : S_IFDIR;
    facts->st_size = file ? (off_t)file->size : 0;
    facts->st_dev = ~(dev_t)0; /* no device has it: such a place is none of the system's */
    facts->st_ino = (ino_t)df_hash_text(path);
    return 0;
}

bool df_path_exists(const char *path)
{
    struct stat facts;
    return df_path_stat(path, &facts) == 0;
}

static bool is_folder(const char *folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    char *path = df_text_format("%s/%s", folder, entry->d_name);
    const bool found = path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    free(path);
    return found;
}

static int each_of_folder(const char *folder, df_path_visitor *visit, void *context)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    int status = 0;

    if (!stream)
        return df_error_set("cannot open the folder %s: %s", folder, strerror(errno));
    while (status == 0 && (errno = 0, entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = visit(context, entry->d_name, is_folder(folder, entry));
    }
    if (status == 0 && errno != 0)
        status = df_error_set("cannot read the folder %s: %s", folder, strerror(errno));
    closedir(stream);
    return status;
}

/* The names behind a prefix of the same length follow each other; those of a folder in it are one. */
static int each_behind(const struct df_archive_names *names, const char *prefix, df_path_visitor *visit,
                       void *context)
{
    const size_t length = strlen(prefix);
    char name[DF_ARCHIVE_NAME_MAX] = "";
    size_t last = 0; /* the length of the folder in `name` */

    for (size_t i = df_archive_names_find(names, prefix); i < names->count; i++) {
        const char *entry = names->entries[i].name;
        if (strncmp(entry, prefix, length) != 0)
            break;
        entry += length;
        const size_t part = strcspn(entry, "/");
        if (part == 0 || (entry[part] == '/' && part == last && strncmp(entry, name, part) == 0))
            continue;
        memcpy(name, entry, part);
        name[part] = '\0';
        last = entry[part] == '/' ? part : 0;
        const int status = visit(context, name, entry[part] == '/');
        if (status != 0)
            return status;
    }
    return 0;
}

/* "" or "images/"; NULL with the error set. */
static char *prefix_of(const struct df_archive_place *place, const char *folder)
{
    if (!df_archive_has_folder(place)) {
        df_error_set("cannot open the folder %s: it is not in the archive", folder);
        return NULL;
    }
    return df_text_format("%s%s", place->inside, *place->inside ? "/" : "");
}

int df_path_each(const char *folder, df_path_visitor *visit, void *context)
{
    struct df_archive_place place;
    const int found = df_archive_find(folder, &place);

    if (found <= 0)
        return found < 0 ? -1 : each_of_folder(folder, visit, context);
    char *prefix = prefix_of(&place, folder);
    const int status = prefix ? each_behind(df_archive_names(place.archive), prefix, visit, context) : -1;
    free(prefix);
    return status;
}

int df_archive_each(const char *path, df_archive_visitor *visit, void *context)
{
    struct df_archive_place place;
    const int found = df_archive_find(path, &place);
    int status = 0;

    if (found != 1)
        return found < 0 ? -1 : df_error_set("cannot read %s: it is no archive (.zip, .tar)", path);
    const struct df_archive_names *names = df_archive_names(place.archive);
    char *prefix = prefix_of(&place, path);
    if (!prefix)
        return -1;
    for (size_t i = df_archive_names_find(names, prefix); i < names->count && status == 0; i++) {
        const struct df_archive_entry *entry = &names->entries[i];
        if (!df_text_starts_with(entry->name, prefix))
            break;
        if (!df_text_ends_with(entry->name, "/"))
            status = visit(context, entry->name + strlen(prefix), entry->at);
    }
    free(prefix);
    return status;
}

int df_archive_check(const char *path)
{
    struct df_archive_place place;
    struct stat facts;

    if (df_path_names_archive(path))
        return df_archive_find(path, &place) < 0 ? -1 : 0;
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return 0;
    struct df_mapping *mapping = df_mapping_open(path);
    if (!mapping)
        return -1;
    const char *packer = df_archive_packer(mapping);
    df_mapping_close(mapping);
    return packer ? df_archive_refuse_packed(path, packer)
                  : df_error_set("%s is a file, and neither a folder nor an archive (.zip, .tar)", path);
}
