#include "recorded_settings.h"

#include "dinoft/dataset.h"
#include "dinoft/error.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_MAX 256

/* Adds an item behind a comma. */
static void __attribute__((format(printf, 2, 3))) list(char text[LIST_MAX], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    if (used > 0)
        used += (size_t)snprintf(text + used, LIST_MAX - used, ", ");
    va_start(arguments, format);
    vsnprintf(text + used, LIST_MAX - used, format, arguments);
    va_end(arguments);
}

static void take_lora(struct df_config *config, const struct df_checkpoint *checkpoint, char taken[LIST_MAX])
{
    if (checkpoint->rank == 0)
        return;
    if (!config->typed[DF_OPTION_USE_LORA]) {
        config->use_lora = true;
        list(taken, "LoRA of rank %" PRId64, checkpoint->rank);
    } else if (!config->typed[DF_OPTION_R] && config->r != checkpoint->rank) {
        list(taken, "rank %" PRId64, checkpoint->rank);
    }
    if (!config->typed[DF_OPTION_R])
        config->r = checkpoint->rank;
}

static void take_size(struct df_config *config, const struct df_record *record, char taken[LIST_MAX],
                      char changed[LIST_MAX])
{
    const int64_t *trained = record->img_dim;
    const bool other = config->img_dim[0] != trained[0] || config->img_dim[1] != trained[1];

    if (trained[0] == 0)
        return;
    if (!config->typed[DF_OPTION_IMG_DIM]) {
        memcpy(config->img_dim, trained, sizeof config->img_dim);
        list(taken, "image size %" PRId64 " x %" PRId64, trained[0], trained[1]);
    } else if (other) {
        list(changed, "image size %" PRId64 " x %" PRId64 " (it was %" PRId64 " x %" PRId64 ")",
             config->img_dim[0], config->img_dim[1], trained[0], trained[1]);
    }
}

/* --normalize auto stays: setup.c finds the same. */
static void name_normalization(const struct df_config *config, const struct df_record *record,
                               char taken[LIST_MAX], char changed[LIST_MAX])
{
    const bool is_auto = strcmp(config->normalize, "auto") == 0;

    if (is_auto && *record->normalize)
        list(taken, "normalize %s", record->normalize);
    else if (is_auto)
        list(taken, "normalize none, which it does not record");
    else if (*record->normalize && strcmp(config->normalize, record->normalize) != 0)
        list(changed, "normalize %s (it was %s)", config->normalize, record->normalize);
}

static void take_for_training(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    char taken[LIST_MAX] = "", changed[LIST_MAX] = "";

    take_lora(config, checkpoint, taken);
    take_size(config, &checkpoint->record, taken, changed);
    name_normalization(config, &checkpoint->record, taken, changed);
    if (*taken)
        df_log("taken from %s: %s (flags that are typed win)", config->lora_weights, taken);
    if (*changed)
        df_log("other than in the training of %s: %s", config->lora_weights, changed);
}

/* The built-in data set with that many classes; NULL if there is none. */
static const char *dataset_of_size(int64_t classes)
{
    static const char *const kinds[] = {"voc", "ade20k"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int count = 0;
        if (df_dataset_names(kinds[i], &count) && count == classes)
            return kinds[i];
    }
    return NULL;
}

static int take_dataset(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const char *recorded = checkpoint->record.dataset, *usual = dataset_of_size(checkpoint->classes);

    if (config->typed[DF_OPTION_DATASET])
        return 0;
    if (!*recorded && !usual)
        return df_error_set("%s does not say which data set its %" PRId64
                            " classes are of: --dataset does (voc, ade20k or folder)",
                            config->lora_weights, checkpoint->classes);
    config->dataset = *recorded ? recorded : usual;
    if (*recorded)
        df_log("data set %s, which %s was trained on (--dataset names another)", recorded,
               config->lora_weights);
    else
        df_log("data set %s, which has the %" PRId64 " classes of %s (--dataset names another)", usual,
               checkpoint->classes, config->lora_weights);
    return df_config_check_dataset(config);
}

int recorded_settings_take(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    if (config->command == DF_COMMAND_TRAIN)
        take_for_training(config, checkpoint);
    if (config->command == DF_COMMAND_EVAL || config->command == DF_COMMAND_CORRUPT)
        return take_dataset(config, checkpoint);
    return 0;
}
