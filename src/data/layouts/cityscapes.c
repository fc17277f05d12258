/* Cityscapes: ROOT/leftImg8bit/{train,val}/CITY/NAME_leftImg8bit.png with the masks
 * ROOT/gtFine/{train,val}/CITY/NAME_gtFine_labelTrainIds.png, which people make with Cityscapes' own scripts,
 * or NAME_gtFine_labelIds.png, of which 19 of 34 numbers are classes. */
#include "layout.h"

#include "../folder_files.h"
#include "../sample_list.h"
#include "../split_folders.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_END     "_leftImg8bit.png"
#define NAMED_AT_MOST 3
#define TABLE         "cityscapes" /* of names and colours, and of the numbers that are classes */

/* What a mask's file is called behind the image's name. */
static const char train_ids[] = "_gtFine_labelTrainIds.png", label_ids[] = "_gtFine_labelIds.png",
                  colors[] = "_gtFine_color.png";

bool df_cityscapes_found(const char *root)
{
    return df_folder_is_there(root, "leftImg8bit") && df_folder_is_there(root, "gtFine");
}

struct cities {
    const struct df_dataset_options *options;
    const char *mask_end; /* of the masks that are read */
    char *images, *masks; /* folders of the split */
    struct df_folder_files folders;
    struct df_name_list unused, lonely; /* lonely: masks without an image */
    struct df_dataset *dataset;         /* NULL: the masks are looked for alone */
    bool found;                         /* some image has a mask of that end */
};

static int add_image(struct cities *cities, const char *city, const char *file)
{
    const int length = (int)(strlen(file) - strlen(IMAGE_END));
    char *mask = df_text_format("%s/%s/%.*s%s", cities->masks, city, length, file, cities->mask_end);

    if (!cities->dataset) {
        cities->found = cities->found || (mask && df_path_exists(mask));
        free(mask);
        return mask ? 0 : -1;
    }
    return df_sample_add(cities->dataset, df_text_format("%.*s", length, file),
                         df_text_format("%s/%s/%s", cities->images, city, file), mask);
}

static int add_city(struct cities *cities, const char *city)
{
    struct df_folder_files files = {0};
    char *folder = df_text_format("%s/%s", cities->images, city);
    int status = folder ? df_folder_files_read(&files, folder, df_image_endings()) : -1;

    for (size_t i = 0; i < files.count && status == 0; i++) {
        if (files.items[i].kind != DF_FILE_FOLDER && df_text_ends_with(files.items[i].name, IMAGE_END))
            status = add_image(cities, city, files.items[i].name);
        else
            df_name_list_add(&cities->unused, "%s/%s", city, files.items[i].name);
    }
    df_folder_files_free(&files);
    free(folder);
    return status;
}

static int walk(struct cities *cities)
{
    const char *split = df_part_words(cities->options)[0];
    int status;

    cities->images = df_text_format("%s/leftImg8bit/%s", cities->options->root, split);
    cities->masks = df_text_format("%s/gtFine/%s", cities->options->root, split);
    status = cities->images && cities->masks
                 ? df_folder_files_read(&cities->folders, cities->images, df_image_endings())
                 : -1;
    for (size_t i = 0; i < cities->folders.count && status == 0; i++) {
        if (cities->folders.items[i].kind == DF_FILE_FOLDER)
            status = add_city(cities, cities->folders.items[i].name);
        else
            df_name_list_add(&cities->unused, "%s", cities->folders.items[i].name);
    }
    return status;
}

static int note_lonely_of(struct cities *cities, const char *city)
{
    struct df_folder_files files = {0};
    char *folder = df_text_format("%s/%s", cities->masks, city);
    int status = folder ? df_folder_files_read(&files, folder, df_mask_endings()) : -1;

    for (size_t i = 0; i < files.count && status == 0; i++) {
        const char *name = files.items[i].name;
        if (!df_text_ends_with(name, cities->mask_end))
            continue;
        const int length = (int)(strlen(name) - strlen(cities->mask_end));
        char *image = df_text_format("%s/%s/%.*s" IMAGE_END, cities->images, city, length, name);
        if (image && !df_is_file(image))
            df_name_list_add(&cities->lonely, "%s/%s", city, name);
        status = image ? 0 : -1;
        free(image);
    }
    df_folder_files_free(&files);
    free(folder);
    return status;
}

/* Once the images are known. */
static int note_lonely(struct cities *cities)
{
    struct df_folder_files folders;

    if (!df_is_folder(cities->masks))
        return 0; /* which is told as masks that are missing */
    int status = df_folder_files_read(&folders, cities->masks, df_mask_endings());
    for (size_t i = 0; i < folders.count && status == 0; i++) {
        if (folders.items[i].kind == DF_FILE_FOLDER)
            status = note_lonely_of(cities, folders.items[i].name);
    }
    df_folder_files_free(&folders);
    if (status == 0 && cities->lonely.count > 0)
        df_log("warning: masks *%s below %s that have no image in %s and are not used: %zu (%s)",
               cities->mask_end, cities->masks, cities->images, cities->lonely.count, cities->lonely.text);
    return status;
}

static void cities_close(struct cities *cities)
{
    df_folder_files_free(&cities->folders);
    free(cities->images);
    free(cities->masks);
}

/* Whether masks of that end are there, in the split that is opened. */
static int has_masks(const struct df_dataset_options *options, const char *end, bool *has)
{
    struct cities cities = {.options = options, .mask_end = end};
    const int status = walk(&cities);

    *has = cities.found;
    cities_close(&cities);
    return status;
}

/* Numbers that are told are those of labelIds. Else train ids are taken where they are, as they
 * need no table. */
static int choose_masks(const struct df_dataset_options *options, const char **end)
{
    bool has = false;

    *end = options->palette ? colors : label_ids;
    if (options->palette || options->mask_values)
        return 0;
    DF_TRY(has_masks(options, train_ids, &has));
    if (has)
        *end = train_ids;
    return 0;
}

int df_cityscapes_classes(const struct df_dataset_options *options, struct df_layout_classes *classes)
{
    const char *end;

    DF_TRY(choose_masks(options, &end));
    classes->class_names = df_text_copy(TABLE);
    if (end == label_ids)
        classes->mask_values = df_text_copy(TABLE);
    return classes->class_names && (end != label_ids || classes->mask_values) ? 0 : -1;
}

int df_cityscapes_have(const struct df_dataset_options *options, enum df_split split, bool *has)
{
    static const char *const folders[] = {"leftImg8bit", "gtFine"};
    const char *const *words = df_words_of(options, split);

    *has = false;
    for (size_t i = 0; i < 2 && !*has; i++) {
        char *path = df_text_format("%s/%s/%s", options->root, folders[i], words[0]);
        const int status = path ? df_folder_holds_files(path, has) : -1;
        free(path);
        DF_TRY(status);
    }
    return 0;
}

int df_cityscapes_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                       struct df_listing *listing)
{
    struct cities cities = {
        .options = options, .dataset = dataset, .unused.most = NAMED_AT_MOST, .lonely.most = NAMED_AT_MOST};
    int status = choose_masks(options, &cities.mask_end);

    listing->divided = true;
    if (status == 0) {
        snprintf(listing->what, sizeof listing->what, "Cityscapes in %s, masks *%s", options->root,
                 cities.mask_end);
        status = walk(&cities);
    }
    if (status == 0 && cities.unused.count > 0)
        df_log("warning: %zu files below %s are no image of Cityscapes and not used: %s", cities.unused.count,
               cities.images, cities.unused.text);
    if (status == 0 && dataset->count == 0)
        status = df_error_set("there are no images *" IMAGE_END " in folders of %s", cities.images);
    if (status == 0)
        status = note_lonely(&cities);
    if (status == 0 && options->layout.tells)
        status = df_split_folders_report(options->root, "leftImg8bit");
    cities_close(&cities);
    return status;
}
