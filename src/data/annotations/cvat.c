/* CVAT's XML for images: <annotations> with the labels in <meta>, and an <image> of shapes for each image. */
#include "cvat.h"

#include "xml_read.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 255

struct reading {
    struct df_annotations *annotations;
    int depth;
    int label_depth, name_depth; /* of the <label> and its <name> that are open; 0: none */
    char name[NAME_BYTES_MAX + 1];
    size_t name_bytes;
    int64_t image;   /* the open one; -1: none */
    bool has_labels; /* a list of them */
};

/* The name within its subset ("Train"), whose folder is called so in small letters. The caller frees. */
static char *name_of_image(const char *name, const char **attributes)
{
    const char *subset = df_cvat_attribute(attributes, "subset");
    char *path = subset ? df_text_format("%s/%s", subset, name) : df_text_copy(name);

    for (size_t i = 0; path && subset && subset[i]; i++)
        path[i] = (char)tolower((unsigned char)path[i]);
    return path;
}

static int open_image(struct reading *reading, const char **attributes)
{
    const char *name = df_cvat_attribute(attributes, "name");
    double width, height;

    if (!name)
        return df_error_set("an <image> without a name");
    DF_TRY(df_cvat_number(attributes, "width", &width));
    DF_TRY(df_cvat_number(attributes, "height", &height));
    if (!(width >= 1 && width <= DF_IMAGE_MAX_SIDE && height >= 1 && height <= DF_IMAGE_MAX_SIDE))
        return df_error_set("the image %s has %g x %g pixels", name, width, height);
    char *path = name_of_image(name, attributes);
    reading->image =
        path ? df_annotations_add_image(reading->annotations, path, (int64_t)width, (int64_t)height) : -1;
    free(path);
    return reading->image < 0 ? -1 : 0;
}

static int add_shape(struct reading *reading, const char *element, const char **attributes)
{
    const size_t listed = reading->annotations->labels.count;
    const int added = df_cvat_add_shape(reading->annotations, reading->image, element, attributes);

    if (added > 0 && reading->has_labels && reading->annotations->labels.count > listed)
        return df_error_set("the label '%s' is none of those in <meta>",
                            df_cvat_attribute(attributes, "label"));
    if (added == 0)
        df_annotations_leave_out(reading->annotations, "<%s> of %s", element,
                                 df_annotations_image(reading->annotations, reading->image)->name);
    return added < 0 ? -1 : 0;
}

/* What an element within another begins. */
static int begin_inner(struct reading *reading, const char *element, const char **attributes)
{
    if (strcmp(element, "image") == 0 && reading->depth == 2)
        return open_image(reading, attributes);
    if (strcmp(element, "track") == 0 && reading->depth == 2)
        return df_error_set("a <track>: this is CVAT's format for video; export it for images");
    if (reading->image >= 0 && reading->depth == 3)
        return add_shape(reading, element, attributes);
    if (strcmp(element, "label") == 0 && reading->image < 0 && reading->label_depth == 0) {
        reading->label_depth = reading->depth;
    } else if (strcmp(element, "name") == 0 && reading->label_depth > 0 &&
               reading->depth == reading->label_depth + 1) {
        reading->name_depth = reading->depth;
        reading->name_bytes = 0;
    }
    return 0;
}

static int begin(void *context, const char *element, const char **attributes)
{
    struct reading *reading = context;

    if (++reading->depth > 1)
        return begin_inner(reading, element, attributes);
    if (strcmp(element, "annotations") != 0)
        return df_error_set("<%.40s>, <annotations> is expected: it is no XML of CVAT's", element);
    return 0;
}

static int end_name(struct reading *reading)
{
    reading->name[reading->name_bytes] = '\0';
    reading->has_labels = true;
    return df_annotations_label(reading->annotations, reading->name, reading->annotations->path) < 0 ? -1 : 0;
}

static int end(void *context, const char *element)
{
    struct reading *reading = context;
    const int depth = reading->depth--;

    if (depth == reading->name_depth) {
        reading->name_depth = 0;
        return end_name(reading);
    }
    if (depth == reading->label_depth)
        reading->label_depth = 0;
    else if (depth == 2 && strcmp(element, "image") == 0)
        reading->image = -1;
    return 0;
}

static int text(void *context, const char *characters, size_t length)
{
    struct reading *reading = context;

    if (reading->name_depth == 0 || reading->depth != reading->name_depth)
        return 0;
    if (length > NAME_BYTES_MAX - reading->name_bytes)
        return df_error_set("a label of more than %d bytes", NAME_BYTES_MAX);
    memcpy(reading->name + reading->name_bytes, characters, length);
    reading->name_bytes += length;
    return 0;
}

static int read_bytes(struct df_annotations *annotations, const struct df_file_bytes *file)
{
    struct reading reading = {.annotations = annotations, .image = -1};
    const struct df_xml_handler handler = {&reading, begin, end, text};

    if (file->size > DF_ANNOTATION_FILE_MAX)
        return df_error_set("%zu bytes, at most %zu are read of an annotation file", file->size,
                            DF_ANNOTATION_FILE_MAX);
    return df_xml_read((char *)file->bytes, file->size, &handler);
}

struct search {
    struct df_annotations *annotations;
    const struct df_annotation_source *source;
};

/* The file may be of all splits: images of the folder are the data set's. */
static int find_picture(void *context, const char *name, const char *stem_path)
{
    struct search *search = context;
    char *path = df_text_format("%s/%s", search->source->images, name);
    const int64_t image = path ? df_annotations_find(search->annotations, path) : -1;

    (void)stem_path;
    free(path);
    if (image < 0)
        return -1;
    df_annotations_image(search->annotations, image)->is_elsewhere = false;
    return 0;
}

static int keep_pictures(struct df_annotations *annotations, const struct df_annotation_source *source)
{
    struct search search = {annotations, source};

    for (size_t i = 0; i < annotations->images.count; i++)
        df_annotations_image(annotations, (int64_t)i)->is_elsewhere = true;
    DF_TRY(df_annotations_index(annotations));
    return df_each_picture(source, find_picture, &search);
}

int df_cvat_read(struct df_annotations *annotations, const struct df_annotation_source *source)
{
    struct df_file_bytes file;

    DF_TRY(df_file_bytes_read(source->path, &file));
    const int status = read_bytes(annotations, &file);
    df_file_bytes_free(&file);
    if (status != 0)
        return df_error_context("%s", source->path);
    return source->images ? keep_pictures(annotations, source) : 0;
}
