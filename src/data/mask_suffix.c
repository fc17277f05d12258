#include "mask_suffix.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A way to name masks. */
struct naming {
    bool whole_name;    /* the image's name with its ending */
    const char *suffix; /* or else behind the image's stem */
};

/* The names of images, or their stems, that are read. */
struct names {
    const char **items;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int names_of(const struct df_folder_files *files, bool whole, struct names *names)
{
    *names = (struct names){calloc(files->count + 1, sizeof *names->items), 0};
    if (!names->items)
        return df_error_memory("names of files", (unsigned long long)files->count * sizeof *names->items);
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].kind == DF_FILE_READ)
            names->items[names->count++] = whole ? files->items[i].name : files->items[i].stem;
    }
    qsort(names->items, names->count, sizeof *names->items, compare);
    return 0;
}

static bool has(const struct names *names, const char *name)
{
    return bsearch(&name, names->items, names->count, sizeof name, compare) != NULL;
}

/* The bytes of a mask's stem that are its image's name; 0 where it has none. */
static size_t named(const struct names *images, const char *stem, const char *suffix)
{
    const size_t length = strlen(stem), behind = strlen(suffix);

    if (length <= behind || strcmp(stem + length - behind, suffix) != 0)
        return 0;
    char *name = df_text_format("%.*s", (int)(length - behind), stem);
    const bool found = name && has(images, name);
    free(name);
    return found ? length - behind : 0;
}

/* Stems of masks differ, so that each image has one where they are as many. */
static bool all_named(const struct names *images, const struct names *masks, const char *suffix)
{
    if (masks->count == 0 || masks->count != images->count)
        return false;
    for (size_t i = 0; i < masks->count; i++) {
        const bool twice = i > 0 && strcmp(masks->items[i - 1], masks->items[i]) == 0;
        if (twice || named(images, masks->items[i], suffix) == 0)
            return false;
    }
    return true;
}

/* The suffixes that the first image's mask may have are tried; all lengths together allow one at most. A
 * digit would be of another number: 10 is not the mask of 1. */
static bool find_suffix(const struct names *images, const struct names *masks, struct naming *naming)
{
    for (size_t i = 0; images->count > 0 && i < masks->count; i++) {
        const char *first = images->items[0];
        if (!df_text_starts_with(masks->items[i], first))
            continue;
        naming->suffix = masks->items[i] + strlen(first);
        if (*naming->suffix && !isdigit((unsigned char)*naming->suffix) &&
            all_named(images, masks, naming->suffix))
            return true;
    }
    return false;
}

static bool any_plain(const struct names *images, const struct names *masks)
{
    for (size_t i = 0; i < masks->count; i++) {
        if (has(images, masks->items[i]))
            return true;
    }
    return false;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct df_folder_file *)a)->stem, ((const struct df_folder_file *)b)->stem);
}

/* An image's stem is its name without the ending. */
static int rename_all(struct df_folder_files *masks, const struct naming *naming)
{
    const size_t behind = naming->whole_name ? 0 : strlen(naming->suffix);

    for (size_t i = 0; i < masks->count; i++) {
        struct df_folder_file *mask = &masks->items[i];
        if (mask->kind != DF_FILE_READ)
            continue;
        char *stem = naming->whole_name
                         ? df_path_stem(mask->stem)
                         : df_text_format("%.*s", (int)(strlen(mask->stem) - behind), mask->stem);
        if (!stem)
            return -1;
        free(mask->stem);
        mask->stem = stem;
    }
    qsort(masks->items, masks->count, sizeof *masks->items, compare_files);
    return 0;
}

static const char *first_read(const struct df_folder_files *files)
{
    size_t i = 0;

    while (files->items[i].kind != DF_FILE_READ)
        i++;
    return files->items[i].name;
}

int df_mask_suffix_settle(const struct df_folder_files *images, struct df_folder_files *masks, bool tells)
{
    struct names stems = {0}, wholes = {0}, of_masks = {0};
    struct naming naming = {.suffix = ""};
    char *suffix = NULL;
    int status = -1;

    if (names_of(images, false, &stems) != 0 || names_of(images, true, &wholes) != 0 ||
        names_of(masks, false, &of_masks) != 0)
        goto done;
    status = 0;
    if (any_plain(&stems, &of_masks))
        goto done;
    naming.whole_name = all_named(&wholes, &of_masks, "");
    if (!naming.whole_name && !find_suffix(&stems, &of_masks, &naming))
        goto done;
    suffix = df_text_copy(naming.suffix); /* it lies in a stem that goes */
    naming.suffix = suffix;
    status = suffix ? rename_all(masks, &naming) : -1;
    if (status == 0 && tells)
        df_log("the masks in %s have their images' names %s%s%s: %s is that of %s", masks->folder,
               naming.whole_name ? "with their endings" : "with '", naming.suffix,
               naming.whole_name ? "" : "' behind", first_read(masks), first_read(images));
done:
    free(suffix);
    free(of_masks.items);
    free(wholes.items);
    free(stems.items);
    return status;
}
