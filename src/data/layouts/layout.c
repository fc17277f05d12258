#include "layout.h"

#include "../annotations/annotated_set.h"
#include "../annotations/annotations.h"
#include "../data_root.h"
#include "../sample_list.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/mask_values.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ALL SIZE_MAX /* names in a list */

static const struct df_layout layouts[] = {
    {DF_LAYOUT_SPLIT_FOLDERS, "split-folders", "images/{train,val} + masks/{train,val}",
     df_split_folders_found, df_split_folders_have, "images/val and masks/val are not there or empty",
     df_split_folders_list, NULL},
    {DF_LAYOUT_TWO_FOLDERS, "two-folders", "images + masks", df_two_folders_found, NULL, NULL,
     df_two_folders_list, NULL},
    {DF_LAYOUT_CITYSCAPES, "cityscapes", "leftImg8bit + gtFine", df_cityscapes_found, df_cityscapes_have,
     "leftImg8bit/val and gtFine/val are not there or empty", df_cityscapes_list, df_cityscapes_classes},
    {DF_LAYOUT_NNUNET, "nnunet", "imagesTr + labelsTr", df_nnunet_found, df_nnunet_have,
     "splits_final.json has none in the fold", df_nnunet_list, df_nnunet_classes},
    {DF_LAYOUT_WEBDATASET, "webdataset", "KEY.jpg + KEY.png in .tar files", df_webdataset_found,
     df_webdataset_have, NULL, df_webdataset_list, NULL},
};
static const struct df_layout patterns = {.list = df_patterns_list}, pairs = {.list = df_pairs_list};
#define LAYOUTS (sizeof layouts / sizeof layouts[0])

static const struct df_layout *none_fits(const char *root)
{
    struct df_name_list known = {.most = ALL};
    struct stat status;

    for (size_t i = 0; i < LAYOUTS; i++)
        df_name_list_add(&known, "%s", layouts[i].shape);
    if (df_path_stat(root, &status) != 0)
        df_error_set("cannot open the folder %s: %s", root, strerror(errno));
    else
        df_error_set(
            "%s has none of the layouts that are known: %s (--images and --masks, or --pairs, tell others)",
            root, known.text);
    return NULL;
}

/* The one that fits. */
static const struct df_layout *find(const char *root)
{
    struct df_name_list names = {.most = ALL}, shapes = {.most = ALL};
    const struct df_layout *found = NULL;

    for (size_t i = 0; i < LAYOUTS; i++) {
        if (!layouts[i].found(root))
            continue;
        found = &layouts[i];
        df_name_list_add(&names, "%s", found->name);
        df_name_list_add(&shapes, "%s", found->shape);
    }
    if (!found)
        return none_fits(root);
    if (names.count == 1)
        return found;
    df_error_set("%s has more than one layout (%s): --layout says which holds (%s)", root, shapes.text,
                 names.text);
    return NULL;
}

static const struct df_layout *choose(const struct df_dataset_options *options)
{
    if (options->layout.images)
        return &patterns;
    if (options->layout.pairs)
        return &pairs;
    for (size_t i = 0; i < LAYOUTS; i++) {
        if (layouts[i].choice == options->layout.layout)
            return &layouts[i];
    }
    return find(options->root);
}

/* What is divided already is not divided by flags; folds are nnU-Net's. */
static int check_flags(const struct df_layout_options *options, const struct df_listing *listing,
                       const struct df_layout *layout)
{
    const char *flag = options->val_fraction > 0.0 ? "--val_fraction"
                       : options->train_list       ? "--train_list"
                       : options->val_list         ? "--val_list"
                                                   : NULL;

    if (options->fold && (!layout || layout->choice != DF_LAYOUT_NNUNET))
        return df_error_set("--fold is for nnU-Net's layout, and this one is %s", listing->what);
    if (!flag || !listing->divided)
        return 0;
    return df_error_set("%s is for images that nothing else divides: the layout is %s", flag, listing->what);
}

/* Annotations say which images there are, of each split. */
static int list_annotated(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    struct df_listing listing = {.divided = true};

    snprintf(listing.what, sizeof listing.what, "the annotations %s", dataset->annotations->path);
    DF_TRY(check_flags(&options->layout, &listing, NULL));
    DF_TRY(df_annotated_set_list(dataset));
    return options->layout.tells && df_split_folders_found(options->root)
               ? df_split_folders_report(options->root, "images")
               : 0;
}

int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    if (dataset->annotations)
        return list_annotated(dataset, options);
    const struct df_layout *layout = choose(options);
    struct df_listing listing = {0};

    if (!layout || layout->list(dataset, options, &listing) != 0)
        return -1;
    DF_TRY(check_flags(&options->layout, &listing, layout));
    DF_TRY(df_sample_names_settle(dataset));
    if (!listing.divided)
        return df_split_choose(dataset, options, &listing);
    if (options->layout.tells)
        df_log("layout: %s", listing.what);
    return 0;
}

/* Another spelling of the same list: NULL is 0 to count - 1. To be freed; NULL with the error set. */
static char *usual_text(const char *list, int count)
{
    struct df_mask_values values = {0};
    char numbers[32], *text = NULL;

    snprintf(numbers, sizeof numbers, "0..%d", count - 1);
    if (df_mask_values_parse(list ? list : numbers, &values) == 0)
        text = df_mask_values_text(&values, false);
    df_mask_values_free(&values);
    return text;
}

static bool are_names_equal(const struct df_known_classes *a, const struct df_known_classes *b)
{
    bool equal = a->count == b->count;

    for (int i = 0; equal && i < a->count; i++)
        equal = strcmp(a->names[i], b->names[i]) == 0;
    return equal;
}

/* A checkpoint records values of masks, and such a layout says itself what its values mean: where they are
 * not the same, some class would be read as another one. */
static int compare_recorded(const struct df_dataset_options *options, const struct df_layout *layout,
                            const struct df_layout_classes *classes)
{
    char *recorded = usual_text(options->mask_values, 1);
    char *own = recorded ? usual_text(classes->mask_values, options->known.count) : NULL;
    int status = own ? 0 : -1;

    if (own && (strcmp(recorded, own) != 0 || (classes->names && options->known.count > 0 &&
                                               !are_names_equal(&classes->known, &options->known))))
        status =
            df_error_set("the checkpoint's classes are the values %.200s of masks, and %s has others: type "
                         "--mask_values, or --merge_classes and --ignore_classes as in its training",
                         recorded, layout->name);
    free(own);
    free(recorded);
    return status;
}

static int take_classes(struct df_dataset_options *options, struct df_layout_classes *classes)
{
    const bool recorded = options->mask_values && options->values_are_recorded;

    if (options->palette || (options->mask_values && !recorded))
        return 0;
    const struct df_layout *layout = choose(options);
    if (!layout)
        return -1;
    if (recorded && !layout->classes)
        return 0;
    struct df_dataset_options own = *options;
    own.mask_values = NULL;
    if (layout->classes && layout->classes(&own, classes) != 0)
        return -1;
    if (recorded)
        DF_TRY(compare_recorded(options, layout, classes));
    options->mask_values = classes->mask_values;
    if (!options->ignore_value)
        options->ignore_value = classes->ignore_value;
    if (classes->names && !options->class_names && options->known.count == 0)
        options->known = classes->known;
    if (!options->class_names)
        options->class_names = classes->class_names;
    return 0;
}

/* Annotations that were found beside masks which are files. */
static int check_found(const struct df_dataset *dataset, const struct df_dataset_options *options)
{
    for (size_t i = 0; i < LAYOUTS && !options->annotations; i++) {
        if (layouts[i].choice != DF_LAYOUT_SPLIT_FOLDERS && layouts[i].found(options->root))
            return df_error_set(
                "%s has annotations, %s, and masks too (%s): --annotations says that these are "
                "drawn, --layout %s that those are read",
                options->root, dataset->annotations->path, layouts[i].shape, layouts[i].name);
    }
    return 0;
}

/* The layout whose folders or files may say what validates, as far as that can be told: annotations are
 * looked for in folders of the splits too. NULL: patterns or a table. */
static const struct df_layout *layout_of(const struct df_dataset_options *options)
{
    if (options->layout.images || options->layout.pairs)
        return NULL;
    for (size_t i = 0; i < LAYOUTS; i++) {
        const bool may_be = options->layout.layout == DF_LAYOUT_AUTO && !options->annotations &&
                            layouts[i].choice != DF_LAYOUT_SPLIT_FOLDERS;
        if (layouts[i].choice == options->layout.layout || (may_be && layouts[i].found(options->root)))
            return &layouts[i];
    }
    return &layouts[0];
}

/* Images that flags draw or list from those of training are there too. */
static int has_split(const struct df_dataset_options *options, const struct df_layout *layout, bool *has)
{
    *has = true;
    if (options->layout.images)
        return df_patterns_have(options, has);
    if (options->layout.pairs)
        return df_pairs_have(options, has);
    if (layout->have)
        DF_TRY(layout->have(options, options->split, has));
    if (layout->choice == DF_LAYOUT_SPLIT_FOLDERS && !options->annotations && !*has)
        *has = df_layout_draws(&options->layout) && !df_dataset_has_annotations(options->root);
    return 0;
}

int df_folder_has_split(const struct df_dataset_options *options, bool *has)
{
    const struct df_layout_options *layout = &options->layout;

    DF_TRY(has_split(options, layout_of(options), has));
    if (options->split == DF_SPLIT_VAL && layout->train_list && !layout->val_list)
        *has = false;
    return 0;
}

/* Nothing of a split is told before parts of it are missed. That of training is needed anyway. */
static int check_split(const struct df_dataset_options *options)
{
    const struct df_layout *layout = layout_of(options);
    bool has;

    if (options->split == DF_SPLIT_TRAIN || !layout || !layout->validation)
        return 0;
    DF_TRY(has_split(options, layout, &has));
    return has ? 0 : df_error_set("there are no validation images: %s/%s", options->root, layout->validation);
}

int df_folder_open(struct df_dataset *dataset, struct df_dataset_options *options,
                   struct df_layout_classes *classes)
{
    const struct df_layout_options *layout = &options->layout;
    const bool elsewhere = layout->layout != DF_LAYOUT_AUTO || layout->images || layout->pairs;

    *classes = (struct df_layout_classes){0};
    DF_TRY(check_split(options));
    if (options->annotations || !elsewhere)
        DF_TRY(df_annotated_set_open(dataset, options));
    return dataset->annotations ? check_found(dataset, options) : take_classes(options, classes);
}

void df_layout_free_classes(struct df_layout_classes *classes)
{
    for (int i = 0; i < classes->known.count; i++)
        free(classes->names[i]);
    free(classes->names);
    free(classes->class_names);
    free(classes->mask_values);
    free(classes->ignore_value);
}

bool df_layout_tells_classes(const char *root, enum df_layout_choice choice)
{
    char *data = df_data_root(root);
    bool tells = false;

    for (size_t i = 0; i < LAYOUTS && data; i++)
        tells = tells || (layouts[i].classes && (layouts[i].choice == choice ||
                                                 (choice == DF_LAYOUT_AUTO && layouts[i].found(data))));
    free(data);
    return tells;
}
