#include "labelme.h"

#include "../folder_files.h"
#include "../shapes/fill.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 28)
#define MANY     DF_POLYGON_POINTS_MAX

/* labelme's types, with how many points each has. */
static const struct shape_type {
    const char *name;
    size_t least, most;
    enum df_shape_kind kind;
} types[] = {
    {"polygon", 3, MANY, DF_SHAPE_PILLOW_POLYGON},
    {"rectangle", 2, 2, DF_SHAPE_PILLOW_RECTANGLE},
    {"oriented_rectangle", 4, 4, DF_SHAPE_PILLOW_POLYGON},
    {"circle", 2, 2, DF_SHAPE_PILLOW_CIRCLE},
    {"line", 2, 2, DF_SHAPE_PILLOW_LINES},
    {"linestrip", 1, MANY, DF_SHAPE_PILLOW_LINES},
    {"point", 1, 1, DF_SHAPE_PILLOW_POINT},
    {"mask", 2, 2, DF_SHAPE_ROW_RUNS},
};

/* A shape without a type is a polygon. NULL with the error set. */
static const struct shape_type *type_of(const cJSON *shape)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(shape, "shape_type");
    const char *name = cJSON_IsString(item) ? item->valuestring : types[0].name;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    df_error_set(
        "shape_type '%.40s' is none of polygon, rectangle, oriented_rectangle, circle, line, linestrip, "
        "point, mask",
        name);
    return NULL;
}

/* The numbers, uncounted; NULL with the error set. */
static const double *read_points(struct df_annotations *annotations, const cJSON *shape,
                                 const struct shape_type *type, size_t *count)
{
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(shape, "points"), *point;
    size_t at = 0;

    *count = (size_t)cJSON_GetArraySize(points);
    if (!cJSON_IsArray(points) || *count < type->least || *count > type->most) {
        df_error_set("a %s of %zu points, %zu%s expected", type->name, *count, type->least,
                     type->least == type->most ? " are" : " or more are");
        return NULL;
    }
    double *numbers = df_annotations_numbers(annotations, 2 * *count);
    if (!numbers)
        return NULL;
    cJSON_ArrayForEach(point, points)
    {
        const cJSON *x = cJSON_GetArrayItem(point, 0), *y = cJSON_GetArrayItem(point, 1);
        if (cJSON_GetArraySize(point) != 2 || !cJSON_IsNumber(x) || !cJSON_IsNumber(y)) {
            df_error_set("a point is no pair of numbers");
            return NULL;
        }
        numbers[at++] = x->valuedouble;
        numbers[at++] = y->valuedouble;
    }
    return df_annotations_check_numbers(numbers, 2 * *count) == 0 ? numbers : NULL;
}

static int add_shape(struct df_annotations *annotations, int64_t image, const char *path, const cJSON *shape)
{
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(shape, "label");
    const struct shape_type *type = type_of(shape);
    size_t count;

    if (!type)
        return -1;
    if (!cJSON_IsString(label))
        return df_error_set("'label' is missing");
    const int number = df_annotations_label(annotations, label->valuestring, path);
    const double *points = number < 0 ? NULL : read_points(annotations, shape, type, &count);
    if (!points)
        return -1;
    if (type->kind == DF_SHAPE_PILLOW_CIRCLE &&
        hypot(points[0] - points[2], points[1] - points[3]) > DF_ELLIPSE_RADIUS_MAX)
        return df_error_set("a circle with a radius of %.0f pixels, at most %d are drawn",
                            hypot(points[0] - points[2], points[1] - points[3]), DF_ELLIPSE_RADIUS_MAX);
    if (type->kind == DF_SHAPE_ROW_RUNS) {
        const cJSON *mask = cJSON_GetObjectItemCaseSensitive(shape, "mask");
        if (!cJSON_IsString(mask))
            return df_error_set("a mask without a picture");
        return df_labelme_add_mask(annotations, image, number, mask->valuestring, points);
    }
    return df_annotations_add_shape(annotations, image, type->kind, number, 2 * count, 0);
}

static int add_shapes(struct df_annotations *annotations, int64_t image, const char *path, const cJSON *tree)
{
    const cJSON *shapes = cJSON_GetObjectItemCaseSensitive(tree, "shapes"), *shape;
    size_t count = 0;

    if (!cJSON_IsArray(shapes))
        return df_error_set("%s has no 'shapes': it is no file of labelme's", path);
    cJSON_ArrayForEach(shape, shapes)
    {
        if (add_shape(annotations, image, path, shape) != 0)
            return df_error_context("%s: shape %zu", path, count);
        count++;
    }
    return 0;
}

/* The image's size; 0 where the file does not say. */
static int read_size(const cJSON *tree, int64_t size[2])
{
    static const char *const names[] = {"imageWidth", "imageHeight"};

    for (int i = 0; i < 2; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, names[i]);
        size[i] = 0;
        if (!item || cJSON_IsNull(item))
            continue;
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1) || item->valuedouble > DF_IMAGE_MAX_SIDE)
            return df_error_set("'%s' is no number of pixels", names[i]);
        size[i] = (int64_t)item->valuedouble;
    }
    if (size[0] == 0 || size[1] == 0)
        size[0] = size[1] = 0;
    return 0;
}

/* Takes over the path. */
static int read_tree(struct df_annotations *annotations, const char *name, char *path, const cJSON *tree)
{
    int64_t size[2], image = -1;

    if (read_size(tree, size) == 0)
        image = df_annotations_add_image(annotations, name, size[0], size[1]);
    if (image < 0) {
        df_error_context("%s", path);
        free(path);
        return -1;
    }
    df_annotations_image(annotations, image)->file = path;
    return add_shapes(annotations, image, path, tree);
}

static int read_file(void *context, const char *name, const char *stem_path)
{
    struct df_annotations *annotations = context;
    char *path = df_text_format("%s.json", stem_path);
    cJSON *tree = path ? df_json_read(path, FILE_MAX) : NULL;

    if (!tree) {
        free(path);
        return path ? df_error_advise(" (the annotations of the image %s)", name) : -1;
    }
    const int status = read_tree(annotations, name, path, tree);
    cJSON_Delete(tree);
    return status;
}

static int take_labels(struct df_annotations *annotations, const char *path)
{
    cJSON *tree = df_json_read(path, FILE_MAX);
    const cJSON *shape;
    int status = tree ? 0 : -1;

    cJSON_ArrayForEach(shape, cJSON_GetObjectItemCaseSensitive(tree, "shapes"))
    {
        const cJSON *label = cJSON_GetObjectItemCaseSensitive(shape, "label");
        if (status == 0 && cJSON_IsString(label) &&
            df_annotations_label(annotations, label->valuestring, path) < 0)
            status = df_error_context("%s", path);
    }
    cJSON_Delete(tree);
    return status;
}

/* Of the other split: both have the same classes. */
static int take_other_labels(struct df_annotations *annotations, const char *folder)
{
    const struct df_endings endings = {(const char *const[]){".json"}, 1};
    struct df_folder_files files;
    int status = df_folder_files_read(&files, folder, &endings);

    for (size_t i = 0; i < files.count && status == 0; i++) {
        if (files.items[i].kind != DF_FILE_READ)
            continue;
        char *path = df_text_format("%s/%s", folder, files.items[i].name);
        status = path ? take_labels(annotations, path) : -1;
        free(path);
    }
    df_folder_files_free(&files);
    return status;
}

int df_labelme_read(struct df_annotations *annotations, const struct df_annotation_source *source)
{
    annotations->sorts_labels = true;
    DF_TRY(df_each_picture(source, read_file, annotations));
    DF_TRY(df_report_lonely(annotations, source, ".json"));
    return source->other ? take_other_labels(annotations, source->other) : 0;
}
