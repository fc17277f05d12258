/* Formats with a file for each image. */
#include "readers.h"

#include "../folder_files.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3

/* The order of an image's name without its ending and a stem. */
static int compare_stem(const char *name, const char *stem)
{
    const char *dot = strrchr(name, '.');
    const size_t length = dot ? (size_t)(dot - name) : strlen(name);
    const int order = strncmp(name, stem, length);

    return order != 0 ? order : strlen(stem) > length ? -1 : 0;
}

static int use_file(const struct df_annotation_source *source, const struct df_folder_files *files, size_t i,
                    int (*use)(void *context, const char *name, const char *stem_path), void *context)
{
    const struct df_folder_file *file = &files->items[i];

    if (i > 0 && files->items[i - 1].kind == DF_FILE_READ &&
        strcmp(files->items[i - 1].stem, file->stem) == 0)
        return df_error_set("two images have the same base name: %s/%s and %s/%s", files->folder,
                            files->items[i - 1].name, files->folder, file->name);
    char *stem_path = df_text_format("%s/%s", source->path, file->stem);
    const int status = stem_path ? use(context, file->name, stem_path) : -1;
    free(stem_path);
    return status;
}

int df_report_lonely(const struct df_annotations *annotations, const struct df_annotation_source *source,
                     const char *ending)
{
    const struct df_endings endings = {&ending, 1};
    const struct df_annotated_image *images = annotations->images.items;
    struct df_name_list lonely = {.most = NAMED_AT_MOST};
    struct df_folder_files files;
    const int status = df_folder_files_read(&files, source->path, &endings);

    /* Both are in the order of their stems. */
    for (size_t i = 0, at = 0; i < files.count && status == 0; i++) {
        const struct df_folder_file *file = &files.items[i];
        while (at < annotations->images.count && compare_stem(images[at].name, file->stem) < 0)
            at++;
        const bool has_image =
            at < annotations->images.count && compare_stem(images[at].name, file->stem) == 0;
        if (file->kind == DF_FILE_READ && !has_image && strcmp(file->name, "classes.txt") != 0)
            df_name_list_add(&lonely, "%s", file->name);
    }
    df_folder_files_free(&files);
    if (lonely.count > 0)
        df_log("warning: %zu of the files in %s %s of no image in %s and not used: %s", lonely.count,
               source->path, lonely.count == 1 ? "is" : "are", source->images, lonely.text);
    return status;
}

int df_each_picture(const struct df_annotation_source *source,
                    int (*use)(void *context, const char *name, const char *stem_path), void *context)
{
    struct df_folder_files files;
    int status = df_folder_files_read(&files, source->images, df_image_endings());
    size_t used = 0;

    for (size_t i = 0; i < files.count && status == 0; i++) {
        if (files.items[i].kind != DF_FILE_READ)
            continue;
        status = use_file(source, &files, i, use, context);
        used++;
    }
    df_folder_files_free(&files);
    if (status == 0 && used == 0)
        return df_error_set("the folder %s has no images", source->images);
    return status;
}
