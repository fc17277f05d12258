#include "pattern.h"

#include "../folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PARTS_MOST 64
#define NAME       "{name}"
#define SPLIT      "{split}"

/* A text that is kept; inside names that were listed, or of the matches above. */
struct kept {
    const char *text; /* NULL: nothing yet */
    size_t length;
};

struct captures {
    struct kept name, split;
};

struct search {
    const char *pattern;
    char *text, *parts[PARTS_MOST]; /* of the pattern, between slashes */
    int count;
    struct df_path_matches *matches;
};

bool df_pattern_has(const char *pattern, const char *text)
{
    return strstr(pattern, text) != NULL;
}

/* --- one part --- */

static bool match(const char *part, const char *text, struct captures *captures);

/* Takes a text that may be any, or is known: the shortest that lets the rest match, or the longest. */
static bool match_kept(const char *rest, const char *text, bool longest, struct kept *kept,
                       struct captures *captures)
{
    const struct captures before = *captures;
    const struct kept known = *kept;
    const size_t length = strlen(text);

    for (size_t i = 1; i <= length; i++) {
        const size_t taken = longest ? length + 1 - i : i;
        if (known.text && (taken != known.length || memcmp(text, known.text, taken) != 0))
            continue;
        *captures = before;
        *kept = (struct kept){text, taken};
        if (match(rest, text + taken, captures))
            return true;
    }
    *captures = before;
    return false;
}

static bool match_star(const char *rest, const char *text, struct captures *captures)
{
    for (;; text++) {
        if (match(rest, text, captures))
            return true;
        if (*text == '\0')
            return false;
    }
}

static bool match(const char *part, const char *text, struct captures *captures)
{
    uint32_t code;

    for (; *part; part++) {
        if (df_text_starts_with(part, NAME))
            return match_kept(part + strlen(NAME), text, true, &captures->name, captures);
        if (df_text_starts_with(part, SPLIT))
            return match_kept(part + strlen(SPLIT), text, false, &captures->split, captures);
        if (*part == '*')
            return match_star(part + 1, text, captures);
        if (*part == '?') {
            const size_t bytes = df_text_code_point(text, strlen(text), &code);
            if (*text == '\0')
                return false;
            text += bytes ? bytes : 1;
        } else if (*part == *text) {
            text++;
        } else {
            return false;
        }
    }
    return *text == '\0';
}

/* --- folders --- */

/* A folder that the search is in, and what led there. */
struct place {
    const char *path; /* "" is the current one */
    struct captures captures;
    const char *folders; /* as in struct df_path_match; the last line may go on */
    const struct place *above;
    dev_t device;
    ino_t inode;
};

static char *copy_kept(const struct kept *kept)
{
    return df_text_format("%.*s", (int)kept->length, kept->text);
}

static int add(struct search *search, const char *path, const struct captures *captures, const char *folders)
{
    struct df_path_matches *matches = search->matches;
    struct df_path_match *items = df_grown(matches->items, matches->count, sizeof *items);

    if (!items)
        return -1;
    matches->items = items;
    struct df_path_match *item = &items[matches->count++];
    *item = (struct df_path_match){.path = df_text_copy(path), .folders = df_text_copy(folders)};
    if (captures->name.text)
        item->name = copy_kept(&captures->name);
    if (captures->split.text)
        item->split = copy_kept(&captures->split);
    const bool complete = item->path && item->folders && (!captures->name.text || item->name) &&
                          (!captures->split.text || item->split);
    return complete ? 0 : -1;
}

static int walk(struct search *search, int part, const struct place *place);

/* "a/b" of "a" and "b"; of "" it is "b", of "/" "/b". */
static char *join(const char *folder, const char *name)
{
    const bool joined = *folder == '\0' || df_text_ends_with(folder, "/");
    return df_text_format("%s%s%s", folder, joined ? "" : "/", name);
}

/* Whether a link leads back to a folder that the search is in: what is there has been seen. */
static bool leads_back(const struct place *place)
{
    for (const struct place *above = place->above; above; above = above->above) {
        if (above->device == place->device && above->inode == place->inode)
            return true;
    }
    return false;
}

/* What is below a path: a file that matches where the part was the last one, a folder for those behind it, or
 * for "**" once more. */
static int enter(struct search *search, int part, const char *path, const struct captures *captures,
                 const char *folders, const struct place *above)
{
    const bool again = strcmp(search->parts[part], "**") == 0;
    const bool last = !again && part + 1 == search->count;
    struct stat status;

    if (df_path_stat(path, &status) != 0)
        return 0;
    if (last)
        return S_ISREG(status.st_mode) ? add(search, path, captures, folders) : 0;
    const bool archive = S_ISREG(status.st_mode) && df_path_names_archive(search->parts[part]);
    const struct place place = {path, *captures, folders, above, status.st_dev, status.st_ino};
    if ((!S_ISDIR(status.st_mode) && !archive) || (again && leads_back(&place)))
        return 0;
    return walk(search, again ? part : part + 1, &place);
}

static int enter_entry(struct search *search, int part, const char *name, const struct place *place)
{
    const bool any = strcmp(search->parts[part], "**") == 0;
    struct captures captures = place->captures;

    if (!any && !match(search->parts[part], name, &captures))
        return 0;
    const bool stands = any || (part + 1 < search->count && strpbrk(search->parts[part], "*?"));
    char *path = join(place->path, name);
    char *folders = df_text_format("%s%s%s", place->folders, stands ? name : "",
                                   any      ? "/"
                                   : stands ? "\n"
                                            : "");
    const int status = path && folders ? enter(search, part, path, &captures, folders, place) : -1;
    free(folders);
    free(path);
    return status;
}

static int walk_listed(struct search *search, int part, const struct place *place)
{
    struct df_folder_files files;
    int status = df_folder_files_read(&files, *place->path ? place->path : ".", df_image_endings());

    for (size_t i = 0; i < files.count && status == 0; i++)
        status = enter_entry(search, part, files.items[i].name, place);
    df_folder_files_free(&files);
    return status;
}

/* Ends the line of a "**", which stands for no more folders. */
static int walk_behind(struct search *search, int part, const struct place *place)
{
    char *folders = df_text_format("%s\n", place->folders);
    struct place behind = *place;

    behind.folders = folders;
    const int status = folders ? walk(search, part, &behind) : -1;
    free(folders);
    return status;
}

static int walk(struct search *search, int part, const struct place *place)
{
    if (strcmp(search->parts[part], "**") == 0)
        DF_TRY(walk_behind(search, part + 1, place));
    else if (!strpbrk(search->parts[part], "*?{"))
        return enter_entry(search, part, search->parts[part], place);
    return walk_listed(search, part, place);
}

/* --- the whole --- */

static int check_part(const char *pattern, const char *part)
{
    for (const char *at = part; (at = strpbrk(at, "{}")); at++) {
        if (df_text_starts_with(at, NAME))
            at += strlen(NAME) - 1;
        else if (df_text_starts_with(at, SPLIT))
            at += strlen(SPLIT) - 1;
        else
            return df_error_set("the pattern %s has braces in it that are neither {name} nor {split}",
                                pattern);
    }
    if (strstr(part, "**") && strcmp(part, "**") != 0)
        return df_error_set("the pattern %s has a ** that is not alone between slashes", pattern);
    if (strchr(part, '*') && strcmp(part, "**") != 0 && (strstr(part, NAME) || strstr(part, SPLIT)))
        return df_error_set("the pattern %s has a * beside {name} or {split} between the same slashes: what "
                            "these stand for is not clear then",
                            pattern);
    return 0;
}

static int add_part(struct search *search, char *part)
{
    if (*part == '\0' || strcmp(part, ".") == 0 ||
        (strcmp(part, "**") == 0 && search->count > 0 && strcmp(search->parts[search->count - 1], "**") == 0))
        return 0;
    if (search->count == PARTS_MOST)
        return df_error_set("the pattern %s has more than %d folders", search->pattern, PARTS_MOST);
    search->parts[search->count++] = part;
    return check_part(search->pattern, part);
}

static int split(struct search *search)
{
    search->text = df_text_copy(search->pattern);
    if (!search->text)
        return -1;
    for (char *part = search->text, *slash; part; part = slash ? slash + 1 : NULL) {
        slash = strchr(part, '/');
        if (slash)
            *slash = '\0';
        DF_TRY(add_part(search, part));
    }
    if (search->count > 0 && strcmp(search->parts[search->count - 1], "**") != 0)
        return 0;
    return df_error_set("the pattern %s names folders and no files: %s/*.png would", search->pattern,
                        search->pattern);
}

void df_pattern_free_match(struct df_path_match *item)
{
    free(item->path);
    free(item->name);
    free(item->split);
    free(item->folders);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct df_path_match *)a)->path, ((const struct df_path_match *)b)->path);
}

/* More than one "**" may lead to a file in more than one way. */
static void sort(struct df_path_matches *matches)
{
    size_t count = 0;

    if (matches->count > 0)
        qsort(matches->items, matches->count, sizeof *matches->items, compare);
    for (size_t i = 0; i < matches->count; i++) {
        if (count > 0 && compare(&matches->items[count - 1], &matches->items[i]) == 0)
            df_pattern_free_match(&matches->items[i]);
        else
            matches->items[count++] = matches->items[i];
    }
    matches->count = count;
}

int df_pattern_find(const char *pattern, struct df_path_matches *matches)
{
    struct search search = {.pattern = pattern, .matches = matches};
    const struct place start = {.path = *pattern == '/' ? "/" : "", .folders = ""};
    int status;

    *matches = (struct df_path_matches){0};
    status = split(&search);
    if (status == 0)
        status = walk(&search, 0, &start);
    if (status == 0)
        sort(matches);
    free(search.text);
    return status;
}

void df_pattern_free(struct df_path_matches *matches)
{
    for (size_t i = 0; i < matches->count; i++)
        df_pattern_free_match(&matches->items[i]);
    free(matches->items);
    *matches = (struct df_path_matches){0};
}
