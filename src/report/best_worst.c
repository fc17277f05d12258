#include "dinoft/best_worst.h"

#include "dinoft/error.h"
#include "dinoft/overlay.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_HEIGHT  320 /* of each of the three panels */
#define MOST_WIDTH   480
#define GAP          6 /* white pixels between them */
#define JPEG_QUALITY 90
#define CAPACITY     (2 * DF_BEST_WORST_KEPT)

void df_best_worst_init(struct df_best_worst *best_worst, const uint8_t palette[256][3])
{
    memset(best_worst, 0, sizeof *best_worst);
    memcpy(best_worst->palette, palette, sizeof best_worst->palette);
}

static void free_item(struct df_ranked_image *item)
{
    free(item->name);
    free(item->jpeg);
    memset(item, 0, sizeof *item);
}

void df_best_worst_free(struct df_best_worst *best_worst)
{
    for (int i = 0; i < best_worst->count; i++)
        free_item(&best_worst->items[i]);
    best_worst->count = 0;
}

/* How many items come before an image: its rank among them. */
static int rank_of(const struct df_best_worst *best_worst, const char *name, double miou)
{
    int rank = 0;
    while (rank < best_worst->count) {
        const struct df_ranked_image *item = &best_worst->items[rank];
        if (item->miou > miou || (item->miou == miou && strcmp(item->name, name) > 0))
            break;
        rank++;
    }
    return rank;
}

bool df_best_worst_wants(const struct df_best_worst *best_worst, const char *name, double miou)
{
    /* With one more than are kept, the one in the middle is neither among the best nor the worst. */
    return !isnan(miou) &&
           (best_worst->count < CAPACITY || rank_of(best_worst, name, miou) != DF_BEST_WORST_KEPT);
}

/* A panel's size: the image's, made smaller where it is larger than a panel may be. */
static void panel_size(const struct df_image *image, int64_t *width, int64_t *height)
{
    const double scale = fmin(
        1.0, fmin((double)MOST_HEIGHT / (double)image->height, (double)MOST_WIDTH / (double)image->width));
    *width = df_max_i64(1, lrint(scale * (double)image->width));
    *height = df_max_i64(1, lrint(scale * (double)image->height));
}

/* Shrinks the image into panel number `index` of the strip. */
static int place_panel(struct df_image *strip, int index, const struct df_image *image, int64_t width,
                       int64_t height)
{
    struct df_image panel;

    DF_TRY(df_shrink(image, width, height, &panel));
    for (int64_t y = 0; y < height; y++)
        memcpy(strip->pixels + 3 * (y * strip->width + index * (width + GAP)), panel.pixels + 3 * y * width,
               (size_t)(3 * width));
    df_image_free(&panel);
    return 0;
}

static int place_overlay(struct df_image *strip, int index, const struct df_image *image,
                         const struct df_image *classes, const uint8_t palette[256][3], int64_t width,
                         int64_t height)
{
    struct df_image overlay;

    DF_TRY(df_overlay(image, classes, palette, &overlay));
    const int status = place_panel(strip, index, &overlay, width, height);
    df_image_free(&overlay);
    return status;
}

static int make_picture(struct df_ranked_image *item, const struct df_best_worst *best_worst,
                        const struct df_image *image, const struct df_image *label,
                        const struct df_image *prediction)
{
    struct df_image strip;
    int64_t width, height;

    panel_size(image, &width, &height);
    DF_TRY(df_image_alloc(&strip, 3 * width + 2 * GAP, height, 3));
    memset(strip.pixels, 255, (size_t)(3 * strip.width * strip.height));
    int status = place_panel(&strip, 0, image, width, height);
    if (status == 0)
        status = place_overlay(&strip, 1, image, label, best_worst->palette, width, height);
    if (status == 0)
        status = place_overlay(&strip, 2, image, prediction, best_worst->palette, width, height);
    if (status == 0) {
        item->jpeg = df_jpeg_encode(&strip, JPEG_QUALITY, &item->jpeg_size);
        item->width = strip.width;
        item->height = strip.height;
        status = item->jpeg ? 0 : -1;
    }
    df_image_free(&strip);
    return status;
}

static void note_classes(struct df_ranked_image *item, const struct df_image *label,
                         const struct df_image *prediction)
{
    const int64_t count = label->width * label->height;
    for (int64_t i = 0; i < count; i++) {
        if (label->pixels[i] != DF_IGNORE_LABEL)
            item->classes[label->pixels[i]] = true;
        item->classes[prediction->pixels[i]] = true;
    }
}

int df_best_worst_add(struct df_best_worst *best_worst, const char *name, double miou,
                      const struct df_image *image, const struct df_image *label,
                      const struct df_image *prediction)
{
    struct df_ranked_image item = {.miou = miou};

    if (!df_best_worst_wants(best_worst, name, miou))
        return 0;
    item.name = df_text_copy(name);
    if (!item.name || make_picture(&item, best_worst, image, label, prediction) != 0) {
        free_item(&item);
        return -1;
    }
    note_classes(&item, label, prediction);
    const int rank = rank_of(best_worst, name, miou);
    memmove(&best_worst->items[rank + 1], &best_worst->items[rank],
            (size_t)(best_worst->count - rank) * sizeof item);
    best_worst->items[rank] = item;
    if (++best_worst->count > CAPACITY) {
        free_item(&best_worst->items[DF_BEST_WORST_KEPT]);
        best_worst->count--;
        memmove(&best_worst->items[DF_BEST_WORST_KEPT], &best_worst->items[DF_BEST_WORST_KEPT + 1],
                DF_BEST_WORST_KEPT * sizeof item);
    }
    return 0;
}
