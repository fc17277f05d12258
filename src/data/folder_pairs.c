/* Images of one folder and masks of another that belong together by their base names. */
#include "folder_files.h"
#include "foreign_formats.h"
#include "mask_suffix.h"
#include "sample_list.h"

#include "dinoft/error.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3
#define DEPTH_MOST    16 /* folders in each other */

static const struct df_endings image_endings = {(const char *const[]){".jpg", ".jpeg", ".png", ".tif",
                                                                      ".tiff", ".webp", ".bmp", ".gif",
                                                                      ".tga", ".ppm", ".pgm", ".pbm", ".pnm"},
                                                13};
static const struct df_endings mask_endings = {(const char *const[]){".png", ".tif", ".tiff"}, 3};

const struct df_endings *df_image_endings(void)
{
    return &image_endings;
}

const struct df_endings *df_mask_endings(void)
{
    return &mask_endings;
}

struct pairing {
    struct df_dataset *dataset;
    bool tells; /* what is not used */
    struct df_folder_files images, masks;
    struct df_name_list unread; /* halves of pairs whose endings are not read */
    struct df_name_list lonely; /* masks without an image */
};

/* The files of one base name in one of the folders. */
struct namesakes {
    const struct df_folder_file *read, *other; /* the first of each kind; NULL: there is none */
    const struct df_folder_file *second;       /* one more that is read */
};

/* Those from *at on that have the name, which is moved behind them. */
static struct namesakes take(const struct df_folder_files *files, const char *stem, size_t *at)
{
    struct namesakes found = {0};

    for (; *at < files->count && strcmp(files->items[*at].stem, stem) == 0; ++*at) {
        const struct df_folder_file *file = &files->items[*at];
        if (file->kind == DF_FILE_READ && found.read)
            found.second = file;
        else if (file->kind == DF_FILE_READ)
            found.read = file;
        else if (file->kind == DF_FILE_OTHER_ENDING && !found.other)
            found.other = file;
    }
    return found;
}

static int check_single(const char *what, const struct df_folder_files *files, const struct namesakes *found)
{
    if (!found->second)
        return 0;
    return df_error_set("two %ss have the same base name: %s/%s and %s/%s", what, files->folder,
                        found->read->name, files->folder, found->second->name);
}

static void note_unread(struct pairing *pairing, const struct df_folder_files *files,
                        const struct df_folder_file *file)
{
    const char *format = df_foreign_format_of_name(file->name);

    df_name_list_add(&pairing->unread, "%s/%s%s%s%s", files->folder, file->name, format ? " (" : "",
                     format ? format : "", format ? ")" : "");
}

/* An image's mask that is not there keeps the name it should have: it is told with all that is missing. */
static int add_sample(struct pairing *pairing, const struct df_folder_file *image,
                      const struct df_folder_file *mask)
{
    const char *folder = pairing->masks.folder;

    return df_sample_add(pairing->dataset, df_text_copy(image->stem),
                         df_text_format("%s/%s", pairing->images.folder, image->name),
                         mask ? df_text_format("%s/%s", folder, mask->name)
                              : df_text_format("%s/%s.png", folder, image->stem));
}

/* All files of one base name. Those that are of no kind of picture (a readme in each folder) are no pair. */
static int pair_namesakes(struct pairing *pairing, const struct namesakes *image,
                          const struct namesakes *mask)
{
    DF_TRY(check_single("image", &pairing->images, image));
    DF_TRY(check_single("mask", &pairing->masks, mask));
    if (image->read && (mask->read || !mask->other))
        return add_sample(pairing, image->read, mask->read);
    if (image->read)
        note_unread(pairing, &pairing->masks, mask->other);
    else if (mask->read && !image->other)
        df_name_list_add(&pairing->lonely, "%s", mask->read->name);
    else if (image->other && (mask->read || (mask->other && df_foreign_format_of_name(image->other->name))))
        note_unread(pairing, &pairing->images, image->other);
    return 0;
}

/* Both folders are in the order of their base names. */
static int pair_all(struct pairing *pairing)
{
    const struct df_folder_files *images = &pairing->images, *masks = &pairing->masks;
    size_t i = 0, m = 0;

    while (i < images->count || m < masks->count) {
        const char *stem = i < images->count ? images->items[i].stem : masks->items[m].stem;
        if (m < masks->count && strcmp(masks->items[m].stem, stem) < 0)
            stem = masks->items[m].stem;
        const struct namesakes image = take(images, stem, &i), mask = take(masks, stem, &m);
        DF_TRY(pair_namesakes(pairing, &image, &mask));
    }
    return 0;
}

static int check_all(const struct pairing *pairing)
{
    char list[128], of_masks[64];

    if (pairing->unread.count > 0)
        return df_error_set(
            "%zu file%s of pairs cannot be read: %s; images are read with the endings %s, masks "
            "with %s: convert them, to PNG for instance",
            pairing->unread.count, pairing->unread.count == 1 ? "" : "s", pairing->unread.text,
            df_endings_list(&image_endings, list, sizeof list),
            df_endings_list(&mask_endings, of_masks, sizeof of_masks));
    if (pairing->lonely.count > 0)
        return df_error_set(
            "%zu of the masks in %s %s no image in %s: %s (an image and its mask have equal base "
            "names: a.jpg and a.png)",
            pairing->lonely.count, pairing->masks.folder, pairing->lonely.count == 1 ? "has" : "have",
            pairing->images.folder, pairing->lonely.text);
    if (pairing->tells) {
        df_folder_files_report(&pairing->images);
        df_folder_files_report(&pairing->masks);
    }
    return 0;
}

static int add_folder(struct df_dataset *dataset, const char *images, const char *masks, bool tells,
                      int depth);

/* Whether a folder has images, or folders that may have some. */
static int holds_images(const char *folder, bool *holds)
{
    struct df_folder_files files;
    const int status = df_folder_files_read(&files, folder, &image_endings);

    *holds = false;
    for (size_t i = 0; i < files.count; i++)
        *holds = *holds || files.items[i].kind != DF_FILE_OTHER_ENDING;
    df_folder_files_free(&files);
    return status;
}

static struct df_folder_file *find_folder(const struct df_folder_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].kind == DF_FILE_FOLDER && strcmp(files->items[i].name, name) == 0)
            return &files->items[i];
    }
    return NULL;
}

/* A folder among the images: its masks are in the masks' folder of that name. */
static int enter(struct pairing *pairing, struct df_folder_file *folder, int depth)
{
    struct df_folder_file *of_masks = find_folder(&pairing->masks, folder->name);
    char *images = df_text_format("%s/%s", pairing->images.folder, folder->name);
    char *masks = df_text_format("%s/%s", pairing->masks.folder, folder->name);
    bool holds = false;
    int status = images && masks ? 0 : -1;

    if (status == 0 && of_masks) {
        folder->kind = of_masks->kind = DF_FILE_FOLDER_READ;
        status = add_folder(pairing->dataset, images, masks, pairing->tells, depth + 1);
    } else if (status == 0) {
        status = holds_images(images, &holds);
    }
    if (status == 0 && holds)
        status =
            df_error_set("the folder %s has images or folders, and there is no folder %s for their masks "
                         "(--images and --masks find masks elsewhere, by patterns)",
                         images, masks);
    free(masks);
    free(images);
    return status;
}

/* Folders in folders, such as one for each city. */
static int enter_folders(struct pairing *pairing, int depth)
{
    for (size_t i = 0; i < pairing->images.count; i++) {
        struct df_folder_file *folder = &pairing->images.items[i];
        if (folder->kind != DF_FILE_FOLDER)
            continue;
        if (depth == DEPTH_MOST)
            return df_error_set("the folder %s/%s lies more than %d folders deep", pairing->images.folder,
                                folder->name, DEPTH_MOST);
        DF_TRY(enter(pairing, folder, depth));
    }
    return 0;
}

static int add_folder(struct df_dataset *dataset, const char *images, const char *masks, bool tells,
                      int depth)
{
    struct pairing pairing = {
        .dataset = dataset, .tells = tells, .unread.most = NAMED_AT_MOST, .lonely.most = NAMED_AT_MOST};
    int status = -1;

    if (df_folder_files_read(&pairing.images, images, &image_endings) == 0 &&
        df_folder_files_read(&pairing.masks, masks, &mask_endings) == 0 &&
        df_mask_suffix_settle(&pairing.images, &pairing.masks, tells) == 0 && pair_all(&pairing) == 0 &&
        enter_folders(&pairing, depth) == 0)
        status = check_all(&pairing);
    df_folder_files_free(&pairing.images);
    df_folder_files_free(&pairing.masks);
    return status;
}

int df_sample_add_folder(struct df_dataset *dataset, const char *images, const char *masks, bool tells)
{
    char list[128];

    DF_TRY(add_folder(dataset, images, masks, tells, 0));
    if (dataset->count > 0)
        return 0;
    return df_error_set("the folder %s has no images (%s)", images,
                        df_endings_list(&image_endings, list, sizeof list));
}
