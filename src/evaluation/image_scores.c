#include "dinoft/image_scores.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/metrics.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All that one image's scores need of its confusion matrix. */
struct counts {
    int64_t labelled[DF_MAX_CLASSES], predicted[DF_MAX_CLASSES], hits[DF_MAX_CLASSES];
};

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

static void count_pixels(struct counts *counts, const int64_t *pairs, int n_classes)
{
    memset(counts, 0, sizeof *counts);
    for (int label = 0; label < n_classes; label++) {
        for (int guess = 0; guess < n_classes; guess++) {
            const int64_t pixels = pairs[(int64_t)label * n_classes + guess];
            counts->labelled[label] += pixels;
            counts->predicted[guess] += pixels;
            counts->hits[label] += label == guess ? pixels : 0;
        }
    }
}

static void score(struct df_image_scores *scores, const struct counts *counts, int n_classes)
{
    int64_t hits = 0, worst_pixels = 0;
    double sum = 0.0;
    int there = 0;

    for (int c = 0; c < n_classes; c++) {
        const int64_t together = counts->labelled[c] + counts->predicted[c] - counts->hits[c];
        if (together == 0)
            continue;
        const double iou = (double)counts->hits[c] / (double)together;
        if (there == 0 || iou < scores->worst_iou || (iou == scores->worst_iou && together > worst_pixels)) {
            scores->worst_class = c;
            scores->worst_iou = iou;
            worst_pixels = together;
        }
        sum += iou;
        there++;
        hits += counts->hits[c];
        scores->pixels += counts->labelled[c];
    }
    if (there > 0) {
        scores->miou = sum / there;
        scores->pixel_accuracy = (double)hits / (double)scores->pixels;
    }
}

static int make_room(struct df_image_scores_list *list)
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

int df_image_scores_add(struct df_image_scores_list *list, const char *name, const int64_t *pairs,
                        double loss)
{
    struct counts counts;
    struct df_image_scores scores = {
        .miou = NAN, .pixel_accuracy = NAN, .loss = loss, .worst_class = -1, .worst_iou = NAN};

    DF_TRY(make_room(list));
    scores.name = df_text_copy(name);
    if (!scores.name)
        return -1;
    count_pixels(&counts, pairs, list->n_classes);
    score(&scores, &counts, list->n_classes);
    scores.reference_iou = df_metrics_reference_iou(pairs, list->n_classes, list->void_is_background);
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
