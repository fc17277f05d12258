#include "choose_shots.h"

#include "count_labels.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/shots.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAMED_AT_MOST 30 /* classes */

/* images: those that the set had. Classes that none shows are named where training and prototypes miss their
 * pixels. */
static void report(const struct df_config *config, const struct df_dataset *set, int64_t images,
                   const int64_t *images_of)
{
    struct df_name_list few = {.most = NAMED_AT_MOST};

    df_log("--shots %" PRId64 ", --seed %" PRId64 ": %" PRId64 " of the %" PRId64 " training images",
           config->shots, config->seed, set->count, images);
    for (int class = 0; class < set->n_classes; class ++) {
        if (images_of[class] > 0 && images_of[class] < config->shots)
            df_name_list_add(&few, "%s (%" PRId64 ")", set->class_names[class], images_of[class]);
    }
    if (few.count > 0)
        df_log("warning: %zu of the %d classes %s in fewer than %" PRId64
               " training images, which are all taken: %s",
               few.count, set->n_classes, few.count == 1 ? "is" : "are", config->shots, few.text);
}

int choose_shots(const struct df_config *config, struct df_dataset *train_set)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const int64_t images = train_set->count;
    int64_t images_of[DF_MAX_CLASSES];

    if (config->shots == 0)
        return 0;
    DF_TRY(count_labels(train_set, config->num_workers));
    if (*stop)
        return 0;
    bool *chosen = malloc((size_t)images * sizeof *chosen);
    if (!chosen)
        return df_error_memory("the choice of images", (size_t)images * sizeof *chosen);
    int status = df_shots_choose(train_set, config->shots, (uint64_t)config->seed, chosen, images_of);
    if (status == 0)
        status = df_dataset_keep(train_set, chosen);
    if (status == 0)
        report(config, train_set, images, images_of);
    free(chosen);
    return status;
}
