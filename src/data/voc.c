/* Pascal VOC 2012 segmentation: ROOT/VOCdevkit/VOC2012, with its own lists of names, or those of the larger
 * set of training images with the masks of SBD, which name each image's two files: as DeepLab's train_aug.txt
 * does. */
#include "lines.h"
#include "sample_list.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255 /* as file systems have it */
#define PATH_MAX_BYTES 1024
#define SHOWN_AT_MOST  80 /* bytes of a line, in errors */

struct list {
    struct df_dataset *dataset;
    const char *folder, *path;
    int64_t of_sbd; /* samples whose mask is in SegmentationClassAug alone */
};

static int wrong_line(const struct list *list, int64_t line, const char *text, size_t length)
{
    return df_error_set("line %lld of %s is neither the name of an image nor an image and its mask below "
                        "VOC2012: \"%.*s\"",
                        (long long)line, list->path, length < SHOWN_AT_MOST ? (int)length : SHOWN_AT_MOST,
                        text);
}

/* SBD's masks are usually put beside those of VOC, in a folder of that name. */
static char *mask_of_name(struct list *list, const char *name, size_t length)
{
    char *usual = df_text_format("%s/SegmentationClass/%.*s.png", list->folder, (int)length, name);
    char *of_sbd = df_text_format("%s/SegmentationClassAug/%.*s.png", list->folder, (int)length, name);
    const bool takes_it = usual && of_sbd && !df_path_exists(usual) && df_path_exists(of_sbd);

    list->of_sbd += takes_it;
    free(takes_it ? usual : of_sbd);
    return takes_it ? of_sbd : usual;
}

static int add_name(struct list *list, const char *name, size_t length)
{
    return df_sample_add(list->dataset, df_text_format("%.*s", (int)length, name),
                         df_text_format("%s/JPEGImages/%.*s.jpg", list->folder, (int)length, name),
                         mask_of_name(list, name, length));
}

/* "/JPEGImages/a.jpg /SegmentationClassAug/a.png": the sample has the image's base name. */
static int add_files(const struct list *list, const char *image, size_t image_length, const char *mask,
                     size_t mask_length)
{
    const char *name = image, *end = image + image_length;

    for (const char *slash; (slash = memchr(name, '/', (size_t)(end - name)));)
        name = slash + 1;
    const char *dot = memchr(name, '.', (size_t)(end - name));
    return df_sample_add(list->dataset, df_text_format("%.*s", (int)((dot ? dot : end) - name), name),
                         df_text_format("%s/%.*s", list->folder, (int)image_length, image),
                         df_text_format("%s/%.*s", list->folder, (int)mask_length, mask));
}

static int add_line(void *context, int64_t line, const char *text, size_t length)
{
    struct list *list = context;
    const char *end = text + length, *mask = end;

    if (length > PATH_MAX_BYTES || memchr(text, '\0', length))
        return wrong_line(list, line, text, length);
    if (!memchr(text, '/', length))
        return length <= NAME_MAX_BYTES ? add_name(list, text, length) : wrong_line(list, line, text, length);
    while (mask > text && !isspace((unsigned char)mask[-1]))
        mask--;
    const char *image_end = mask;
    while (image_end > text && isspace((unsigned char)image_end[-1]))
        image_end--;
    if (image_end == text || !memchr(text, '/', (size_t)(image_end - text)) ||
        !memchr(mask, '/', (size_t)(end - mask)))
        return wrong_line(list, line, text, length);
    return add_files(list, text, (size_t)(image_end - text), mask, (size_t)(end - mask));
}

/* A list in ImageSets/Segmentation by its name, or a file. */
static char *list_path(const struct df_dataset_options *options, const char *folder)
{
    const char *list = options->list ? options->list : options->split == DF_SPLIT_TRAIN ? "train" : "val";

    if (strchr(list, '/') || strchr(list, '.'))
        return df_text_copy(list);
    return df_text_format("%s/ImageSets/Segmentation/%s.txt", folder, list);
}

int df_voc_list(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    char *folder = df_text_format("%s/VOCdevkit/VOC2012", options->root);
    char *path = folder ? list_path(options, folder) : NULL;
    struct list list = {dataset, folder, path, 0};
    int status = path ? df_each_line(path, add_line, &list) : -1;

    dataset->reference_void_is_background = true;
    if (status == 0 && dataset->count == 0)
        status = df_error_set("%s lists no images", path);
    if (status == 0 && list.of_sbd > 0)
        df_log(
            "%lld of the %lld masks of %s are not in SegmentationClass and taken from SegmentationClassAug",
            (long long)list.of_sbd, (long long)dataset->count, path);
    free(path);
    free(folder);
    return status;
}
