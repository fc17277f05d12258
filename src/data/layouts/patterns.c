/* Images and masks that two patterns of paths find. */
#include "layout.h"
#include "pattern.h"
#include "splits.h"

#include "../split_folders.h"

#include "../folder_files.h"
#include "../sample_list.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3

struct pairing {
    const struct df_layout_options *layout;
    struct df_path_matches images, masks;
    struct df_path_match **by_name; /* the masks in the order of their splits and names */
    bool *used;                     /* [masks.count], of by_name */
    bool parallel;                  /* some image and mask of one name are in the same folders */
    struct df_name_list without, several, shared;
};

static const char *split_of(const struct df_path_match *mask)
{
    return mask->split ? mask->split : "";
}

static int compare(const void *a, const void *b)
{
    const struct df_path_match *first = *(struct df_path_match *const *)a;
    const struct df_path_match *second = *(struct df_path_match *const *)b;
    const int splits = strcmp(split_of(first), split_of(second));
    return splits != 0 ? splits : strcmp(first->name, second->name);
}

/* Images whose pattern has no {name} are called by their files. */
static int name_images(struct df_path_matches *images)
{
    for (size_t i = 0; i < images->count; i++) {
        if (!images->items[i].name)
            images->items[i].name = df_path_stem(images->items[i].path);
        if (!images->items[i].name)
            return -1;
    }
    return 0;
}

static bool is_mask(const struct df_path_matches *masks, const char *path)
{
    size_t first = 0, last = masks->count;

    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        const int order = strcmp(masks->items[middle].path, path);
        if (order == 0)
            return true;
        if (order < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return false;
}

/* Of what the images' pattern finds, masks and what is no image are left out. */
static int sift(struct pairing *pairing)
{
    struct df_path_matches *images = &pairing->images;
    struct df_name_list others = {.most = NAMED_AT_MOST};
    size_t count = 0;
    const size_t found = images->count;

    for (size_t i = 0; i < found; i++) {
        struct df_path_match image = images->items[i];
        if (is_mask(&pairing->masks, image.path)) {
            df_pattern_free_match(&image);
        } else if (!df_endings_have(df_image_endings(), image.path)) {
            df_name_list_add(&others, "%s", image.path);
            df_pattern_free_match(&image);
        } else {
            images->items[count++] = image;
        }
    }
    images->count = count;
    if (others.count > 0 && pairing->layout->tells)
        df_log("warning: %zu of the %zu files that match --images %s %s not read, by the ending: %s",
               others.count, found, pairing->layout->images, others.count == 1 ? "is" : "are", others.text);
    if (count > 0)
        return 0;
    if (found > 0)
        return df_error_set("--images %s finds %s", pairing->layout->images,
                            others.count < found ? "the masks alone, those of --masks"
                                                 : "no file that is read");
    return df_error_set("no file matches --images %s (which counts from the current folder)",
                        pairing->layout->images);
}

/* The masks that may be an image's: by_name[first] to by_name[end - 1]. */
static void find_masks(const struct pairing *pairing, const struct df_path_match *image, size_t *first,
                       size_t *end)
{
    struct df_path_match wanted = *image;
    const struct df_path_match *key = &wanted;
    const size_t count = pairing->masks.count;

    if (!df_pattern_has(pairing->layout->masks, "{split}"))
        wanted.split = NULL;
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&pairing->by_name[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = *end = low;
    while (*end < count && compare(&pairing->by_name[*end], &key) == 0)
        ++*end;
}

/* The masks of an image's name: in the same folders alone, or in all. */
struct candidates {
    size_t count, first, second; /* the first two of by_name */
};

static struct candidates find_candidates(const struct pairing *pairing, const struct df_path_match *image,
                                         bool beside)
{
    struct candidates found = {0};
    size_t first, end;

    find_masks(pairing, image, &first, &end);
    for (size_t i = first; i < end; i++) {
        if (beside && strcmp(pairing->by_name[i]->folders, image->folders) != 0)
            continue;
        if (found.count < 2)
            *(found.count == 0 ? &found.first : &found.second) = i;
        found.count++;
    }
    return found;
}

/* Once one mask is in the folders of its image, all are: the mask of the same name in another folder is
 * another image's. The mask's place in by_name, or their number where there is none. */
static size_t pair_one(struct pairing *pairing, const struct df_path_match *image)
{
    const struct candidates found = find_candidates(pairing, image, pairing->parallel);

    if (found.count == 0) {
        df_name_list_add(&pairing->without, "%s", image->path);
    } else if (found.count > 1) {
        df_name_list_add(&pairing->several, "%s (%s, %s)", image->path, pairing->by_name[found.first]->path,
                         pairing->by_name[found.second]->path);
    } else if (pairing->used[found.first]) {
        df_name_list_add(&pairing->shared, "%s (of %s)", pairing->by_name[found.first]->path, image->path);
    } else {
        pairing->used[found.first] = true;
        return found.first;
    }
    return pairing->masks.count;
}

static int add_pairs(struct pairing *pairing, struct df_dataset *dataset)
{
    for (size_t i = 0; i < pairing->images.count; i++) {
        const struct df_path_match *image = &pairing->images.items[i];
        const size_t mask = pair_one(pairing, image);
        if (mask < pairing->masks.count)
            DF_TRY(df_sample_add(dataset, df_text_copy(image->name), df_text_copy(image->path),
                                 df_text_copy(pairing->by_name[mask]->path)));
    }
    return 0;
}

static int check_all(const struct pairing *pairing)
{
    const struct df_layout_options *layout = pairing->layout;
    struct df_name_list unused = {.most = NAMED_AT_MOST};

    if (pairing->several.count > 0)
        return df_error_set("%zu of the %zu images of --images %s %s more than one mask by --masks %s: %s",
                            pairing->several.count, pairing->images.count, layout->images,
                            pairing->several.count == 1 ? "has" : "have", layout->masks,
                            pairing->several.text);
    if (pairing->without.count > 0)
        return df_error_set("%zu of the %zu images of --images %s %s no mask by --masks %s%s: %s",
                            pairing->without.count, pairing->images.count, layout->images,
                            pairing->without.count == 1 ? "has" : "have", layout->masks,
                            pairing->parallel ? " in the same folders, as others have" : "",
                            pairing->without.text);
    if (pairing->shared.count > 0)
        return df_error_set("%zu image%s the mask of another one by --masks %s: %s", pairing->shared.count,
                            pairing->shared.count == 1 ? " has" : "s have", layout->masks,
                            pairing->shared.text);
    for (size_t i = 0; i < pairing->masks.count; i++) {
        if (!pairing->used[i])
            df_name_list_add(&unused, "%s", pairing->by_name[i]->path);
    }
    if (unused.count > 0 && layout->tells)
        df_log("warning: %zu of the %zu files that match --masks %s %s of no image and not used: %s",
               unused.count, pairing->masks.count, layout->masks, unused.count == 1 ? "is" : "are",
               unused.text);
    return 0;
}

static int pair_all(struct pairing *pairing, struct df_dataset *dataset)
{
    const size_t masks = pairing->masks.count;

    pairing->by_name = calloc(masks + 1, sizeof *pairing->by_name);
    pairing->used = calloc(masks + 1, sizeof *pairing->used);
    if (!pairing->by_name || !pairing->used)
        return df_error_memory("pairs of images and masks", masks * sizeof *pairing->by_name);
    for (size_t i = 0; i < masks; i++)
        pairing->by_name[i] = &pairing->masks.items[i];
    if (masks > 0)
        qsort(pairing->by_name, masks, sizeof *pairing->by_name, compare);
    for (size_t i = 0; i < pairing->images.count && !pairing->parallel; i++)
        pairing->parallel = find_candidates(pairing, &pairing->images.items[i], true).count > 0;
    DF_TRY(add_pairs(pairing, dataset));
    return check_all(pairing);
}

static int check_patterns(const struct df_layout_options *layout)
{
    if (!df_pattern_has(layout->masks, "{name}"))
        return df_error_set("--masks %s has no {name}, which stands for the image's name without its ending",
                            layout->masks);
    if (df_pattern_has(layout->masks, "{split}") && !df_pattern_has(layout->images, "{split}"))
        return df_error_set("--masks %s has {split}, and --images %s has not", layout->masks, layout->images);
    return 0;
}

/* Images of other splits than the one that is asked for go. */
static int choose_split(struct pairing *pairing, const char *const *wanted)
{
    struct df_split_words words = {.wanted = wanted, .words.most = DF_SPLIT_WORDS_NAMED};
    struct df_path_matches *images = &pairing->images;
    size_t count = 0;

    for (size_t i = 0; i < images->count; i++) {
        struct df_path_match image = images->items[i];
        if (df_split_words_take(&words, image.split))
            images->items[count++] = image;
        else
            df_pattern_free_match(&image);
    }
    images->count = count;
    return df_split_words_check(&words, pairing->layout->images, pairing->layout->tells);
}

/* Masks of images that were left out, which nobody misses. */
static void leave_masks(struct df_path_matches *masks, const char *const *wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < masks->count; i++) {
        if (masks->items[i].split && !df_split_is(masks->items[i].split, wanted))
            df_pattern_free_match(&masks->items[i]);
        else
            masks->items[count++] = masks->items[i];
    }
    masks->count = count;
}

int df_patterns_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                     struct df_listing *listing)
{
    const struct df_layout_options *layout = &options->layout;
    struct pairing pairing = {.layout = layout,
                              .without.most = NAMED_AT_MOST,
                              .several.most = NAMED_AT_MOST,
                              .shared.most = NAMED_AT_MOST};
    int status = -1;

    listing->divided = df_pattern_has(layout->images, "{split}");
    snprintf(listing->what, sizeof listing->what, "--images %s --masks %s", layout->images, layout->masks);
    if (check_patterns(layout) == 0 && df_pattern_find(layout->images, &pairing.images) == 0 &&
        df_pattern_find(layout->masks, &pairing.masks) == 0 && sift(&pairing) == 0 &&
        name_images(&pairing.images) == 0)
        status = listing->divided ? choose_split(&pairing, df_part_words(options)) : 0;
    if (status == 0 && listing->divided)
        leave_masks(&pairing.masks, df_part_words(options));
    if (status == 0)
        status = pair_all(&pairing, dataset);
    free(pairing.by_name);
    free(pairing.used);
    df_pattern_free(&pairing.images);
    df_pattern_free(&pairing.masks);
    return status;
}

int df_patterns_have(const struct df_dataset_options *options, bool *has)
{
    const char *pattern = options->layout.images;
    struct df_path_matches images = {0};

    *has = !df_pattern_has(pattern, "{split}");
    const int status = *has ? 0 : df_pattern_find(pattern, &images);
    for (size_t i = 0; i < images.count && !*has; i++)
        *has = df_split_is(images.items[i].split, df_part_words(options));
    df_pattern_free(&images);
    return status;
}
