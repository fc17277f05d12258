#include "folder_files.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NAMED_AT_MOST 3

void *df_grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return items;
    void *larger = realloc(items, (count ? 2 * count : 1) * size);
    if (!larger)
        df_error_memory("a list of files", (unsigned long long)(2 * count * size));
    return larger;
}

bool df_endings_have(const struct df_endings *endings, const char *name)
{
    const char *slash = strrchr(name, '/'), *file = slash ? slash + 1 : name;
    const char *dot = strrchr(file, '.');

    for (size_t i = 0; dot && dot != file && i < endings->count; i++) {
        if (strcasecmp(dot, endings->items[i]) == 0)
            return true;
    }
    return false;
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

bool df_folder_is_there(const char *root, const char *name)
{
    struct stat status;
    char *path = df_text_format("%s/%s", root, name);
    const bool there = path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    free(path);
    return there;
}

/* What systems and network drives leave in folders. Those that begin with '.' are hidden anyway. */
static bool is_of_a_system(const char *name)
{
    static const char *const names[] = {
        "Thumbs.db",    "ehthumbs.db", "desktop.ini", "@eaDir",   "__MACOSX",
        "$RECYCLE.BIN", "lost+found",  "Icon\r",      "#recycle", "System Volume Information"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return *name == '.';
}

static int add(struct df_folder_files *files, const struct dirent *entry)
{
    struct df_folder_file file = {.name = df_text_copy(entry->d_name), .stem = df_path_stem(entry->d_name)};
    struct df_folder_file *items = NULL;

    if (file.name && file.stem)
        items = df_grown(files->items, files->count, sizeof *items);
    if (!items) {
        free(file.name);
        free(file.stem);
        return -1;
    }
    file.kind = is_folder(files->folder, entry)                  ? DF_FILE_FOLDER
                : df_endings_have(files->endings, entry->d_name) ? DF_FILE_READ
                                                                 : DF_FILE_OTHER_ENDING;
    files->items = items;
    items[files->count++] = file;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct df_folder_file *first = a, *second = b;
    const int stems = strcmp(first->stem, second->stem);
    return stems != 0 ? stems : strcmp(first->name, second->name);
}

static int cannot_read(const char *folder)
{
    return df_error_set("cannot read the folder %s: %s", folder, strerror(errno));
}

int df_folder_holds_files(const char *folder, bool *holds)
{
    struct stat facts;
    const struct dirent *entry;

    *holds = false;
    if (lstat(folder, &facts) != 0 && errno == ENOENT)
        return 0;
    DIR *directory = opendir(folder);
    if (!directory)
        return cannot_read(folder);
    while (!*holds && (entry = readdir(directory)))
        *holds = entry->d_name[0] != '.';
    closedir(directory);
    return 0;
}

int df_folder_files_read(struct df_folder_files *files, const char *folder, const struct df_endings *endings)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;
    int status = 0;

    *files = (struct df_folder_files){.folder = folder, .endings = endings};
    if (!stream)
        return df_error_set("cannot open the folder %s: %s", folder, strerror(errno));
    while (status == 0 && (errno = 0, entry = readdir(stream))) {
        if (!is_of_a_system(entry->d_name))
            status = add(files, entry);
    }
    if (status == 0 && errno != 0)
        status = cannot_read(folder);
    closedir(stream);
    if (files->count > 0)
        qsort(files->items, files->count, sizeof *files->items, compare);
    return status;
}

void df_folder_files_free(struct df_folder_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
        free(files->items[i].stem);
    }
    free(files->items);
    *files = (struct df_folder_files){0};
}

char *df_endings_list(const struct df_endings *endings, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < endings->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", endings->items[i]);
    return text;
}

/* Why a file is not read. */
static void reason(const struct df_folder_file *file, char *text, size_t size)
{
    const char *dot = strrchr(file->name, '.');

    if (file->kind == DF_FILE_FOLDER)
        snprintf(text, size, "a folder");
    else if (dot)
        snprintf(text, size, "%.20s files are not read here", dot);
    else
        snprintf(text, size, "a name without an ending");
}

void df_folder_files_report(const struct df_folder_files *files)
{
    struct df_name_list unused = {.most = NAMED_AT_MOST};
    char why[64];

    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].kind == DF_FILE_READ || files->items[i].kind == DF_FILE_FOLDER_READ)
            continue;
        reason(&files->items[i], why, sizeof why);
        df_name_list_add(&unused, "%s (%s)", files->items[i].name, why);
    }
    if (unused.count > 0)
        df_log("warning: %zu of the %zu files in %s %s not used: %s", unused.count, files->count,
               files->folder, unused.count == 1 ? "is" : "are", unused.text);
}
