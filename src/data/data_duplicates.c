/* Images that are there several times. */
#include "dinoft/data_survey.h"

#include "dinoft/error.h"

#include <stdlib.h>

struct image {
    uint64_t pixels;
    int32_t width, height;
    struct df_pair_place place;
};

static int compare_places(const struct df_pair_place *a, const struct df_pair_place *b)
{
    if (a->set != b->set)
        return a->set - b->set;
    return (a->pair > b->pair) - (a->pair < b->pair);
}

static int compare_pixels(const struct image *a, const struct image *b)
{
    if (a->pixels != b->pixels)
        return a->pixels < b->pixels ? -1 : 1;
    return a->width != b->width ? a->width - b->width : a->height - b->height;
}

static int compare_images(const void *a, const void *b)
{
    const struct image *x = a, *y = b;
    const int order = compare_pixels(x, y);

    return order != 0 ? order : compare_places(&x->place, &y->place);
}

static int compare_groups(const void *a, const void *b)
{
    const struct df_duplicate_group *x = a, *y = b;
    return compare_places(x->places, y->places);
}

/* Those that can be read, equal ones behind each other. NULL when out of memory. */
static struct image *sort_images(const struct df_data_survey *survey, size_t *count)
{
    const size_t all = (size_t)df_data_survey_pairs(survey);
    struct image *images = malloc((all + 1) * sizeof *images);

    *count = 0;
    if (!images) {
        df_error_memory("a search for equal images", (all + 1) * sizeof *images);
        return NULL;
    }
    for (int s = 0; s < survey->n_sets; s++) {
        for (int64_t i = 0; i < survey->sets[s].set->count; i++) {
            const struct df_surveyed_pair *pair = &survey->sets[s].pairs[i];
            if (pair->width > 0)
                images[(*count)++] = (struct image){pair->pixels, pair->width, pair->height, {s, i}};
        }
    }
    qsort(images, *count, sizeof *images, compare_images);
    return images;
}

static void judge(const struct df_data_survey *survey, struct df_duplicate_group *group)
{
    const struct df_surveyed_pair *first = NULL;

    group->crosses = group->places[0].set != group->places[group->count - 1].set;
    for (size_t i = 0; i < group->count; i++) {
        const struct df_pair_place *place = &group->places[i];
        const struct df_surveyed_pair *pair = &survey->sets[place->set].pairs[place->pair];
        if (!pair->has_labels)
            continue;
        if (first && first->labels != pair->labels)
            group->masks_differ = true;
        first = pair;
    }
}

/* A group of each run of equal images. */
static void collect(const struct df_data_survey *survey, const struct image *images, size_t count,
                    struct df_duplicates *duplicates)
{
    size_t placed = 0;

    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && compare_pixels(&images[start], &images[end]) == 0; end++)
            ;
        if (end - start < 2)
            continue;
        struct df_duplicate_group *group = &duplicates->groups[duplicates->count++];
        *group = (struct df_duplicate_group){.places = duplicates->places + placed, .count = end - start};
        for (size_t i = start; i < end; i++)
            duplicates->places[placed++] = images[i].place;
        judge(survey, group);
    }
}

int df_duplicates_find(const struct df_data_survey *survey, struct df_duplicates *duplicates)
{
    size_t count;
    int status = -1;

    *duplicates = (struct df_duplicates){0};
    struct image *images = sort_images(survey, &count);
    if (!images)
        return -1;
    duplicates->places = malloc((count + 1) * sizeof *duplicates->places);
    duplicates->groups = malloc((count / 2 + 1) * sizeof *duplicates->groups);
    if (duplicates->places && duplicates->groups) {
        collect(survey, images, count, duplicates);
        qsort(duplicates->groups, duplicates->count, sizeof *duplicates->groups, compare_groups);
        status = 0;
    } else {
        df_error_memory("a search for equal images", 0);
    }
    free(images);
    return status;
}

void df_duplicates_free(struct df_duplicates *duplicates)
{
    free(duplicates->places);
    free(duplicates->groups);
    *duplicates = (struct df_duplicates){0};
}
