#include "find.h"

#include "../folder_files.h"
#include "../split_folders.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {[DF_ANNOTATIONS_NONE] = "none",
                                           [DF_ANNOTATIONS_COCO] = "COCO",
                                           [DF_ANNOTATIONS_LABELME] = "labelme",
                                           [DF_ANNOTATIONS_YOLO] = "YOLO",
                                           [DF_ANNOTATIONS_CVAT] = "CVAT"};

const char *df_annotation_format_name(enum df_annotation_format format)
{
    return format_names[format];
}

void df_annotation_source_free(struct df_annotation_source *source)
{
    free(source->path);
    free(source->images);
    free(source->other);
    free(source->names);
    *source = (struct df_annotation_source){0};
}

/* Takes over the path, and notes it as the source; a second one is an error. */
static int note(struct df_annotation_source *source, enum df_annotation_format format, char *path)
{
    if (!path)
        return -1;
    if (source->format == DF_ANNOTATIONS_NONE) {
        source->format = format;
        source->path = path;
        return 0;
    }
    df_error_set("there are two kinds of annotations: %s and %s", source->path, path);
    free(path);
    return df_error_advise(" (--annotations says which is meant)");
}

/* --- COCO --- */

/* "instances_train2017.json" begins with "instances_train". */
static bool is_named(const char *name, const char *start, const char *word)
{
    const size_t length = strlen(start);

    if (strncmp(name, start, length) != 0 || strncmp(name + length, word, strlen(word)) != 0)
        return false;
    const char next = name[length + strlen(word)];
    return next == '.' || next == '_' || next == '-' || (next >= '0' && next <= '9');
}

static bool is_coco(const char *name, enum df_split split)
{
    for (const char *const *word = df_split_words(split); *word; word++) {
        if (is_named(name, "instances_", *word) || is_named(name, "panoptic_", *word))
            return true;
    }
    return false;
}

/* ROOT/annotations/instances_train*.json, and panoptic_train*.json. */
static int find_coco(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    const struct df_endings endings = {(const char *const[]){".json"}, 1};
    char *folder = df_text_format("%s/annotations", options->root);
    struct df_folder_files files = {0};
    int status = folder ? 0 : -1;

    if (folder && df_is_folder(folder))
        status = df_folder_files_read(&files, folder, &endings);
    for (size_t i = 0; i < files.count && status == 0; i++) {
        const struct df_folder_file *file = &files.items[i];
        if (file->kind == DF_FILE_READ && is_coco(file->name, options->split))
            status = note(source, DF_ANNOTATIONS_COCO, df_text_format("%s/%s", folder, file->name));
    }
    df_folder_files_free(&files);
    free(folder);
    return status;
}

/* ROOT/train/_annotations.coco.json, as Roboflow exports it. */
static int find_roboflow(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    for (const char *const *word = df_split_words(options->split); *word; word++) {
        char *path = df_split_path("{root}/{split}/_annotations.coco.json", options->root, *word);
        if (!path)
            return -1;
        if (df_is_file(path))
            DF_TRY(note(source, DF_ANNOTATIONS_COCO, path));
        else
            free(path);
    }
    return 0;
}

/* --- a file for each image --- */

/* Notes each of the folders that has files of an ending. */
static int note_folders(const struct df_dataset_options *options, const char *const *patterns,
                        const char *ending, enum df_annotation_format format,
                        struct df_annotation_source *source)
{
    for (size_t i = 0; patterns[i]; i++) {
        char *path = NULL;
        DF_TRY(df_split_folder((const char *const[]){patterns[i], NULL}, options->root, options->split, NULL,
                               &path));
        const int has = path ? df_folder_has(path, ending) : 0;
        if (has == 1) {
            DF_TRY(note(source, format, path));
            continue;
        }
        free(path);
        DF_TRY(has);
    }
    return 0;
}

static int find_labelme(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    static const char *const folders[] = {"{root}/images/{split}", "{root}/labels/{split}",
                                          "{root}/annotations/{split}", "{root}/masks/{split}", NULL};

    return note_folders(options, folders, ".json", DF_ANNOTATIONS_LABELME, source);
}

static int find_yolo(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    static const char *const folders[] = {"{root}/labels/{split}", "{root}/{split}/labels", NULL};

    return note_folders(options, folders, ".txt", DF_ANNOTATIONS_YOLO, source);
}

static int find_cvat(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    char *path = df_text_format("%s/annotations.xml", options->root);

    if (path && df_is_file(path))
        return note(source, DF_ANNOTATIONS_CVAT, path);
    free(path);
    return path ? 0 : -1;
}

/* Whether there are masks: then annotations have to be asked for. 1, 0; -1 with the error set. */
static int has_masks(const struct df_dataset_options *options)
{
    static const char *const folders[] = {"{root}/masks/{split}", NULL};
    char *path = NULL;

    DF_TRY(df_split_folder(folders, options->root, options->split, NULL, &path));
    const int has_json = path ? df_folder_has(path, ".json") : 1;
    free(path);
    return has_json < 0 ? -1 : !has_json;
}

static int find_any(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    const int masks = has_masks(options);

    if (masks != 0)
        return masks < 0 ? -1 : 0;
    DF_TRY(find_coco(options, source));
    DF_TRY(find_roboflow(options, source));
    DF_TRY(find_labelme(options, source));
    DF_TRY(find_yolo(options, source));
    return find_cvat(options, source);
}

/* --- what is typed --- */

/* The format of a folder; -1 with the error set. */
static int format_of_folder(const char *path)
{
    const int json = df_folder_has(path, ".json"), text = json < 0 ? -1 : df_folder_has(path, ".txt");

    if (text < 0)
        return -1;
    if (json == text)
        return df_error_set("the folder %s has %s, so it is not known whose annotations these are", path,
                            json ? "files of .json and of .txt" : "no files of .json or .txt");
    return json ? DF_ANNOTATIONS_LABELME : DF_ANNOTATIONS_YOLO;
}

/* Takes over the path. */
static int take_path(struct df_annotation_source *source, char *path)
{
    const int format = df_is_folder(path)                 ? format_of_folder(path)
                       : df_text_ends_with(path, ".json") ? DF_ANNOTATIONS_COCO
                       : df_text_ends_with(path, ".xml")
                           ? DF_ANNOTATIONS_CVAT
                           : df_error_set("the annotations %s are no .json, .xml or folder", path);

    if (format < 0) {
        free(path);
        return -1;
    }
    return note(source, (enum df_annotation_format)format, path);
}

static int take_typed(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    for (const char *const *word = df_split_words(options->split); *word; word++) {
        char *path = df_split_path(options->annotations, options->root, *word);
        if (!path)
            return -1;
        if (df_is_file(path) || df_is_folder(path))
            return take_path(source, path);
        free(path);
    }
    return df_error_set("there are no annotations %s", options->annotations);
}

/* Whether what is typed is there, where it is not of both splits. */
static int has_typed(const struct df_dataset_options *options, bool *has)
{
    const bool names_split = strstr(options->annotations, "{split}") != NULL;

    for (const char *const *word = df_split_words(options->split); names_split && *word && !*has; word++) {
        char *path = df_split_path(options->annotations, options->root, *word);
        if (!path)
            return -1;
        *has = df_is_file(path) || df_is_folder(path);
        free(path);
    }
    return 0;
}

int df_annotation_source_has_split(const struct df_dataset_options *options, bool *has)
{
    struct df_annotation_source source = {0};

    *has = false;
    if (options->annotations)
        return has_typed(options, has);
    const int status = find_coco(options, &source);
    *has = source.format != DF_ANNOTATIONS_NONE;
    df_annotation_source_free(&source);
    return status;
}

/* --- what belongs to them --- */

/* "train2017" of "instances_train2017.json"; NULL when memory ran out. */
static char *split_of_name(const char *path)
{
    char *stem = df_path_stem(path);
    const char *line = stem ? strchr(stem, '_') : NULL;
    char *split = stem ? df_text_copy(line ? line + 1 : stem) : NULL;

    free(stem);
    return split;
}

static int find_images(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    char *name = split_of_name(source->path);
    int status = -1;

    if (name)
        status = df_split_folder(df_image_folders, options->root, options->split, name, &source->images);
    free(name);
    if (status != 0 || source->images)
        return status;
    const char *word = df_split_words(options->split)[0];
    return df_error_set("there are annotations in %s, and none of the folders images/%s, %s/images, %s in %s",
                        source->path, word, word, word, options->root);
}

/* data.yaml, or the one file of that ending; a list of Label Studio's. */
static int find_yolo_names(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    static const char *const patterns[] = {"{root}/data.yaml", "{root}/dataset.yaml", "{root}/data.yml",
                                           "{root}/classes.txt"};

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char *path = df_split_path(patterns[i], options->root, "");
        if (!path)
            return -1;
        if (df_is_file(path)) {
            source->names = path;
            return 0;
        }
        free(path);
    }
    return df_error_set("the classes of %s have no names: %s/data.yaml is not there", source->path,
                        options->root);
}

/* The labels of the other split are classes too. */
static int find_other_labels(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    struct df_dataset_options other_options = *options;
    struct df_annotation_source other = {0};

    other_options.split = options->split == DF_SPLIT_TRAIN ? DF_SPLIT_VAL : DF_SPLIT_TRAIN;
    int status = options->annotations ? 0 : find_labelme(&other_options, &other);
    if (options->annotations && strstr(options->annotations, "{split}") &&
        take_typed(&other_options, &other) != 0)
        df_annotation_source_free(&other); /* that split is not wanted here, and may not be there */
    source->other = other.path;
    other.path = NULL;
    df_annotation_source_free(&other);
    return status;
}

int df_annotation_source_find(const struct df_dataset_options *options, struct df_annotation_source *source)
{
    *source = (struct df_annotation_source){0};
    DF_TRY(options->annotations ? take_typed(options, source) : find_any(options, source));
    if (source->format == DF_ANNOTATIONS_NONE)
        return 0;
    DF_TRY(find_images(options, source));
    if (source->format == DF_ANNOTATIONS_YOLO)
        return find_yolo_names(options, source);
    return source->format == DF_ANNOTATIONS_LABELME ? find_other_labels(options, source) : 0;
}
