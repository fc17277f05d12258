/* nnU-Net's raw data sets of version 2, of images in two dimensions: ROOT/imagesTr/CASE_0000.png and
 * ROOT/labelsTr/CASE.png. */
#include "nnunet.h"

#include "../folder_files.h"
#include "../sample_list.h"
#include "../split_folders.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3
#define CHANNEL       "_0000"

bool df_nnunet_found(const char *root)
{
    return df_folder_is_there(root, "imagesTr") && df_folder_is_there(root, "labelsTr");
}

/* --- classes --- */

static char *value_list(const struct df_nnunet *nnunet)
{
    char *list = df_text_copy("");

    for (int i = 0; list && i < nnunet->count; i++) {
        char *longer = df_text_format("%s%s%" PRId64, list, i > 0 ? "," : "", nnunet->labels[i].value);
        free(list);
        list = longer;
    }
    return list;
}

static int take_names(struct df_nnunet *nnunet, struct df_layout_classes *classes)
{
    classes->names = calloc((size_t)nnunet->count, sizeof *classes->names);
    if (!classes->names)
        return df_error_memory("class names", (unsigned long long)nnunet->count * sizeof *classes->names);
    for (int i = 0; i < nnunet->count; i++) {
        classes->names[i] = nnunet->labels[i].name;
        nnunet->labels[i].name = NULL;
    }
    classes->known = (struct df_known_classes){.count = nnunet->count, .names = classes->names};
    return 0;
}

int df_nnunet_classes(const struct df_dataset_options *options, struct df_layout_classes *classes)
{
    struct df_nnunet nnunet;
    int status = df_nnunet_read(options->root, &nnunet);

    if (status == 0)
        status = take_names(&nnunet, classes);
    if (status == 0) {
        classes->mask_values = value_list(&nnunet);
        classes->ignore_value =
            nnunet.ignored < 0 ? df_text_copy("none") : df_text_format("%" PRId64, nnunet.ignored);
        status = classes->mask_values && classes->ignore_value ? 0 : -1;
    }
    df_nnunet_free(&nnunet);
    return status;
}

/* --- cases --- */

/* "_0001.png" behind a case's name: a file for each channel. The bytes of the case's name, and the channel;
 * 0: it is no image of a case. */
static size_t case_of(const char *name, const char *ending, int *channel)
{
    const size_t length = strlen(name), behind = strlen(CHANNEL) + strlen(ending);
    const char *digits = name + length - behind + 1;

    if (length <= behind || strcmp(name + length - strlen(ending), ending) != 0 || digits[-1] != '_')
        return 0;
    for (int i = 0; i < 4; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return 0;
    }
    *channel = atoi(digits);
    return length - behind;
}

static int add_case(struct df_dataset *dataset, const char *root, const char *file, size_t length,
                    const char *ending)
{
    return df_sample_add(dataset, df_text_format("%.*s", (int)length, file),
                         df_text_format("%s/imagesTr/%s", root, file),
                         df_text_format("%s/labelsTr/%.*s%s", root, (int)length, file, ending));
}

static int add_cases(struct df_dataset *dataset, const struct df_dataset_options *options,
                     const struct df_folder_files *files, const char *ending)
{
    struct df_name_list unused = {.most = NAMED_AT_MOST};

    for (size_t i = 0; i < files->count; i++) {
        const char *name = files->items[i].name;
        int channel = 0;
        const size_t length = files->items[i].kind == DF_FILE_FOLDER ? 0 : case_of(name, ending, &channel);
        if (length > 0 && channel > 0)
            return df_error_set(
                "%s/%s is channel %d of its case: images are one file each, %.*s_0000%s of three "
                "channels or one",
                files->folder, name, channel, (int)length, name, ending);
        if (length > 0)
            DF_TRY(add_case(dataset, options->root, name, length, ending));
        else
            df_name_list_add(&unused, "%s", name);
    }
    if (unused.count > 0 && options->layout.tells)
        df_log("warning: %zu of the %zu files in %s are no CASE_0000%s and not used: %s", unused.count,
               files->count, files->folder, ending, unused.text);
    return dataset->count > 0 ? 0 : df_error_set("there are no images *_0000%s in %s", ending, files->folder);
}

/* Files beside the cases' masks. */
static int report_labels(const char *root, const char *ending)
{
    struct df_name_list unused = {.most = NAMED_AT_MOST};
    char *folder = df_text_format("%s/labelsTr", root);
    struct df_folder_files files = {0};
    int status = folder ? df_folder_files_read(&files, folder, df_mask_endings()) : -1;

    for (size_t i = 0; i < files.count && status == 0; i++) {
        const char *name = files.items[i].name;
        const size_t behind = df_text_ends_with(name, ending) ? strlen(ending) : 0;
        char *image =
            df_text_format("%s/imagesTr/%.*s" CHANNEL "%s", root, (int)(strlen(name) - behind), name, ending);
        if (image && (behind == 0 || !df_is_file(image)))
            df_name_list_add(&unused, "%s", name);
        status = image ? 0 : -1;
        free(image);
    }
    if (unused.count > 0)
        df_log("warning: %zu of the %zu files in %s %s no image in imagesTr and %s not used: %s",
               unused.count, files.count, folder, unused.count == 1 ? "has" : "have",
               unused.count == 1 ? "is" : "are", unused.text);
    if (status == 0 && df_folder_is_there(root, "imagesTs"))
        df_log("warning: the test images in %s/imagesTs are not used", root);
    df_folder_files_free(&files);
    free(folder);
    return status;
}

int df_nnunet_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                   struct df_listing *listing)
{
    struct df_nnunet nnunet;
    struct df_folder_files files = {0};
    char *folder = df_text_format("%s/imagesTr", options->root);
    int status = df_nnunet_read(options->root, &nnunet);

    snprintf(listing->what, sizeof listing->what, "nnU-Net's imagesTr + labelsTr in %s", options->root);
    if (status == 0)
        status = folder ? df_folder_files_read(&files, folder, df_image_endings()) : -1;
    if (status == 0)
        status = add_cases(dataset, options, &files, nnunet.ending);
    if (status == 0 && options->layout.tells)
        status = report_labels(options->root, nnunet.ending);
    if (status == 0)
        status = df_nnunet_choose_fold(dataset, options, listing);
    df_folder_files_free(&files);
    free(folder);
    df_nnunet_free(&nnunet);
    return status;
}
