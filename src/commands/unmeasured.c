#include "unmeasured.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/setup.h"

/* --debug draws training images too: in the reference recipes, and where they are changed. */
static bool draws_anything(const struct df_config *config)
{
    const struct df_augment_options augment = df_setup_augmentation(config);

    return df_recipe_is_reference(config->recipe) || df_augment_changes(&augment);
}

/* --val_every stays: it says how often a checkpoint is written. */
int unmeasured_check(const struct df_config *config)
{
    const char *flag = config->typed[DF_OPTION_BEST_METRIC]       ? "best_metric"
                       : config->early_stop > 0                   ? "early_stop"
                       : config->debug && !draws_anything(config) ? "debug"
                                                                  : NULL;

    if (!flag)
        return 0;
    return df_error_set("--%s needs validation images, and %s has none (in images/val and masks/val, for "
                        "instance)",
                        flag, config->data_root);
}

void unmeasured_warn(const struct df_config *config)
{
    df_log(
        "warning: there are no validation images: nothing is measured, and no checkpoint is kept as the best "
        "(%s has none, in images/val and masks/val for instance)",
        config->data_root);
}
