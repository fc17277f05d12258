/* What flags of the learning rate's schedule say together. What depends on the number of images is checked
 * where that is known (dinoft/schedule_choice.h). */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *schedule_name(const struct df_config *config)
{
    return df_choice_text(DF_OPTION_SCHEDULE, (int)config->schedule);
}

/* "500" or "2.5%" */
static bool is_warmup(const char *text, double *value, bool *is_share)
{
    char *end;

    if (!isdigit((unsigned char)text[0]) || strspn(text, "0123456789.%") != strlen(text))
        return false;
    *value = strtod(text, &end);
    *is_share = *end == '%';
    if (end[*is_share ? 1 : 0] != '\0')
        return false;
    return *is_share ? *value <= 100.0 : *value == floor(*value) && *value <= INT32_MAX;
}

static int read_warmup(struct df_config *config)
{
    const char *text = config->warmup_steps;

    if (!text || is_warmup(text, &config->warmup, &config->warmup_is_share))
        return 0;
    return df_error_set("--warmup_steps: expected a whole number of steps, or a percentage of the run's such "
                        "as 5%%, found '%.100s'",
                        text);
}

static int check_kinds_of_warmup(const struct df_config *config)
{
    static const enum df_option both[] = {DF_OPTION_WARMUP_STEPS, DF_OPTION_WARMUP_EPOCHS};
    const enum df_option typed = df_config_typed(config, both, 2);

    if (config->typed[DF_OPTION_WARMUP_STEPS] && config->typed[DF_OPTION_WARMUP_EPOCHS])
        return df_error_set("--warmup_steps and --warmup_epochs say the same: give one of them");
    if (typed != DF_OPTION_COUNT && config->schedule == DF_SCHEDULE_ONECYCLE)
        return df_error_set("--%s is not for --schedule onecycle, which rises by itself",
                            df_option_name(typed));
    if (typed == DF_OPTION_WARMUP_STEPS && df_recipe_is_reference(config->recipe))
        return df_error_set("--warmup_steps counts steps, --recipe %s goes by epochs: --warmup_epochs",
                            df_choice_text(DF_OPTION_RECIPE, (int)config->recipe));
    return 0;
}

void settle_warmup(struct df_config *config)
{
    if (!config->typed[DF_OPTION_WARMUP_STEPS] &&
        (config->typed[DF_OPTION_WARMUP_EPOCHS] || config->schedule == DF_SCHEDULE_ONECYCLE ||
         df_recipe_is_reference(config->recipe)))
        config->warmup_steps = NULL;
}

/* Who said it, where it was none of the flags that were typed. */
static int refuse_epochs(const struct df_config *config, const char *reason)
{
    const char *advice = "";

    if (!config->typed[DF_OPTION_WARMUP_EPOCHS] && config->warmup_epochs > 0)
        advice = " (it is the recipe's: --warmup_epochs N changes it)";
    else if (!config->typed[DF_OPTION_EPOCHS] && config->recipe == DF_RECIPE_DEFAULT)
        advice = " (main.py's 100 epochs are those of --recipe reference)";
    return df_error_set("--warmup_epochs %" PRId64 " with --epochs %" PRId64 ": %s%s", config->warmup_epochs,
                        config->epochs, reason, advice);
}

/* A warm-up that is longer than the run is one that main.py takes; at 0, or all epochs, it divides by zero.
 */
static int check_main_py_s_warmup(const struct df_config *config)
{
    if (config->warmup_epochs == 0 || config->warmup_epochs == config->epochs)
        return refuse_epochs(
            config, "the schedule of the reference project takes neither a warm-up of 0 nor one that "
                    "is exactly as long as the run");
    if (config->warmup_epochs > config->epochs)
        df_log("warning: the warm-up of %" PRId64 " epochs is longer than the run of %" PRId64
               ": the learning rate reaches %g of %g",
               config->warmup_epochs, config->epochs,
               config->lr * (double)config->epochs / (double)config->warmup_epochs, config->lr);
    return 0;
}

static int check_length_of_warmup(const struct df_config *config)
{
    const bool by_epoch = df_recipe_is_reference(config->recipe);

    if (by_epoch && config->schedule == DF_SCHEDULE_COSINE)
        return check_main_py_s_warmup(config);
    if (config->warmup_epochs >= config->epochs)
        return refuse_epochs(config, by_epoch ? "no epoch is left after the warm-up"
                                              : "no step is left after the warm-up");
    if (!config->warmup_steps)
        return 0;
    if (config->warmup_is_share && config->warmup == 100.0)
        return df_error_set("--warmup_steps %.100s: no step is left after the warm-up", config->warmup_steps);
    if (!config->warmup_is_share && config->max_steps > 0 && config->warmup >= (double)config->max_steps)
        return df_error_set("--warmup_steps %.100s with --max_steps %" PRId64
                            ": no step is left after the warm-up",
                            config->warmup_steps, config->max_steps);
    return 0;
}

/* A command line of main.py has no --schedule, and runs; as does its --min_lr above --lr, by which the rate
 * rises. */
static int check_min_lr(const struct df_config *config)
{
    if (!df_schedule_falls_to_min(config->schedule)) {
        if (!config->typed[DF_OPTION_MIN_LR])
            return 0;
        if (config->typed[DF_OPTION_SCHEDULE])
            return df_error_set("--min_lr is for --schedule cosine and poly, not %s", schedule_name(config));
        df_log(
            "warning: --min_lr changes nothing: the schedule is %s (--schedule and --recipe choose another)",
            schedule_name(config));
        return 0;
    }
    if (config->min_lr <= config->lr)
        return 0;
    if (!df_recipe_is_reference(config->recipe))
        return df_error_set("--min_lr %g is more than --lr %g", config->min_lr, config->lr);
    df_log("warning: --min_lr %g is more than --lr %g: the learning rate rises to it, as main.py's does",
           config->min_lr, config->lr);
    return 0;
}

int df_config_check_schedule(struct df_config *config)
{
    DF_TRY(check_kinds_of_warmup(config));
    settle_warmup(config);
    DF_TRY(read_warmup(config));
    DF_TRY(check_length_of_warmup(config));
    return check_min_lr(config);
}
