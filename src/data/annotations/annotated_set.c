#include "annotated_set.h"

#include "find.h"
#include "readers.h"

#include "../class_table.h"
#include "../folder_files.h"
#include "../data_root.h"
#include "../sample_list.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3
#define CLASSES_NAMED 20

static int (*const readers[])(struct df_annotations *annotations,
                              const struct df_annotation_source *source) = {
    [DF_ANNOTATIONS_COCO] = df_coco_read,
    [DF_ANNOTATIONS_LABELME] = df_labelme_read,
    [DF_ANNOTATIONS_YOLO] = df_yolo_read,
    [DF_ANNOTATIONS_CVAT] = df_cvat_read};

/* The image's path: with the folders that its name has, or without them. */
static char *image_path(const char *folder, const char *name)
{
    char *path = df_text_format("%s/%s", folder, name);

    if (!path || !strchr(name, '/') || df_path_exists(path))
        return path;
    free(path);
    return df_text_format("%s/%s", folder, df_path_name(name));
}

static int add_sample(struct df_dataset *dataset, int64_t index)
{
    const struct df_annotations *annotations = dataset->annotations;
    const struct df_annotated_image *image = df_annotations_image(annotations, index);
    const char *mask = image->segments ? image->segments : image->file ? image->file : annotations->path;
    struct df_digest digest;

    DF_TRY(df_sample_add(dataset, df_path_stem(image->name), image_path(annotations->folder, image->name),
                         df_text_copy(mask)));
    df_digest_start(&digest);
    df_annotations_digest(annotations, index, &digest);
    struct df_sample *sample = &dataset->samples[dataset->count - 1];
    sample->annotation = index;
    sample->of_segments = image->segments != NULL;
    sample->shapes_digest = df_digest_value(&digest);
    return 0;
}

static int compare_samples(const void *a, const void *b)
{
    const struct df_sample *first = a, *second = b;
    return strcmp(first->name, second->name);
}

static int sort_samples(struct df_dataset *dataset)
{
    if (dataset->count == 0)
        return df_error_set("%s has no images", dataset->annotations->path);
    qsort(dataset->samples, (size_t)dataset->count, sizeof *dataset->samples, compare_samples);
    for (int64_t i = 1; i < dataset->count; i++) {
        const struct df_sample *sample = &dataset->samples[i];
        if (strcmp(sample[-1].name, sample->name) == 0)
            return df_error_set("two images of %s have the same base name: %s and %s",
                                dataset->annotations->path, sample[-1].image_path, sample->image_path);
    }
    return 0;
}

/* Images that lie beside those that are listed. */
static int report_unlisted(const struct df_dataset *dataset)
{
    const char *folder = dataset->annotations->folder;
    struct df_name_list unlisted = {.most = NAMED_AT_MOST};
    struct df_folder_files files;
    size_t pictures = 0;

    if (df_folder_files_read(&files, folder, df_image_endings()) != 0) {
        df_folder_files_free(&files);
        return -1;
    }
    for (size_t i = 0; i < files.count; i++) {
        const struct df_sample wanted = {.name = files.items[i].stem};
        if (files.items[i].kind != DF_FILE_READ)
            continue;
        pictures++;
        if (!bsearch(&wanted, dataset->samples, (size_t)dataset->count, sizeof wanted, compare_samples))
            df_name_list_add(&unlisted, "%s", files.items[i].name);
    }
    df_folder_files_free(&files);
    if (unlisted.count > 0)
        df_log("warning: %zu of the %zu images in %s are not in %s and not used: %s", unlisted.count,
               pictures, folder, dataset->annotations->path, unlisted.text);
    return 0;
}

int df_annotated_set_list(struct df_dataset *dataset)
{
    const struct df_annotations *annotations = dataset->annotations;

    for (size_t i = 0; i < annotations->images.count; i++) {
        if (!df_annotations_image(annotations, (int64_t)i)->is_elsewhere)
            DF_TRY(add_sample(dataset, (int64_t)i));
    }
    DF_TRY(sort_samples(dataset));
    return report_unlisted(dataset);
}

static int settle_by_file(struct df_annotations *annotations, const char *path)
{
    const char *names[DF_MAX_CLASSES];
    struct df_class_table table = {0};
    int status = -1;

    if (df_class_names_read(path, &table) == 0) {
        for (int i = 0; i < table.count; i++)
            names[i] = table.classes[i].name;
        status = df_annotations_settle(annotations, &(struct df_given_names){names, table.count, path});
    }
    df_class_table_free(&table);
    return status;
}

/* Names that are typed say which classes there are, and in which order; else those of a checkpoint that is
 * measured, if they have all labels. */
static int settle(struct df_annotations *annotations, const struct df_dataset_options *options)
{
    const struct df_known_classes *known = &options->known;
    const char *names[DF_MAX_CLASSES];

    if (options->class_names)
        return settle_by_file(annotations, options->class_names);
    if (options->usual_classes == 0 || known->count == 0 || known->count != options->usual_classes)
        return df_annotations_settle(annotations, NULL);
    for (int i = 0; i < known->count; i++)
        names[i] = known->names[i];
    const struct df_given_names given = {names, known->count, "the checkpoint"};
    return df_annotations_settle(annotations, df_annotations_are_named(annotations, &given) ? &given : NULL);
}

static void report(const struct df_annotations *annotations, const struct df_annotation_source *source)
{
    struct df_name_list names = {.most = CLASSES_NAMED};
    size_t elsewhere = 0;

    for (int i = 0; i < annotations->n_classes; i++)
        df_name_list_add(&names, "%s", annotations->class_names[i]);
    df_log("%s: annotations of %s, %zu objects in %zu images; %d classes: %s", source->path,
           df_annotation_format_name(source->format), annotations->annotations.count,
           annotations->images.count, annotations->n_classes, names.text);
    for (size_t i = 0; i < annotations->images.count; i++)
        elsewhere += df_annotations_image(annotations, (int64_t)i)->is_elsewhere;
    if (elsewhere > 0)
        df_log("%zu of its images are not in %s, so not of this split", elsewhere, annotations->folder);
    df_annotations_report(annotations);
}

static int read_source(struct df_dataset *dataset, const struct df_dataset_options *options,
                       struct df_annotation_source *source)
{
    struct df_annotations *annotations = df_annotations_new(source->path);

    dataset->annotations = annotations;
    if (!annotations)
        return -1;
    annotations->folder = df_text_copy(source->images);
    if (!annotations->folder || readers[source->format](annotations, source) != 0)
        return -1;
    DF_TRY(settle(annotations, options));
    report(annotations, source);
    return 0;
}

int df_annotated_set_open(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    struct df_annotation_source source;

    if (options->kind != DF_DATASET_FOLDER)
        return 0;
    int status = df_annotation_source_find(options, &source);
    if (status == 0 && source.format != DF_ANNOTATIONS_NONE)
        status = read_source(dataset, options, &source);
    df_annotation_source_free(&source);
    return status;
}

bool df_dataset_has_annotations(const char *root)
{
    char *data = df_data_root(root);
    const struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .root = data};
    struct df_annotation_source source = {0};
    const int status = data ? df_annotation_source_find(&options, &source) : 0;
    const bool found = status != 0 || source.format != DF_ANNOTATIONS_NONE;

    df_annotation_source_free(&source);
    free(data);
    return found;
}

int df_dataset_check_classes(const struct df_dataset *dataset, char *const *others, int n_others,
                             const char *others_path)
{
    if (!dataset->annotations)
        return 0;
    for (int i = 0; i < dataset->n_classes && i < n_others; i++) {
        if (strcmp(dataset->class_names[i], others[i]) != 0)
            return df_error_set(
                "class %d of %s is '%s', that of %s is '%s' (--class_names says the order of both)", i,
                dataset->annotations->path, dataset->class_names[i], others_path, others[i]);
    }
    if (dataset->n_classes == n_others)
        return 0;
    return df_error_set("%s has %d classes, %s %s %d", dataset->annotations->path, dataset->n_classes,
                        others_path, n_others == 1 ? "has" : "have", n_others);
}

/* Of files that do not say how large their images are. */
static int draw_like_image(const struct df_dataset *dataset, const struct df_sample *sample,
                           struct df_image *mask)
{
    struct df_image image;

    DF_TRY(df_image_read(sample->image_path, &dataset->reading, &image));
    const int64_t size[2] = {image.width, image.height};
    df_image_free(&image);
    return df_annotations_draw(dataset->annotations, sample->annotation, size, mask);
}

int df_annotated_set_mask(const struct df_dataset *dataset, const struct df_sample *sample,
                          const struct df_image *image, struct df_image *mask)
{
    const struct df_annotated_image *annotated =
        df_annotations_image(dataset->annotations, sample->annotation);

    if (!image && annotated->width == 0)
        return draw_like_image(dataset, sample, mask);
    const int64_t size[2] = {image ? image->width : 0, image ? image->height : 0};
    return df_annotations_draw(dataset->annotations, sample->annotation, size, mask);
}
