#include "coco.h"

#include "json_slices.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (cJSON_IsString(item))
        return item->valuestring;
    df_error_set(item ? "'%s' is no text" : "'%s' is missing", name);
    return NULL;
}

static int add_image(struct df_coco *coco, const cJSON *object)
{
    const char *name = text_of(object, "file_name");
    int64_t id = 0, width = 0, height = 0;

    if (!name)
        return -1;
    DF_TRY(df_coco_integer(object, "id", &id));
    if (cJSON_GetObjectItemCaseSensitive(object, "width")) {
        DF_TRY(df_coco_integer(object, "width", &width));
        DF_TRY(df_coco_integer(object, "height", &height));
        DF_TRY(df_image_check_size(width, height));
    }
    const int64_t number = df_annotations_add_image(coco->annotations, name, width, height);
    return number < 0 ? -1 : df_coco_add_id(&coco->images, id, number);
}

/* Labels are numbered as categories come; df_coco_read() brings them into the order of the ids. */
static int add_category(struct df_coco *coco, const cJSON *object)
{
    const char *name = text_of(object, "name");
    const size_t before = coco->annotations->labels.count;
    int64_t id = 0;

    if (!name)
        return -1;
    DF_TRY(df_coco_integer(object, "id", &id));
    const int label = df_annotations_label(coco->annotations, name, coco->annotations->path);
    if (label < 0)
        return -1;
    if (coco->annotations->labels.count == before)
        return df_error_set("another category is called '%s' too", name);
    return df_coco_add_id(&coco->categories, id, label);
}

/* Brings the labels into the order of their categories' ids. */
static int sort_categories(struct df_coco *coco)
{
    struct df_pool *labels = &coco->annotations->labels;
    struct df_label *sorted = malloc((labels->count + 1) * sizeof *sorted);
    struct df_coco_id *ids = coco->categories.items;
    int status = sorted ? df_coco_sort_ids(&coco->categories)
                        : df_error_memory("class names", (labels->count + 1) * sizeof *sorted);

    for (size_t i = 0; status == 0 && i < labels->count; i++) {
        sorted[i] = ((struct df_label *)labels->items)[ids[i].number];
        ids[i].number = (int64_t)i;
    }
    if (status == 0 && labels->count > 0)
        memcpy(labels->items, sorted, labels->count * sizeof *sorted);
    free(sorted);
    return status;
}

/* The folder of a panoptic file's pictures. */
static int name_pictures(struct df_coco *coco)
{
    const char *path = coco->annotations->path;
    const size_t length = strlen(path);
    const int kept = df_text_ends_with(path, ".json") ? (int)length - 5 : (int)length;

    coco->pictures = df_text_format("%.*s", kept, path);
    coco->annotations->covers_all = true;
    return coco->pictures ? 0 : -1;
}

static int add_annotation(struct df_coco *coco, const cJSON *object)
{
    if (!coco->pictures && cJSON_GetObjectItemCaseSensitive(object, "segments_info"))
        DF_TRY(name_pictures(coco));
    return coco->pictures ? df_coco_add_picture(coco, object) : df_coco_add_object(coco, object);
}

static int each_element(struct df_coco *coco, struct df_slice list, const char *name,
                        int (*use)(struct df_coco *coco, const cJSON *object))
{
    const char *path = coco->annotations->path;
    struct df_slices slices;
    struct df_slice value;
    size_t count = 0;
    int status;

    if (!list.text)
        return df_error_set("%s has no '%s': it is no file of COCO's annotations", path, name);
    if (df_slices_open(&slices, list, '[') != 0)
        return df_error_context("%s: '%s'", path, name);
    while ((status = df_slices_next(&slices, NULL, &value)) == 1) {
        cJSON *object = df_slice_parse(value);
        const bool used = object && use(coco, object) == 0;
        cJSON_Delete(object);
        if (!used) {
            status = -1;
            break;
        }
        count++;
    }
    return status == 0 ? 0 : df_error_context("%s: element %zu of '%s'", path, count, name);
}

/* An image without a picture of segments would count for nothing, without a word. */
static int check_pictures(const struct df_annotations *annotations)
{
    for (size_t i = 0; i < annotations->images.count; i++) {
        const struct df_annotated_image *image = df_annotations_image(annotations, (int64_t)i);
        if (!image->segments)
            return df_error_set("%s has no annotation of the image %s", annotations->path, image->name);
    }
    return 0;
}

static int read_parts(struct df_coco *coco, struct df_slice text)
{
    const char *path = coco->annotations->path;
    struct df_slice images = {0}, categories = {0}, objects = {0}, key = {0}, value;
    struct df_slices slices;
    int status = df_slices_open(&slices, text, '{');

    while (status == 0 && (status = df_slices_next(&slices, &key, &value)) == 1) {
        struct df_slice *part = df_slice_is(key, "images")        ? &images
                                : df_slice_is(key, "categories")  ? &categories
                                : df_slice_is(key, "annotations") ? &objects
                                                                  : NULL;
        if (part)
            *part = value;
        status = 0;
    }
    if (status != 0)
        return df_error_context("%s", path);
    DF_TRY(each_element(coco, categories, "categories", add_category));
    if (sort_categories(coco) != 0)
        return df_error_context("%s: 'categories'", path);
    DF_TRY(each_element(coco, images, "images", add_image));
    if (df_coco_sort_ids(&coco->images) != 0)
        return df_error_context("%s: 'images'", path);
    DF_TRY(each_element(coco, objects, "annotations", add_annotation));
    if (coco->objects > 0 && coco->annotations->annotations.count == 0)
        return df_error_set("%s has %zu objects, and none with a segmentation", path, coco->objects);
    return coco->pictures ? check_pictures(coco->annotations) : 0;
}

int df_coco_read(struct df_annotations *annotations, const struct df_annotation_source *source)
{
    struct df_coco coco = {.annotations = annotations};
    struct df_file_bytes file;
    int status = -1;

    DF_TRY(df_file_bytes_read(source->path, &file));
    if (file.size > DF_ANNOTATION_FILE_MAX)
        df_error_set("%s has %zu bytes, at most %zu are read of an annotation file", source->path, file.size,
                     DF_ANNOTATION_FILE_MAX);
    else
        status = read_parts(&coco, (struct df_slice){(const char *)file.bytes, file.size});
    df_file_bytes_free(&file);
    free(coco.images.items);
    free(coco.categories.items);
    free(coco.pictures);
    return status;
}
