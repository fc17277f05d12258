#include "dinoft/best_worst.h"

#include "comparison_picture.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JPEG_QUALITY 85
#define CAPACITY     (2 * DF_BEST_WORST_KEPT)

void df_best_worst_init(struct df_best_worst *best_worst, const struct df_overlay_style *style)
{
    memset(best_worst, 0, sizeof *best_worst);
    best_worst->style = *style;
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

static int make_picture(struct df_ranked_image *item, const struct df_overlay_style *style,
                        const struct df_comparison_row *comparison)
{
    struct df_image strip;
    struct df_legend legend = {.palette = &style->palette};

    DF_TRY(df_comparison_strip(comparison, style, &strip));
    item->jpeg = df_jpeg_encode(&strip, JPEG_QUALITY, &item->jpeg_size);
    item->width = strip.width;
    item->height = strip.height;
    df_image_free(&strip);
    df_legend_add(&legend, comparison->label);
    df_legend_add(&legend, comparison->prediction);
    memcpy(item->shown, legend.shown, sizeof item->shown);
    return item->jpeg ? 0 : -1;
}

int df_best_worst_add(struct df_best_worst *best_worst, const char *name, double miou,
                      const struct df_image *image, const struct df_image *label,
                      const struct df_image *prediction)
{
    const struct df_comparison_row comparison = {.image = image, .label = label, .prediction = prediction};
    struct df_ranked_image item = {.miou = miou};

    if (!df_best_worst_wants(best_worst, name, miou))
        return 0;
    item.name = df_text_copy(name);
    if (!item.name || make_picture(&item, &best_worst->style, &comparison) != 0) {
        free_item(&item);
        return -1;
    }
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
