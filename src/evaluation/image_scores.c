#include "dinoft/image_scores.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/metrics.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void df_image_scores_init(struct df_image_scores_list *list, int n_classes, bool void_is_background)
{
    assert(n_classes >= 1 && n_classes <= DF_MAX_CLASSES);
    *list = (struct df_image_scores_list){.n_classes = n_classes, .void_is_background = void_is_background};
}

void df_image_scores_free(struct df_image_scores_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    memset(list, 0, sizeof *list);
}

static void score(struct df_image_scores *scores, const struct df_overlap *overlaps, int n_classes)
{
    int64_t correct = 0, worst_pixels = 0;
    double sum = 0.0;
    int present = 0;

    for (int c = 0; c < n_classes; c++) {
        const int64_t united = overlaps[c].labelled + overlaps[c].predicted - overlaps[c].both;
        if (united == 0)
            continue;
        const double iou = (double)overlaps[c].both / (double)united;
        if (present == 0 || iou < scores->worst_iou || (iou == scores->worst_iou && united > worst_pixels)) {
            scores->worst_class = c;
            scores->worst_iou = iou;
            worst_pixels = united;
        }
        sum += iou;
        present++;
        correct += overlaps[c].both;
        scores->pixels += overlaps[c].labelled;
    }
    if (present > 0) {
        scores->miou = sum / present;
        scores->pixel_accuracy = (double)correct / (double)scores->pixels;
    }
}

static int reserve_item(struct df_image_scores_list *list)
{
    if (list->count < list->capacity)
        return 0;
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 256;
    struct df_image_scores *items = realloc(list->items, capacity * sizeof *items);
    if (!items)
        return df_error_memory("the images' scores", (unsigned long long)capacity * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return 0;
}

int df_image_scores_add(struct df_image_scores_list *list, const char *name, const int64_t *confusion,
                        const int64_t *of_sigmoids, double loss)
{
    struct df_overlap overlaps[DF_MAX_CLASSES];
    struct df_image_scores scores = {
        .miou = NAN, .pixel_accuracy = NAN, .loss = loss, .worst_class = -1, .worst_iou = NAN};

    DF_TRY(reserve_item(list));
    scores.name = df_text_copy(name);
    if (!scores.name)
        return -1;
    df_metrics_overlaps(confusion, list->n_classes, overlaps);
    score(&scores, overlaps, list->n_classes);
    scores.reference_iou = df_metrics_reference_iou(confusion, list->n_classes, list->void_is_background);
    scores.reference_miou = df_metrics_reference_miou(of_sigmoids, list->n_classes, list->void_is_background);
    list->items[list->count++] = scores;
    return 0;
}

static int compare_scores(const void *a, const void *b)
{
    const struct df_image_scores *first = a, *second = b;
    if (isnan(first->miou) != isnan(second->miou))
        return isnan(first->miou) ? 1 : -1;
    if (!isnan(first->miou) && first->miou != second->miou)
        return first->miou < second->miou ? -1 : 1;
    return strcmp(first->name, second->name);
}

void df_image_scores_sort(struct df_image_scores_list *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, compare_scores);
}
