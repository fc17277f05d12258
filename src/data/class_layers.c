/* Samples whose masks are binary ones in class folders: listing them, and laying one over the other. */
#include "class_folders.h"
#include "folder_files.h"
#include "sample_list.h"
#include "sample_read.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMED_AT_MOST 3

/* --- listing --- */

/* A class's masks. */
struct layer_folder {
    const char *name;
    char *path;
    struct df_folder_files files;
    size_t next; /* the first whose image has not been found */
    int label;
};

struct listing {
    struct df_dataset *dataset;
    bool tells;
    struct df_folder_files images;
    struct layer_folder *folders; /* [n_folders], in the order in which they are laid */
    size_t n_folders;
    struct df_name_list bare, lonely; /* images without masks, masks without an image */
};

static int open_folder(struct layer_folder *folder, const char *masks, const struct df_mask_value *value,
                       bool tells)
{
    folder->label = value->label;
    folder->name = value->folder;
    folder->path = df_text_format("%s/%s", masks, value->folder);
    if (!folder->path)
        return -1;
    if (!df_path_exists(folder->path))
        return 0; /* no image of the split shows the class */
    DF_TRY(df_folder_files_read(&folder->files, folder->path, df_mask_endings()));
    if (tells)
        df_folder_files_report(&folder->files);
    return 0;
}

/* By names alone, the background first: what lies over what must not depend on the order of the classes,
 * which a checkpoint may record otherwise, nor on which of them are merged or ignored. */
static int compare_folders(const void *a, const void *b)
{
    const struct layer_folder *first = a, *second = b;
    const int order =
        (strcasecmp(second->name, "background") == 0) - (strcasecmp(first->name, "background") == 0);

    return order != 0 ? order : strcmp(first->name, second->name);
}

static int open_folders(struct listing *listing, const char *masks)
{
    const struct df_mask_values *values = &listing->dataset->rule.values;

    listing->folders = calloc(values->n_items + 1, sizeof *listing->folders);
    if (!listing->folders)
        return df_error_memory("the folders of classes", values->n_items * sizeof *listing->folders);
    for (size_t i = 0; i < values->n_items; i++) {
        listing->n_folders++;
        DF_TRY(open_folder(&listing->folders[i], masks, &values->items[i], listing->tells));
    }
    qsort(listing->folders, listing->n_folders, sizeof *listing->folders, compare_folders);
    return 0;
}

/* The folder's mask of that name, and what comes before it is without an image. stem NULL: all the rest. */
static const struct df_folder_file *take(struct listing *listing, struct layer_folder *folder,
                                         const char *stem)
{
    const struct df_folder_files *files = &folder->files;

    for (; folder->next < files->count; folder->next++) {
        const struct df_folder_file *file = &files->items[folder->next];
        const int order = stem ? strcmp(file->stem, stem) : -1;
        if (order > 0 || (order == 0 && file->kind == DF_FILE_READ))
            break;
        if (file->kind == DF_FILE_READ)
            df_name_list_add(&listing->lonely, "%s/%s", folder->path, file->name);
    }
    if (!stem || folder->next == files->count || strcmp(files->items[folder->next].stem, stem) != 0)
        return NULL;
    return &files->items[folder->next++];
}

static int add_layer(struct df_sample *sample, const struct layer_folder *folder,
                     const struct df_folder_file *file)
{
    struct df_mask_layer *layers = df_grown(sample->layers, (size_t)sample->n_layers, sizeof *layers);

    if (!layers)
        return -1;
    sample->layers = layers;
    layers[sample->n_layers].label = folder->label;
    layers[sample->n_layers].path = df_text_format("%s/%s", folder->path, file->name);
    return layers[sample->n_layers++].path ? 0 : -1;
}

static int add_image(struct listing *listing, const char *masks, const struct df_folder_file *image)
{
    struct df_dataset *dataset = listing->dataset;

    DF_TRY(df_sample_add(dataset, df_text_copy(image->stem),
                         df_text_format("%s/%s", listing->images.folder, image->name),
                         df_text_format("%s/*/%s.png", masks, image->stem)));
    struct df_sample *sample = &dataset->samples[dataset->count - 1];
    for (size_t i = 0; i < listing->n_folders; i++) {
        const struct df_folder_file *file = take(listing, &listing->folders[i], image->stem);
        if (file)
            DF_TRY(add_layer(sample, &listing->folders[i], file));
    }
    if (sample->n_layers == 0)
        df_name_list_add(&listing->bare, "%s", image->name);
    return 0;
}

static int add_images(struct listing *listing, const char *masks)
{
    const struct df_folder_files *images = &listing->images;
    const char *before = NULL;

    for (size_t i = 0; i < images->count; i++) {
        const struct df_folder_file *image = &images->items[i];
        if (image->kind != DF_FILE_READ)
            continue;
        if (before && strcmp(before, image->stem) == 0)
            return df_error_set("two images have the same base name: %s/%s and another", images->folder,
                                image->name);
        before = image->stem;
        DF_TRY(add_image(listing, masks, image));
    }
    for (size_t i = 0; i < listing->n_folders; i++)
        take(listing, &listing->folders[i], NULL);
    if (listing->tells)
        df_folder_files_report(images);
    return 0;
}

static int check(const struct listing *listing, const char *masks)
{
    if (listing->lonely.count > 0)
        return df_error_set(
            "%zu masks have no image in %s: %s (an image and its masks have equal base names)",
            listing->lonely.count, listing->images.folder, listing->lonely.text);
    if (listing->bare.count > 0)
        return df_error_set("%zu images of %s have no mask in any folder of %s: %s", listing->bare.count,
                            listing->images.folder, masks, listing->bare.text);
    if (listing->dataset->count == 0)
        return df_error_set("the folder %s has no images", listing->images.folder);
    return 0;
}

static void report(const struct listing *listing, const char *masks)
{
    struct df_name_list names = {.most = DF_MAX_CLASSES};

    for (size_t i = 0; i < listing->n_folders; i++)
        df_name_list_add(&names, "%s", listing->folders[i].name);
    df_log("the masks in %s are folders of classes, of which later ones lie over earlier ones: %s", masks,
           names.text);
}

static void close_listing(struct listing *listing)
{
    for (size_t i = 0; i < listing->n_folders; i++) {
        df_folder_files_free(&listing->folders[i].files);
        free(listing->folders[i].path);
    }
    free(listing->folders);
    df_folder_files_free(&listing->images);
}

int df_class_folders_list(struct df_dataset *dataset, const char *images, const char *masks, bool tells)
{
    struct listing listing = {
        .dataset = dataset, .tells = tells, .bare.most = NAMED_AT_MOST, .lonely.most = NAMED_AT_MOST};
    int status = -1;

    if (df_folder_files_read(&listing.images, images, df_image_endings()) == 0 &&
        open_folders(&listing, masks) == 0 && add_images(&listing, masks) == 0)
        status = check(&listing, masks);
    if (status == 0 && tells)
        report(&listing, masks);
    close_listing(&listing);
    return status;
}

/* --- reading --- */

/* What no folder covers. */
static int label_of_background(const struct df_mask_values *values)
{
    for (size_t i = 0; i < values->n_items; i++) {
        if (strcasecmp(values->items[i].folder, "background") == 0)
            return values->items[i].label;
    }
    return DF_IGNORE_LABEL;
}

static int lay(const struct df_mask_layer *layer, const struct df_image *binary, struct df_image *mask)
{
    const int64_t unit = binary->channels;

    if (unit == 3)
        return df_error_set(
            "the mask %s has colours: expected 0 and another value, for the pixels of the class",
            layer->path);
    for (int64_t i = 0; i < mask->width * mask->height; i++) {
        if (binary->pixels[unit * i] != 0 || binary->pixels[unit * i + unit - 1] != 0)
            mask->pixels[i] = (uint8_t)layer->label;
    }
    return 0;
}

/* The first one tells the size. */
static int add_to_mask(const struct df_dataset *dataset, const struct df_sample *sample, int index,
                       struct df_image *mask)
{
    const struct df_mask_layer *layer = &sample->layers[index];
    struct df_image binary;
    int status = 0;

    DF_TRY(df_mask_read(layer->path, &binary));
    if (index == 0 && (status = df_image_alloc(mask, binary.width, binary.height, 1)) == 0)
        memset(mask->pixels, label_of_background(&dataset->rule.values),
               (size_t)(mask->width * mask->height));
    if (status == 0 && (binary.width != mask->width || binary.height != mask->height))
        status = df_error_set("%s has %lld x %lld pixels, %s has %lld x %lld", sample->layers[0].path,
                              (long long)mask->width, (long long)mask->height, layer->path,
                              (long long)binary.width, (long long)binary.height);
    if (status == 0)
        status = lay(layer, &binary, mask);
    df_image_free(&binary);
    return status;
}

int df_mask_layers_read(const struct df_dataset *dataset, const struct df_sample *sample,
                        struct df_image *mask, int64_t *labels)
{
    for (int i = 0; i < sample->n_layers; i++)
        DF_TRY(add_to_mask(dataset, sample, i, mask));
    df_count_bytes(mask->pixels, (size_t)(mask->width * mask->height), labels);
    return 0;
}
