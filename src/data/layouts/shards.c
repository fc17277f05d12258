#include "shards.h"
#include "pattern.h"
#include "splits.h"

#include "../split_folders.h"
#include "../folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS_MOST   100000
#define DIGITS_MOST   9
#define WORD_MOST     32
#define NAMED_AT_MOST 3
#define SPLIT         "{split}"

static const struct df_endings tar = {(const char *const[]){".tar"}, 1};

static bool is_pattern(const char *root)
{
    return strpbrk(root, "{*?") && df_text_ends_with(root, ".tar") && !df_path_exists(root);
}

/* Takes over the path. */
static int add(struct df_shards *shards, char *path)
{
    char **paths = path ? df_grown(shards->paths, shards->count, sizeof *paths) : NULL;

    if (!paths) {
        free(path);
        return -1;
    }
    shards->paths = paths;
    paths[shards->count++] = path;
    return 0;
}

void df_shards_free(struct df_shards *shards)
{
    for (size_t i = 0; i < shards->count; i++)
        free(shards->paths[i]);
    free(shards->paths);
    *shards = (struct df_shards){0};
}

/* --- patterns --- */

struct range {
    long first, last;
    int width;         /* of numbers with zeros in front; 0: these have none */
    const char *begin; /* of the pattern, where the brace opens */
    const char *behind;
};

/* -1 with the error set: what is in braces is no range, or there is a second one. */
static int parse_range(const char *pattern, struct range *range)
{
    char first[DIGITS_MOST + 1], last[DIGITS_MOST + 1];
    int used = 0;

    range->begin = strchr(pattern, '{');
    if (sscanf(range->begin, "{%9[0-9]..%9[0-9]}%n", first, last, &used) != 2 || used == 0 ||
        strpbrk(range->begin + used, "{*?"))
        return df_error_set(
            "the pattern %s may have one range of numbers, such as {0000..0127}, and {split}; "
            "or * instead of the range",
            pattern);
    range->behind = range->begin + used;
    range->first = strtol(first, NULL, 10);
    range->last = strtol(last, NULL, 10);
    const bool padded = (*first == '0' && first[1]) || (*last == '0' && last[1]);
    const size_t width = strlen(first) > strlen(last) ? strlen(first) : strlen(last);
    range->width = padded ? (int)width : 0;
    if (range->last >= range->first && range->last - range->first < SHARDS_MOST)
        return 0;
    return df_error_set("the range of the pattern %s has to rise, by less than %d", pattern, SHARDS_MOST);
}

static int add_range(struct df_shards *shards, const char *pattern)
{
    struct range range = {0};

    DF_TRY(parse_range(pattern, &range));
    for (long i = range.first; i <= range.last; i++)
        DF_TRY(add(shards, df_text_format("%.*s%0*ld%s", (int)(range.begin - pattern), pattern, range.width,
                                          i, range.behind)));
    return 0;
}

static int add_matches(struct df_shards *shards, const char *pattern)
{
    struct df_path_matches matches;
    int status = df_pattern_find(pattern, &matches);

    for (size_t i = 0; i < matches.count && status == 0; i++)
        status = add(shards, df_text_copy(matches.items[i].path));
    df_pattern_free(&matches);
    return status;
}

/* All that a pattern without {split} names, whether it is there or not. */
static int expand(struct df_shards *shards, const char *pattern)
{
    if (strchr(pattern, '{'))
        return add_range(shards, pattern);
    return strpbrk(pattern, "*?") ? add_matches(shards, pattern) : add(shards, df_text_copy(pattern));
}

/* Leaves none where not a single one is there. */
static int check_there(struct df_shards *shards, const char *pattern)
{
    struct df_name_list missing = {.most = NAMED_AT_MOST};

    for (size_t i = 0; i < shards->count; i++) {
        if (!df_path_exists(shards->paths[i]))
            df_name_list_add(&missing, "%s", shards->paths[i]);
    }
    if (missing.count == shards->count)
        df_shards_free(shards);
    else if (missing.count > 0)
        return df_error_set("%zu of the %zu shards %s are not there: %s", missing.count, shards->count,
                            pattern, missing.text);
    return 0;
}

static char *pattern_of(const char *pattern, const char *word)
{
    char *text = df_text_copy(pattern);

    while (text && df_pattern_has(text, SPLIT)) {
        char *replaced = df_split_path(text, "", word);
        free(text);
        text = replaced;
    }
    return text;
}

/* The split is called by one of its words. */
static int find_split(const char *pattern, enum df_split split, struct df_shards *shards)
{
    for (const char *const *word = df_split_words(split); *word; word++) {
        struct df_shards found = {0};
        char *text = pattern_of(pattern, *word);
        int status = text ? expand(&found, text) : -1;
        if (status == 0)
            status = check_there(&found, text);
        free(text);
        if (status == 0 && found.count > 0 && shards->count > 0)
            status = df_error_set("the shards %s are there under two words for {split}: %s and %s", pattern,
                                  shards->paths[0], found.paths[0]);
        if (status != 0 || found.count == 0) {
            df_shards_free(&found);
            DF_TRY(status);
            continue;
        }
        *shards = found;
    }
    shards->divided = true;
    return 0;
}

static int find_pattern(const char *pattern, enum df_split split, struct df_shards *shards)
{
    if (df_pattern_has(pattern, SPLIT))
        return find_split(pattern, split, shards);
    DF_TRY(expand(shards, pattern));
    DF_TRY(check_there(shards, pattern));
    return shards->count > 0 ? 0 : df_error_set("there are no shards %s", pattern);
}

/* --- folders --- */

/* The letters that a name begins with. */
static void word_of(const char *name, char word[WORD_MOST])
{
    size_t length = 0;

    while (length < WORD_MOST - 1 && isalpha((unsigned char)name[length]))
        length++;
    memcpy(word, name, length);
    word[length] = '\0';
}

static bool has_split_word(const char *name)
{
    char word[WORD_MOST];

    word_of(name, word);
    return df_split_is(word, DF_SPLIT_TRAIN) || df_split_is(word, DF_SPLIT_VAL);
}

static bool is_shard(const struct df_folder_file *file)
{
    const size_t length = strlen(file->stem);

    return file->kind == DF_FILE_READ &&
           (has_split_word(file->name) || (length > 0 && isdigit((unsigned char)file->stem[length - 1])));
}

/* Whether shards lie in the folder, and no folders that a layout of folders might have. */
static bool holds_shards(const char *folder)
{
    struct df_folder_files files = {0};
    bool found = false, other = false;

    if (df_is_folder(folder) && df_folder_files_read(&files, folder, &tar) == 0) {
        for (size_t i = 0; i < files.count; i++) {
            found = found || is_shard(&files.items[i]);
            other = other || (files.items[i].kind == DF_FILE_FOLDER && !has_split_word(files.items[i].name));
        }
    }
    df_folder_files_free(&files);
    return found && !other;
}

static int find_split_folder(const char *root, enum df_split split, char **folder)
{
    return df_split_folder((const char *const[]){"{root}/{split}", NULL}, root, split, NULL, folder);
}

static bool holds_split_folders(const char *root)
{
    bool found = false;

    for (int split = DF_SPLIT_TRAIN; split <= DF_SPLIT_VAL && !found; split++) {
        char *folder = NULL;
        found = find_split_folder(root, (enum df_split)split, &folder) == 0 && folder && holds_shards(folder);
        free(folder);
    }
    return found;
}

static int add_folder(const char *folder, enum df_split split, bool tells, struct df_shards *shards)
{
    struct df_split_words words = {.wanted = split, .words.most = DF_SPLIT_WORDS_NAMED};
    struct df_folder_files files;
    int status = df_folder_files_read(&files, folder, &tar);
    bool divided = false;

    for (size_t i = 0; i < files.count; i++)
        divided = divided || (is_shard(&files.items[i]) && has_split_word(files.items[i].name));
    for (size_t i = 0; i < files.count && status == 0; i++) {
        char word[WORD_MOST];
        word_of(files.items[i].name, word);
        if (files.items[i].kind == DF_FILE_READ && (!divided || df_split_words_take(&words, word)))
            status = add(shards, df_text_format("%s/%s", folder, files.items[i].name));
    }
    if (status == 0 && tells)
        df_folder_files_report(&files);
    df_folder_files_free(&files);
    shards->divided = divided;
    return status == 0 && divided && shards->count > 0 ? df_split_words_check(&words, folder, tells) : status;
}

static int find_in_split_folder(const char *root, enum df_split split, bool tells, struct df_shards *shards)
{
    char *folder = NULL;
    int status = find_split_folder(root, split, &folder);

    if (status == 0 && folder)
        status = add_folder(folder, split, tells, shards);
    free(folder);
    shards->divided = true;
    return status;
}

/* --- archives --- */

static int find_image(void *context, const char *name, bool is_folder)
{
    (void)context;
    return !is_folder && !df_name_is_of_a_system(name) && df_endings_have(df_image_endings(), name);
}

/* A folder of the system's has images too, which are no samples. */
static bool is_archive_of_samples(const char *root)
{
    struct stat facts;
    const bool outside = stat(root, &facts) == 0 && !df_path_is_archive(root);

    return !outside && df_path_exists(root) && df_path_each(root, find_image, NULL) == 1;
}

/* --- all --- */

bool df_shards_found(const char *root)
{
    return is_pattern(root) || holds_shards(root) || holds_split_folders(root) || is_archive_of_samples(root);
}

int df_shards_find(const char *root, enum df_split split, bool tells, struct df_shards *shards)
{
    *shards = (struct df_shards){0};
    if (is_pattern(root))
        return find_pattern(root, split, shards);
    if (holds_shards(root))
        return add_folder(root, split, tells, shards);
    if (holds_split_folders(root))
        return find_in_split_folder(root, split, tells, shards);
    return add(shards, df_text_copy(root));
}
