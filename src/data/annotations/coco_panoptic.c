/* COCO's panoptic annotations: for each image a picture of segments, and the segments' categories. */
#include "coco.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>

#define SEGMENT_MAX 0xffffff

/* A crowd's pixels count for nothing. */
static int add_segment(struct df_coco *coco, int64_t image, int ignored, const cJSON *segment)
{
    int64_t id;

    if (df_coco_integer(segment, "id", &id) != 0)
        return df_error_context("a segment");
    if (id < 1 || id > SEGMENT_MAX)
        return df_error_set("a segment has the id %lld; 1 to %d are expected", (long long)id, SEGMENT_MAX);
    const int64_t label = df_coco_refer(&coco->categories, segment, "category_id");
    if (label < 0)
        return df_error_context("segment %lld", (long long)id);
    const bool crowd = df_coco_is_crowd(segment);
    coco->annotations->crowds += crowd;
    return df_annotations_add_segment(coco->annotations, image, (uint32_t)id, crowd ? ignored : (int)label);
}

int df_coco_add_picture(struct df_coco *coco, const cJSON *object)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "file_name");
    const cJSON *segments = cJSON_GetObjectItemCaseSensitive(object, "segments_info"), *segment;
    const int64_t number = df_coco_refer(&coco->images, object, "image_id");

    if (number < 0)
        return -1;
    struct df_annotated_image *image = df_annotations_image(coco->annotations, number);
    if (!cJSON_IsString(name) || !cJSON_IsArray(segments))
        return df_error_set("'file_name' or 'segments_info' is missing");
    if (image->segments)
        return df_error_set("the image %s has a picture of segments already", image->name);
    if (image->width == 0)
        return df_error_set("the image %s has no width and height", image->name);
    image->segments = df_text_format("%s/%s", coco->pictures, name->valuestring);
    const int ignored = df_annotations_label(coco->annotations, DF_IGNORED_NAME, coco->annotations->path);
    if (!image->segments || ignored < 0)
        return -1;
    cJSON_ArrayForEach(segment, segments) DF_TRY(add_segment(coco, number, ignored, segment));
    return 0;
}
