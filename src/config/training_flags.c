/* What flags of a training step say together. */
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

static int check_warmup(struct df_config *config)
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
    return read_warmup(config);
}

/* A command line of main.py has no --schedule, and runs. */
static int check_min_lr(const struct df_config *config)
{
    if (config->typed[DF_OPTION_MIN_LR] && !df_schedule_falls_to_min(config->schedule)) {
        if (config->typed[DF_OPTION_SCHEDULE])
            return df_error_set("--min_lr is for --schedule cosine and poly, not %s", schedule_name(config));
        df_log("--min_lr changes nothing: the schedule is %s (--schedule and --recipe choose another)",
               schedule_name(config));
    }
    if (config->min_lr > config->lr)
        return df_error_set("--min_lr %g is more than --lr %g", config->min_lr, config->lr);
    return 0;
}

static int check_decay(const struct df_config *config)
{
    if (config->typed[DF_OPTION_DECAY_1D] && config->decay_1d && config->weight_decay == 0)
        return df_error_set("--decay_1d is for a --weight_decay above 0");
    return 0;
}

static int check_accumulate(const struct df_config *config)
{
    const int64_t batch = config->batch_size;
    int64_t less = config->accumulate, more = config->accumulate;

    if (batch % config->accumulate == 0)
        return 0;
    while (batch % less != 0)
        less--;
    while (more < batch && batch % more != 0)
        more++;
    if (more > batch)
        return df_error_set("--accumulate %" PRId64 " is more than --batch_size %" PRId64, config->accumulate,
                            batch);
    return df_error_set("--accumulate %" PRId64 " does not divide --batch_size %" PRId64 ": %" PRId64
                        " and %" PRId64 " do",
                        config->accumulate, batch, less, more);
}

static int read_kept(struct df_config *config)
{
    const char *text = config->keep_checkpoints;
    const size_t digits = strspn(text, "0123456789");

    if (strcmp(text, "none") == 0) {
        config->kept = 0;
        return 0;
    }
    if (strcmp(text, "all") == 0) {
        config->kept = INT64_MAX;
        return 0;
    }
    config->kept = digits < 10 && text[digits] == '\0' ? atoi(text) : 0;
    if (config->kept > 0)
        return 0;
    return df_error_set(
        "--keep_checkpoints: expected none, all or a whole number of at least 1, found '%.100s'", text);
}

int df_config_check_training(struct df_config *config)
{
    DF_TRY(check_warmup(config));
    DF_TRY(check_min_lr(config));
    DF_TRY(check_decay(config));
    DF_TRY(read_kept(config));
    return check_accumulate(config);
}
