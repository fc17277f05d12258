/* Formats with a file for each image. */
#include "readers.h"

#include "../folder_files.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

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
