#include "folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NAMED_AT_MOST 3
#define PATH_MOST     4096 /* that systems open */

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
    const char *file = df_path_name(name);
    const char *dot = strrchr(file, '.');

    for (size_t i = 0; dot && dot != file && i < endings->count; i++) {
        if (strcasecmp(dot, endings->items[i]) == 0)
            return true;
    }
    return false;
}

/* Without memory that might not be there: a layout would be taken for another one. */
bool df_folder_is_there(const char *root, const char *name)
{
    struct stat status;
    char path[PATH_MOST];
    const int length = snprintf(path, sizeof path, "%s/%s", root, name);

    return length > 0 && length < PATH_MOST && df_path_stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool df_name_is_of_a_system(const char *name)
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

static int add(void *context, const char *name, bool is_folder)
{
    struct df_folder_files *files = context;
    struct df_folder_file *items = NULL;

    if (df_name_is_of_a_system(name))
        return 0;
    struct df_folder_file file = {.name = df_text_copy(name), .stem = df_path_stem(name)};
    if (file.name && file.stem)
        items = df_grown(files->items, files->count, sizeof *items);
    if (!items) {
        free(file.name);
        free(file.stem);
        return -1;
    }
    file.kind = is_folder                               ? DF_FILE_FOLDER
                : df_endings_have(files->endings, name) ? DF_FILE_READ
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

static int find_file(void *context, const char *name, bool is_folder)
{
    (void)context;
    (void)is_folder;
    return *name != '.'; /* one is enough */
}

int df_folder_holds_files(const char *folder, bool *holds)
{
    struct stat facts;

    *holds = false;
    if (df_path_stat(folder, &facts) != 0 && errno == ENOENT && lstat(folder, &facts) != 0)
        return 0;
    const int status = df_path_each(folder, find_file, NULL);
    *holds = status == 1;
    return status < 0 ? -1 : 0;
}

int df_folder_files_read(struct df_folder_files *files, const char *folder, const struct df_endings *endings)
{
    *files = (struct df_folder_files){.folder = folder, .endings = endings};
    const int status = df_path_each(folder, add, files);
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
