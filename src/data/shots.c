#include "dinoft/shots.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <stdlib.h>
#include <string.h>

static bool shows(const struct df_dataset *set, int64_t image, int class)
{
    return df_label_census_shows(set->census, image, class);
}

/* classes [n_classes] = their numbers, those that fewer images show first. */
static void sort_rarest_first(const int64_t *images_of, int n_classes, int *classes)
{
    for (int class = 0; class < n_classes; class ++) {
        int at = class;
        for (; at > 0 && images_of[classes[at - 1]] > images_of[class]; at--)
            classes[at] = classes[at - 1];
        classes[at] = class;
    }
}

/* A class's turn. */
static void choose_of(const struct df_dataset *set, int class, int64_t shots, const int64_t *order,
                      bool *chosen)
{
    int64_t found = 0;

    for (int64_t i = 0; i < set->count; i++)
        found += chosen[i] && shows(set, i, class);
    for (int64_t i = 0; i < set->count && found < shots; i++) {
        if (chosen[order[i]] || !shows(set, order[i], class))
            continue;
        chosen[order[i]] = true;
        found++;
    }
}

int df_shots_choose(const struct df_dataset *set, int64_t shots, uint64_t seed, bool *chosen,
                    int64_t *images_of)
{
    const size_t bytes = (size_t)set->count * sizeof(int64_t);
    int64_t *order = malloc(bytes);
    int classes[DF_MAX_CLASSES];
    struct df_rng rng;

    if (!order)
        return df_error_memory("the order of the samples", bytes);
    df_rng_seed(&rng, seed, df_hash_text("shots"));
    df_rng_permutation(&rng, order, set->count);
    memset(chosen, 0, (size_t)set->count * sizeof *chosen);
    for (int class = 0; class < set->n_classes; class ++) {
        images_of[class] = 0;
        for (int64_t i = 0; i < set->count; i++)
            images_of[class] += shows(set, i, class);
    }
    sort_rarest_first(images_of, set->n_classes, classes);
    for (int i = 0; i < set->n_classes; i++)
        choose_of(set, classes[i], shots, order, chosen);
    free(order);
    return 0;
}
