#include "dinoft/image_paths.h"

#include "folder_files.h"
#include "layouts/pattern.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder that is looked into, and those that it lies in. */
struct place {
    dev_t device;
    ino_t inode;
    const struct place *above;
};

struct search {
    struct df_image_paths *paths;
    size_t below; /* of all that is found */
    bool recursive, leaves_out;
    struct place left_out;
    size_t passed_over; /* images of the folder that is left out, or such folders */
};

int df_image_paths_add(struct df_image_paths *paths, const char *path, size_t below)
{
    struct df_image_path *items = df_grown(paths->items, paths->count, sizeof *items);

    if (!items)
        return -1;
    paths->items = items;
    char *copy = df_text_copy(path);
    if (!copy)
        return -1;
    items[paths->count++] = (struct df_image_path){copy, below};
    return 0;
}

void df_image_paths_free(struct df_image_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i].path);
    free(paths->items);
    *paths = (struct df_image_paths){0};
}

static bool find_place(const char *path, struct place *place)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return false;
    place->device = status.st_dev;
    place->inode = status.st_ino;
    return true;
}

static bool is_same(const struct place *a, const struct place *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static void leave_out_folder(struct search *search, const char *folder)
{
    search->leaves_out = folder && find_place(folder, &search->left_out);
}

/* --- folders --- */

static int walk(struct search *search, const char *folder, const struct place *above);

/* A link that leads back to a folder above is not followed: what is there has been seen. */
static int enter(struct search *search, const char *folder, const struct place *above)
{
    struct place place = {.above = above};

    if (!find_place(folder, &place))
        return 0;
    for (const struct place *seen = above; seen; seen = seen->above) {
        if (is_same(seen, &place))
            return 0;
    }
    if (search->leaves_out && is_same(&search->left_out, &place)) {
        search->passed_over++;
        return 0;
    }
    return walk(search, folder, &place);
}

static char *join(const char *folder, const char *name)
{
    return df_text_format("%s%s%s", folder, df_text_ends_with(folder, "/") ? "" : "/", name);
}

static int use(struct search *search, const char *folder, struct df_folder_file *file,
               const struct place *place)
{
    if (file->kind == DF_FILE_OTHER_ENDING || (file->kind == DF_FILE_FOLDER && !search->recursive))
        return 0;
    char *path = join(folder, file->name);
    int status = -1;
    if (path && file->kind == DF_FILE_FOLDER) {
        file->kind = DF_FILE_READ; /* for what is said of the folder's files */
        status = enter(search, path, place);
    } else if (path) {
        status = df_image_paths_add(search->paths, path, search->below);
    }
    free(path);
    return status;
}

static int walk(struct search *search, const char *folder, const struct place *place)
{
    struct df_folder_files files;
    int status = df_folder_files_read(&files, folder, df_image_endings());

    for (size_t i = 0; i < files.count && status == 0; i++)
        status = use(search, folder, &files.items[i], place);
    if (status == 0)
        df_folder_files_report(&files);
    df_folder_files_free(&files);
    return status;
}

int df_image_paths_add_folder(struct df_image_paths *paths, const char *folder, bool recursive,
                              const char *leave_out)
{
    const size_t before = paths->count, length = strlen(folder);
    struct search search = {.paths = paths, .recursive = recursive};

    leave_out_folder(&search, leave_out);
    search.below = length + (df_text_ends_with(folder, "/") ? 0 : 1);
    DF_TRY(enter(&search, folder, NULL));
    if (paths->count > before) {
        if (search.passed_over > 0)
            df_log("the images in %s, which is written to, are not taken", leave_out);
        return 0;
    }
    if (search.passed_over > 0)
        return df_error_set("the images of %s would be taken from the folder that is written to, %s: name "
                            "another, or the files",
                            folder, leave_out);
    return df_error_set("the folder %s has no image%s", folder,
                        recursive ? " in it or its folders"
                                  : " in it: --recursive looks into its folders too");
}

/* --- patterns --- */

bool df_image_paths_is_pattern(const char *text)
{
    return strpbrk(text, "*?") != NULL;
}

/* Where the first part with a '*' or a '?' begins. */
static size_t open_part(const char *pattern)
{
    size_t at = strcspn(pattern, "*?");

    while (at > 0 && pattern[at - 1] != '/')
        at--;
    return at;
}

/* Whether one of the folders that the pattern leaves open is the one that is left out. */
static bool is_left_out(const struct search *search, char *path)
{
    bool found = false;

    for (char *slash = strchr(path + search->below, '/'); slash && search->leaves_out && !found;
         slash = strchr(slash + 1, '/')) {
        struct place place;
        *slash = '\0';
        found = find_place(path, &place) && is_same(&place, &search->left_out);
        *slash = '/';
    }
    return found;
}

static int take_match(struct search *search, char *path, size_t *others)
{
    if (!df_endings_have(df_image_endings(), path)) {
        (*others)++;
        return 0;
    }
    if (is_left_out(search, path)) {
        search->passed_over++;
        return 0;
    }
    return df_image_paths_add(search->paths, path, search->below);
}

/* The pattern without doubled slashes and "." parts, as paths that match come without them. */
static char *plain_pattern(const char *pattern)
{
    char *plain = df_text_copy(pattern), *to = plain;

    for (const char *from = pattern; plain && *from;) {
        const bool begins = to == plain || to[-1] == '/';
        if (begins && from[0] == '.' && from[1] == '/')
            from += 2;
        else if (begins && from[0] == '/' && to > plain)
            from++;
        else
            *to++ = *from++;
    }
    if (plain)
        *to = '\0';
    return plain;
}

int df_image_paths_add_pattern(struct df_image_paths *paths, const char *pattern, const char *leave_out)
{
    const size_t before = paths->count;
    struct search search = {.paths = paths};
    struct df_path_matches matches = {0};
    size_t others = 0;
    char *plain = plain_pattern(pattern);
    int status = plain ? df_pattern_find(plain, &matches) : -1;

    leave_out_folder(&search, leave_out);
    if (status == 0)
        search.below = open_part(plain);
    for (size_t i = 0; i < matches.count && status == 0; i++)
        status = take_match(&search, matches.items[i].path, &others);
    if (status == 0 && paths->count == before)
        status =
            df_error_set("no image matches %s (%zu other files do, %zu in the folder that is written to)",
                         pattern, others, search.passed_over);
    if (status == 0 && search.passed_over > 0)
        df_log("%zu images that match %s are in %s, which is written to, and are not taken",
               search.passed_over, pattern, leave_out);
    if (status == 0 && others > 0)
        df_log("warning: %zu files that match %s are not taken: their names have no ending of an image",
               others, pattern);
    df_pattern_free(&matches);
    free(plain);
    return status;
}
