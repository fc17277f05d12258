#include "eval_prototypes.h"

#include "choose_shots.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"

#include <inttypes.h>

#define NAMED_AT_MOST 30 /* classes */

int eval_prototypes_open(const struct df_config *config, struct df_measure *measure,
                         struct df_dataset **train_set)
{
    const struct df_dataset *val_set = measure->dataset;

    if (!config->prototypes)
        return 0;
    *train_set = df_setup_dataset(config, DF_SPLIT_TRAIN, measure->setup.checkpoint);
    if (!*train_set)
        return -1;
    const struct df_dataset *const sets[] = {*train_set, val_set};
    DF_TRY(df_dataset_check_classes(val_set, (*train_set)->class_names, (*train_set)->n_classes,
                                    "the training images"));
    DF_TRY(df_labels_look(sets, 2));
    DF_TRY(choose_shots(config, *train_set));
    measure->prototypes = (struct df_prototype_source){*train_set, config->shots, config->seed};
    return 0;
}

static void report(const struct df_measure *measure, const bool *known)
{
    const struct df_dataset *set = measure->prototypes.set;
    struct df_name_list unknown = {.most = NAMED_AT_MOST};

    for (int class = 0; class < set->n_classes; class ++) {
        if (!known[class])
            df_name_list_add(&unknown, "%s", measure->class_names[class]);
    }
    df_log("prototypes of %zu classes from %" PRId64 " training images",
           (size_t)set->n_classes - unknown.count, set->count);
    if (unknown.count > 0)
        df_log("warning: %zu of the %d classes %s no pixel in these images and %s never predicted: %s",
               unknown.count, set->n_classes, unknown.count == 1 ? "has" : "have",
               unknown.count == 1 ? "is" : "are", unknown.text);
}

int eval_prototypes_make(const struct df_measure *measure)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const struct df_dataset *set = measure->prototypes.set;
    const struct df_segmenter_options *model = df_segmenter_made_with(measure->segmenter);
    bool known[DF_MAX_CLASSES];

    if (!set)
        return 0;
    const struct df_loader_options options = {
        .batch_size = df_min_i64(model->max_batch, set->count),
        .height = model->height,
        .width = model->width,
        .workers = measure->options.workers,
    };
    struct df_loader *loader = df_feed_open_loader(set, &options, measure->segmenter);
    struct df_feed *feed = loader ? df_feed_images(loader) : NULL;
    int status = feed ? df_prototypes_make(measure->segmenter, feed, stop, known) : -1;
    df_feed_free(feed);
    df_loader_close(loader);
    if (status == 0 && !*stop) {
        const struct df_dataset *const sets[] = {set, measure->dataset};
        status = df_labels_check(sets, 2);
        report(measure, known);
    }
    return status;
}
