#include "run_pictures.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SIDE  224         /* pixels of a map */
#define MOST_BYTES (512 << 10) /* of all maps, while more than three validations are kept */
#define RUN_MOST   256
#define NAME_TEXT  64

/* --- maps --- */

/* classes [count] */
static int pack(const uint8_t *classes, size_t count, struct run_map *map)
{
    uint8_t *runs = malloc(2 * count);

    if (!runs)
        return df_error_memory("a picture", 2 * count);
    map->size = 0;
    for (size_t i = 0, length; i < count; i += length) {
        length = 1;
        while (length < RUN_MOST && i + length < count && classes[i + length] == classes[i])
            length++;
        runs[map->size++] = (uint8_t)(length - 1);
        runs[map->size++] = classes[i];
    }
    uint8_t *smaller = realloc(runs, map->size);
    map->runs = smaller ? smaller : runs;
    return 0;
}

/* Whether the bytes are a map of `count` pixels. */
static bool is_map(const uint8_t *runs, size_t size, size_t count, int n_classes)
{
    size_t pixels = 0;

    if (size % 2 != 0 || size > 2 * count)
        return false;
    for (size_t i = 0; i < size; i += 2) {
        pixels += (size_t)runs[i] + 1;
        if (runs[i + 1] >= n_classes)
            return false;
    }
    return pixels == count;
}

void run_map_unpack(const struct run_map *map, uint8_t *classes)
{
    for (size_t i = 0; i < map->size; i += 2) {
        memset(classes, map->runs[i + 1], (size_t)map->runs[i] + 1);
        classes += map->runs[i] + 1;
    }
}

static void free_item(struct run_pictures_item *item)
{
    for (int i = 0; i < DF_SAMPLES_SEEN; i++)
        free(item->maps[i].runs);
    memset(item, 0, sizeof *item);
}

/* --- validations --- */

void run_pictures_init(struct run_pictures *pictures, const struct df_dataset *set)
{
    *pictures = (struct run_pictures){.seen.set = set};
}

static void drop_items(struct run_pictures *pictures)
{
    for (int i = 0; i < pictures->n_items; i++)
        free_item(&pictures->items[i]);
    pictures->n_items = 0;
}

void run_pictures_free(struct run_pictures *pictures)
{
    drop_items(pictures);
    sample_images_free(&pictures->seen);
}

/* Those that are seen are the images of the maps: the same ones at each validation, unless the set has
 * changed between two processes. Maps are as large as the predictions, but no larger than there is room. */
static void take_samples(struct run_pictures *pictures)
{
    const struct sample_images *seen = &pictures->seen;
    const struct df_image *map = &seen->items[0].prediction;
    int64_t width, height;

    df_size_within(map, MOST_SIDE, &width, &height);
    bool same = pictures->n_samples == seen->count && pictures->width == width && pictures->height == height;
    for (int i = 0; i < seen->count && same; i++)
        same = pictures->samples[i] == seen->items[i].sample;
    if (same)
        return;
    if (pictures->n_items > 0)
        df_log("warning: earlier validations had other images, or other sizes: the page shows those from now "
               "on");
    drop_items(pictures);
    pictures->width = width;
    pictures->height = height;
    pictures->n_samples = seen->count;
    for (int i = 0; i < seen->count; i++)
        pictures->samples[i] = seen->items[i].sample;
}

static int pack_prediction(const struct run_pictures *pictures, const struct df_image *prediction,
                           struct run_map *map)
{
    struct df_image small;

    DF_TRY(df_image_alloc(&small, pictures->width, pictures->height, 1));
    df_resize_nearest(prediction, small.pixels, small.width, small.height);
    const int status = pack(small.pixels, (size_t)(small.width * small.height), map);
    df_image_free(&small);
    return status;
}

static size_t bytes_of(const struct run_pictures *pictures)
{
    size_t bytes = 0;

    for (int i = 0; i < pictures->n_items; i++) {
        for (int s = 0; s < pictures->n_samples; s++)
            bytes += pictures->items[i].maps[s].size;
    }
    return bytes;
}

/* The one that leaves the smallest gap; neither the first nor the last, nor the best. */
static int least_needed(const struct run_pictures *pictures, int64_t best_epoch)
{
    int64_t smallest = INT64_MAX;
    int chosen = -1;

    for (int i = 1; i < pictures->n_items - 1; i++) {
        const int64_t gap = pictures->items[i + 1].epoch - pictures->items[i - 1].epoch;
        if (pictures->items[i].epoch != best_epoch && gap < smallest) {
            smallest = gap;
            chosen = i;
        }
    }
    return chosen;
}

static void remove_item(struct run_pictures *pictures, int index)
{
    free_item(&pictures->items[index]);
    pictures->n_items--;
    memmove(&pictures->items[index], &pictures->items[index + 1],
            (size_t)(pictures->n_items - index) * sizeof *pictures->items);
}

void run_pictures_go_back(struct run_pictures *pictures, int64_t epoch)
{
    while (pictures->n_items > 0 && pictures->items[pictures->n_items - 1].epoch > epoch)
        remove_item(pictures, pictures->n_items - 1);
}

int run_pictures_end(struct run_pictures *pictures, int64_t epoch, double miou, int64_t best_epoch)
{
    struct run_pictures_item item = {.epoch = epoch, .miou = miou};

    if (pictures->seen.count == 0)
        return 0;
    take_samples(pictures);
    run_pictures_go_back(pictures, epoch - 1);
    for (int i = 0; i < pictures->n_samples; i++) {
        if (pack_prediction(pictures, &pictures->seen.items[i].prediction, &item.maps[i]) != 0) {
            free_item(&item);
            return -1;
        }
    }
    pictures->items[pictures->n_items++] = item;
    while (pictures->n_items > RUN_PICTURES_KEPT || bytes_of(pictures) > MOST_BYTES) {
        const int index = least_needed(pictures, best_epoch);
        if (index < 0)
            break;
        remove_item(pictures, index);
    }
    return 0;
}

/* --- a run's state --- */

int run_pictures_store(const struct run_pictures *pictures, struct df_state *state)
{
    const int64_t size[2] = {pictures->height, pictures->width}, two = 2, samples = pictures->n_samples,
                  items = pictures->n_items;
    int64_t epochs[RUN_PICTURES_KEPT];
    double miou[RUN_PICTURES_KEPT];
    char name[NAME_TEXT];

    for (int i = 0; i < pictures->n_items; i++) {
        epochs[i] = pictures->items[i].epoch;
        miou[i] = pictures->items[i].miou;
        for (int s = 0; s < pictures->n_samples; s++) {
            const struct run_map *map = &pictures->items[i].maps[s];
            const int64_t bytes = (int64_t)map->size;
            snprintf(name, sizeof name, "page.map.%d.%d", i, s);
            if (!df_state_copy(state, name, DF_U8, 1, &bytes, map->runs))
                return -1;
        }
    }
    return df_state_copy(state, "page.size", DF_I64, 1, &two, size) &&
                   df_state_copy(state, "page.samples", DF_I64, 1, &samples, pictures->samples) &&
                   df_state_copy(state, "page.epochs", DF_I64, 1, &items, epochs) &&
                   df_state_copy(state, "page.miou", DF_F64, 1, &items, miou)
               ? 0
               : -1;
}

/* Copies `count` elements; false where there are not as many of that type. */
static bool take_list(const struct df_state *state, const char *name, enum df_dtype type, size_t count,
                      void *list)
{
    const struct df_entry *entry = df_state_find(state, name);

    if (!entry || entry->text || entry->tensor.dtype != type || entry->tensor.count != count)
        return false;
    if (count > 0)
        memcpy(list, entry->tensor.data, count * 8);
    return true;
}

/* Elements of a list; 0 where it is not there or too long. */
static int length_of(const struct df_state *state, const char *name, int most)
{
    const struct df_entry *entry = df_state_find(state, name);
    return entry && entry->tensor.count <= (size_t)most ? (int)entry->tensor.count : 0;
}

static bool take_numbers(struct run_pictures *pictures, const struct df_state *state, int items)
{
    int64_t size[2], epochs[RUN_PICTURES_KEPT];
    double miou[RUN_PICTURES_KEPT];

    pictures->n_samples = length_of(state, "page.samples", DF_SAMPLES_SEEN);
    if (pictures->n_samples == 0 || !take_list(state, "page.size", DF_I64, 2, size) || size[0] < 1 ||
        size[0] > MOST_SIDE || size[1] < 1 || size[1] > MOST_SIDE ||
        !take_list(state, "page.samples", DF_I64, (size_t)pictures->n_samples, pictures->samples) ||
        !take_list(state, "page.epochs", DF_I64, (size_t)items, epochs) ||
        !take_list(state, "page.miou", DF_F64, (size_t)items, miou))
        return false;
    pictures->height = size[0];
    pictures->width = size[1];
    for (int i = 0; i < items; i++) {
        if (epochs[i] <= (i > 0 ? epochs[i - 1] : 0))
            return false;
        pictures->items[i].epoch = epochs[i];
        pictures->items[i].miou = miou[i];
    }
    return true;
}

/* *valid: whether the bytes are a map. -1: out of memory. */
static int take_map(struct run_pictures *pictures, const struct df_state *state, int item, int sample,
                    bool *valid)
{
    struct run_map *map = &pictures->items[item].maps[sample];
    char name[NAME_TEXT];

    snprintf(name, sizeof name, "page.map.%d.%d", item, sample);
    const struct df_entry *entry = df_state_find(state, name);
    *valid = entry && !entry->text && entry->tensor.dtype == DF_U8 && entry->tensor.ndim == 1 &&
             is_map(entry->tensor.data, entry->tensor.count, (size_t)(pictures->width * pictures->height),
                    pictures->seen.set->n_classes);
    if (!*valid)
        return 0;
    map->runs = malloc(entry->tensor.count);
    if (!map->runs)
        return df_error_memory("a picture", entry->tensor.count);
    map->size = entry->tensor.count;
    memcpy(map->runs, entry->tensor.data, map->size);
    return 0;
}

static int take_items(struct run_pictures *pictures, const struct df_state *state, int items, bool *valid)
{
    *valid = take_numbers(pictures, state, items);
    pictures->n_items = *valid ? items : 0;
    for (int i = 0; i < pictures->n_items && *valid; i++) {
        for (int s = 0; s < pictures->n_samples && *valid; s++)
            DF_TRY(take_map(pictures, state, i, s, valid));
    }
    return 0;
}

int run_pictures_restore(struct run_pictures *pictures, const struct df_state *state)
{
    const int items = length_of(state, "page.epochs", RUN_PICTURES_KEPT);
    bool valid;

    const struct df_entry *epochs = df_state_find(state, "page.epochs");

    if (!epochs || epochs->tensor.count == 0)
        return 0;
    const int status = take_items(pictures, state, items, &valid);
    if (status == 0 && valid)
        return 0;
    if (status == 0)
        df_log(
            "warning: the state's pictures of earlier validations make no sense: the page goes on without");
    drop_items(pictures);
    pictures->n_samples = 0;
    pictures->width = pictures->height = 0;
    return status;
}
