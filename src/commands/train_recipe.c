#include "train_recipe.h"

#include "dinoft/log.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE 192

/* A choice that somebody has typed needs no reason. */
static void say(const char *what, bool typed, const char *why)
{
    df_log("recipe default: %s%s%s", what, typed ? "" : ", since ", typed ? "" : why);
}

static void say_steps(const struct df_config *config, const struct df_training_options *options,
                      int64_t images)
{
    const int64_t warmup = options->schedule.warmup;
    char text[LINE], begin[64] = "without warm-up";

    if (warmup > 0)
        snprintf(begin, sizeof begin, "the first %" PRId64 " of them as warm-up", warmup);
    snprintf(text, sizeof text, "%" PRId64 " steps with %" PRId64 " of the %" PRId64 " images each, %s",
             options->schedule.length, options->batch_size, images, begin);
    if (config->use_lora && df_config_batch_is_open(config))
        say(text, false, "small batches make more of a short run, and a long one has steps enough");
    else
        say(text,
            warmup == 0 || config->typed[DF_OPTION_WARMUP_STEPS] || config->typed[DF_OPTION_WARMUP_EPOCHS],
            "AdamW's first steps know little of the gradients");
}

static void say_rate(const struct df_config *config)
{
    const double decoder = config->lr * config->lr_head, lora = config->lr * config->lr_lora;
    char text[LINE], end[48] = "constant", of_lora[48] = "";

    if (config->use_lora)
        snprintf(of_lora, sizeof of_lora, " of LoRA %g and", lora);
    if (df_schedule_falls_to_min(config->schedule))
        snprintf(end, sizeof end, "falling to %g", config->min_lr);
    snprintf(text, sizeof text, "learning rate%s of the decoder %g, %s (%s)", of_lora, decoder, end,
             df_choice_text(DF_OPTION_SCHEDULE, (int)config->schedule));
    say(text, config->typed[DF_OPTION_LR] || config->typed[DF_OPTION_SCHEDULE],
        config->head_norm == DF_HEAD_NORM_BN ? "BatchNorm before the decoder allows a high one"
                                             : "a short run needs a high one");
}

static void say_augmentation(const struct df_config *config)
{
    char text[LINE];

    snprintf(text, sizeof text, "augmentation %s", df_choice_text(DF_OPTION_AUGMENT, (int)config->augment));
    say(text, config->typed[DF_OPTION_AUGMENT],
        config->augment == DF_AUGMENT_NONE
            ? "a frozen backbone looks at each image once, and its features are kept (--cache_views)"
            : "without it the validation loss rises again after some epochs");
}

void train_recipe_log(const struct df_config *config, const struct df_training_options *options,
                      int64_t images)
{
    if (df_recipe_is_reference(config->recipe))
        return;
    say_steps(config, options, images);
    say_rate(config);
    say_augmentation(config);
}
