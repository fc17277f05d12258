/* What --recipe says where no flag is typed. The default recipe is what the table of options says, with what
 * depends on other flags here. docs/benchmarks/recipes.md has the measurements that it was chosen by. */
#include "options.h"

#include <math.h>

#define USUAL_BATCH  12   /* images: that of the measurements of learning rates, and main.py's */
#define ENOUGH_STEPS 1000 /* from which on smaller batches are not worth their time */

/* That the default recipe chooses from. */
static const int64_t batches[] = {USUAL_BATCH, 8, 6, 4};
#define BATCHES ((int)(sizeof batches / sizeof batches[0]))

struct setting {
    enum df_option option;
    const char *text;
};

static const struct setting every_reference[] = {
    {DF_OPTION_EXP_NAME, "lora"}, {DF_OPTION_VOID_AS_BACKGROUND, "on"}, {DF_OPTION_ROPE_RESCALE, "2"},
    {DF_OPTION_DECAY_1D, "on"},   {DF_OPTION_HEAD_NORM, "none"},        {DF_OPTION_LR_HEAD, "1"},
    {DF_OPTION_AUGMENT, "none"},
};

/* The defaults of main.py. */
static const struct setting august_2025[] = {
    {DF_OPTION_LR, "3e-4"},
    {DF_OPTION_SCHEDULE, "constant"},
};
static const struct setting october_2025[] = {
    {DF_OPTION_EPOCHS, "100"},           {DF_OPTION_LR, "3e-3"},          {DF_OPTION_BATCH_SIZE, "64"},
    {DF_OPTION_SCHEDULE, "cosine"},      {DF_OPTION_WARMUP_EPOCHS, "20"}, {DF_OPTION_MIN_LR, "3e-5"},
    {DF_OPTION_KEEP_CHECKPOINTS, "all"},
};

bool df_recipe_is_reference(enum df_recipe recipe)
{
    return recipe != DF_RECIPE_DEFAULT;
}

static bool is_among(const struct setting *settings, size_t count, enum df_option option)
{
    for (size_t i = 0; i < count; i++) {
        if (settings[i].option == option)
            return true;
    }
    return false;
}

/* A schedule that is typed may have no use for the rest of the recipe's; files of corrupt have the
 * checkpoint's name. */
static bool has_use(const struct df_config *config, enum df_option option)
{
    if (option == DF_OPTION_EXP_NAME)
        return config->command == DF_COMMAND_TRAIN;
    if (option == DF_OPTION_WARMUP_EPOCHS)
        return config->schedule != DF_SCHEDULE_ONECYCLE;
    return option != DF_OPTION_MIN_LR || df_schedule_falls_to_min(config->schedule);
}

static void apply(struct df_config *config, const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const enum df_option option = settings[i].option;
        if (!config->typed[option] && df_command_takes(config->command, &df_options[option]) &&
            has_use(config, option))
            df_option_set(&df_options[option], settings[i].text, NULL, config);
    }
}

/* The noise of a gradient falls with the square root of the batch, and AdamW's steps do not grow with the
 * gradient. */
static void scale_rate(struct df_config *config)
{
    if (!config->typed[DF_OPTION_LR])
        config->lr *= sqrt((double)config->batch_size / USUAL_BATCH);
}

bool recipe_may_choose(enum df_option option)
{
    /* And what auto becomes. */
    static const enum df_option others[] = {DF_OPTION_BATCH_SIZE, DF_OPTION_WARMUP_STEPS, DF_OPTION_NORMALIZE,
                                            DF_OPTION_CACHE_FEATURES};
    bool found = false;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        found = found || option == others[i];
    return found || is_among(every_reference, sizeof every_reference / sizeof every_reference[0], option) ||
           is_among(october_2025, sizeof october_2025 / sizeof october_2025[0], option);
}

bool recipe_may_have_chosen_batch(const struct df_config *config)
{
    bool found = false;

    for (int i = 0; i < BATCHES; i++)
        found = found || config->batch_size == batches[i];
    return found && config->use_lora && !df_recipe_is_reference(config->recipe) && config->accumulate == 1 &&
           config->max_steps == 0;
}

bool df_config_batch_is_open(const struct df_config *config)
{
    static const enum df_option chosen[] = {DF_OPTION_BATCH_SIZE, DF_OPTION_ACCUMULATE, DF_OPTION_MAX_STEPS};

    return config->command == DF_COMMAND_TRAIN && !df_recipe_is_reference(config->recipe) &&
           df_config_typed(config, chosen, sizeof chosen / sizeof chosen[0]) == DF_OPTION_COUNT;
}

void df_config_settle_batch(struct df_config *config, int64_t images)
{
    int i = 0;

    if (!config->use_lora || !df_config_batch_is_open(config))
        return;
    while (i < BATCHES - 1 && config->epochs * ((images - 1) / batches[i] + 1) < ENOUGH_STEPS)
        i++;
    config->batch_size = batches[i];
    scale_rate(config);
}

void df_config_apply_recipe(struct df_config *config)
{
    if (!df_recipe_is_reference(config->recipe))
        scale_rate(config);
    if (df_recipe_is_reference(config->recipe))
        apply(config, every_reference, sizeof every_reference / sizeof every_reference[0]);
    if (config->recipe == DF_RECIPE_REFERENCE_2025_08)
        apply(config, august_2025, sizeof august_2025 / sizeof august_2025[0]);
    if (config->recipe == DF_RECIPE_REFERENCE)
        apply(config, october_2025, sizeof october_2025 / sizeof october_2025[0]);
}
