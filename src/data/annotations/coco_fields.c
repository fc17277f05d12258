/* Numbers and ids of COCO's JSON. */
#include "coco.h"

#include "dinoft/error.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#define LARGEST_INTEGER 9007199254740992.0 /* 2^53: beyond it doubles have gaps */

int df_coco_integer(const cJSON *object, const char *name, int64_t *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!item)
        return df_error_set("'%s' is missing", name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= -LARGEST_INTEGER) ||
        item->valuedouble > LARGEST_INTEGER || (double)(int64_t)item->valuedouble != item->valuedouble)
        return df_error_set("'%s' is no whole number", name);
    *value = (int64_t)item->valuedouble;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct df_coco_id *first = a, *second = b;
    return (first->id > second->id) - (first->id < second->id);
}

int df_coco_add_id(struct df_pool *ids, int64_t id, int64_t number)
{
    if (ids->count == ids->capacity) {
        const size_t capacity = 2 * ids->capacity + 16;
        void *larger = realloc(ids->items, capacity * sizeof(struct df_coco_id));
        if (!larger)
            return df_error_memory("the ids of a JSON file", capacity * sizeof(struct df_coco_id));
        ids->items = larger;
        ids->capacity = capacity;
    }
    ((struct df_coco_id *)ids->items)[ids->count++] = (struct df_coco_id){id, number};
    return 0;
}

int df_coco_sort_ids(struct df_pool *ids)
{
    const struct df_coco_id *items = ids->items;

    if (ids->count == 0)
        return 0;
    qsort(ids->items, ids->count, sizeof *items, compare_ids);
    for (size_t i = 1; i < ids->count; i++) {
        if (items[i].id == items[i - 1].id)
            return df_error_set("the id %lld is there twice", (long long)items[i].id);
    }
    return 0;
}

int64_t df_coco_refer(const struct df_pool *ids, const cJSON *object, const char *name)
{
    struct df_coco_id wanted = {0, 0};
    const struct df_coco_id *found = NULL;

    DF_TRY(df_coco_integer(object, name, &wanted.id));
    if (ids->count > 0)
        found = bsearch(&wanted, ids->items, ids->count, sizeof wanted, compare_ids);
    if (!found)
        return df_error_set("'%s' is %lld, and there is none of that id", name, (long long)wanted.id);
    return found->number;
}

bool df_coco_is_crowd(const cJSON *object)
{
    const cJSON *crowd = cJSON_GetObjectItemCaseSensitive(object, "iscrowd");
    return cJSON_IsTrue(crowd) || (cJSON_IsNumber(crowd) && crowd->valuedouble != 0);
}
