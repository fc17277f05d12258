#include "dinoft/schedule_choice.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The two flags that do not go together. */
static int refuse(const struct df_config *config, bool cut)
{
    char warmup[128];

    if (config->warmup_steps)
        snprintf(warmup, sizeof warmup, "--warmup_steps %.100s", config->warmup_steps);
    else
        snprintf(warmup, sizeof warmup, "--warmup_epochs %" PRId64, config->warmup_epochs);
    return df_error_set("%s with --%s %" PRId64 ": no step is left after the warm-up", warmup,
                        cut ? "max_steps" : "epochs", cut ? config->max_steps : config->epochs);
}

/* Epochs and images are below 2^31, so their product fits. */
static int choose_steps(const struct df_config *config, int64_t images, struct df_schedule *schedule)
{
    const int64_t steps_of_epoch = (images - 1) / config->batch_size + 1;
    const int64_t all = config->epochs * steps_of_epoch;
    const bool cut = config->max_steps > 0 && config->max_steps < all;

    schedule->length = cut ? config->max_steps : all;
    if (config->warmup_is_share)
        schedule->warmup = llround((double)schedule->length * config->warmup / 100.0);
    else if (config->warmup_steps)
        schedule->warmup = (int64_t)config->warmup;
    else
        schedule->warmup = config->warmup_epochs * steps_of_epoch;
    return schedule->warmup < schedule->length ? 0 : refuse(config, cut);
}

int df_schedule_choose(const struct df_config *config, int64_t images, struct df_schedule *schedule)
{
    *schedule = (struct df_schedule){
        .kind = config->schedule,
        .by_epoch = df_recipe_is_reference(config->recipe),
        .lr = config->lr,
        .min_lr = config->min_lr,
    };
    if (!schedule->by_epoch)
        return choose_steps(config, images, schedule);
    schedule->length = config->epochs;
    schedule->warmup = config->warmup_epochs;
    return 0;
}
