/* The segmentations of COCO's objects. */
#include "coco.h"

#include "../shapes/rle.h"

#include "dinoft/error.h"

#include <cjson/cJSON.h>
#include <string.h>

#define CORNERS_LEAST 3

/* Where an object's shapes go. */
struct target {
    struct df_annotations *annotations;
    int64_t image;
    int label;
    int64_t id; /* for people */
};

static int add_polygon(const struct target *target, const cJSON *polygon)
{
    const size_t count = (size_t)cJSON_GetArraySize(polygon);
    double *numbers = df_annotations_numbers(target->annotations, count);
    const cJSON *item;
    size_t read = 0;

    if (!numbers)
        return -1;
    cJSON_ArrayForEach(item, polygon)
    {
        if (!cJSON_IsNumber(item))
            return df_error_set("a coordinate is no number");
        numbers[read++] = item->valuedouble;
    }
    if (count / 2 > DF_POLYGON_POINTS_MAX)
        return df_error_set("a polygon of %zu points, at most %d are drawn", count / 2,
                            DF_POLYGON_POINTS_MAX);
    if (count % 2 != 0)
        return df_error_set("a polygon has %zu numbers, which are no pairs", count);
    DF_TRY(df_annotations_check_numbers(numbers, count));
    if (count / 2 < CORNERS_LEAST) {
        df_annotations_leave_out(target->annotations, "id %lld (a polygon of %zu points)",
                                 (long long)target->id, count / 2);
        return 0;
    }
    return df_annotations_add_shape(target->annotations, target->image, DF_SHAPE_COCO_POLYGON, target->label,
                                    count, 0);
}

static int add_polygons(const struct target *target, const cJSON *list)
{
    const cJSON *polygon;

    cJSON_ArrayForEach(polygon, list)
    {
        if (!cJSON_IsArray(polygon))
            return df_error_set("'segmentation' holds what is no list of numbers");
        DF_TRY(add_polygon(target, polygon));
    }
    return 0;
}

/* How many; -1 with the error set. */
static int64_t read_counts(struct df_annotations *annotations, const cJSON *counts)
{
    const size_t most =
        cJSON_IsString(counts) ? strlen(counts->valuestring) : (size_t)cJSON_GetArraySize(counts);
    uint32_t *runs = df_annotations_runs(annotations, most);
    const cJSON *item;
    int64_t read = 0;

    if (!runs)
        return -1;
    if (cJSON_IsString(counts))
        return df_rle_read(counts->valuestring, runs);
    cJSON_ArrayForEach(item, counts)
    {
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > UINT32_MAX ||
            (double)(uint32_t)item->valuedouble != item->valuedouble)
            return df_error_set("a run is no whole number of pixels");
        runs[read++] = (uint32_t)item->valuedouble;
    }
    return read;
}

static int check_size(const struct df_annotated_image *image, const cJSON *size)
{
    const cJSON *height = cJSON_GetArrayItem(size, 0), *width = cJSON_GetArrayItem(size, 1);

    if (cJSON_GetArraySize(size) != 2 || !cJSON_IsNumber(height) || !cJSON_IsNumber(width))
        return df_error_set("runs without a 'size' of [height, width]");
    if (height->valuedouble == (double)image->height && width->valuedouble == (double)image->width)
        return 0;
    return df_error_set("runs for %.0f x %.0f pixels, the image %s has %lld x %lld", width->valuedouble,
                        height->valuedouble, image->name, (long long)image->width, (long long)image->height);
}

static int add_runs(const struct target *target, const cJSON *object)
{
    const struct df_annotated_image *image = df_annotations_image(target->annotations, target->image);
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(object, "counts");

    if (!cJSON_IsString(counts) && !cJSON_IsArray(counts))
        return df_error_set("'segmentation' has no 'counts'");
    DF_TRY(check_size(image, cJSON_GetObjectItemCaseSensitive(object, "size")));
    const int64_t read = read_counts(target->annotations, counts);
    if (read < 0)
        return -1;
    const uint32_t *runs = df_annotations_runs(target->annotations, 0);
    if (!runs || !df_rle_covers(runs, (size_t)read, image->width * image->height))
        return df_error_set("the runs do not cover %lld x %lld pixels", (long long)image->width,
                            (long long)image->height);
    return df_annotations_add_shape(target->annotations, target->image, DF_SHAPE_COLUMN_RUNS, target->label,
                                    0, (size_t)read);
}

int df_coco_add_object(struct df_coco *coco, const cJSON *object)
{
    const cJSON *segmentation = cJSON_GetObjectItemCaseSensitive(object, "segmentation");
    struct target target = {.annotations = coco->annotations};

    DF_TRY(df_coco_integer(object, "id", &target.id));
    target.image = df_coco_refer(&coco->images, object, "image_id");
    if (target.image < 0)
        return -1;
    target.label = (int)df_coco_refer(&coco->categories, object, "category_id");
    if (target.label < 0)
        return -1;
    if (df_coco_is_crowd(object)) {
        coco->annotations->crowds++;
        return 0;
    }
    coco->objects++;
    if (cJSON_IsObject(segmentation))
        return add_runs(&target, segmentation);
    if (cJSON_IsArray(segmentation) && cJSON_GetArraySize(segmentation) > 0)
        return add_polygons(&target, segmentation);
    if (segmentation && !cJSON_IsArray(segmentation) && !cJSON_IsNull(segmentation))
        return df_error_set("'segmentation' is neither a list of polygons nor runs");
    df_annotations_leave_out(coco->annotations, "id %lld (no segmentation)", (long long)target.id);
    return 0;
}
