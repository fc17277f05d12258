/* What the parts of the reader of COCO's JSON share. */
#ifndef DINOFT_DATA_ANNOTATIONS_COCO_H
#define DINOFT_DATA_ANNOTATIONS_COCO_H

#include "readers.h"

/* An "id" of the file, and which image or label it is. */
struct df_coco_id {
    int64_t id, number;
};

struct df_coco {
    struct df_annotations *annotations;
    struct df_pool images, categories; /* struct df_coco_id; in the order of the ids */
    char *pictures;                    /* panoptic: the folder; NULL: instances */
    size_t objects;                    /* without the crowds */
};

/* A whole number of an object. -1 with the error set: there is none. */
int df_coco_integer(const struct cJSON *object, const char *name, int64_t *value);

/* Adds an id, in any order; then sorts all, once: -1 with the error set where one is there twice. */
int df_coco_add_id(struct df_pool *ids, int64_t id, int64_t number);
int df_coco_sort_ids(struct df_pool *ids);

/* The image, or the label, of an object's "image_id" or "category_id"; -1 with the error set. */
int64_t df_coco_refer(const struct df_pool *ids, const struct cJSON *object, const char *name);

bool df_coco_is_crowd(const struct cJSON *object);

/* An element of "annotations". */
int df_coco_add_object(struct df_coco *coco, const struct cJSON *object);
int df_coco_add_picture(struct df_coco *coco, const struct cJSON *object);

#endif
