#include "layout_flags.h"

#include "dinoft/error.h"

static enum df_option typed_of(const struct df_config *config, enum df_option first, enum df_option second)
{
    const enum df_option both[] = {first, second};
    return df_config_typed(config, both, 2);
}

/* The first and the second say the same thing in two ways. */
static int check_apart(const struct df_config *config, enum df_option first, enum df_option second)
{
    if (!config->typed[first] || !config->typed[second])
        return 0;
    return df_error_set("--%s and --%s both say which images validate", df_option_name(first),
                        df_option_name(second));
}

/* What trains has both lists; what measures has the one that it measures. */
static int check_lists(const struct df_config *config)
{
    const bool train = config->typed[DF_OPTION_TRAIN_LIST], val = config->typed[DF_OPTION_VAL_LIST];

    DF_TRY(check_apart(config, DF_OPTION_VAL_FRACTION, DF_OPTION_TRAIN_LIST));
    DF_TRY(check_apart(config, DF_OPTION_VAL_FRACTION, DF_OPTION_VAL_LIST));
    if (train == val || (config->command != DF_COMMAND_TRAIN && !config->prototypes))
        return 0;
    return df_error_set("--%s needs --%s too: no other image %s", train ? "train_list" : "val_list",
                        train ? "val_list" : "train_list", train ? "validates" : "trains");
}

int check_layout(const struct df_config *config)
{
    static const enum df_option of_folders[] = {DF_OPTION_LAYOUT, DF_OPTION_VAL_FRACTION,
                                                DF_OPTION_SPLIT_SEED};
    const enum df_option typed =
        df_config_typed(config, of_folders, sizeof of_folders / sizeof of_folders[0]);
    const enum df_option list = typed_of(config, DF_OPTION_TRAIN_LIST, DF_OPTION_VAL_LIST);

    if (typed != DF_OPTION_COUNT && config->dataset != DF_DATASET_FOLDER)
        return df_error_set("--%s is for --dataset folder, not %s", df_option_name(typed),
                            df_dataset_kind_name(config->dataset));
    if (list != DF_OPTION_COUNT && config->dataset == DF_DATASET_ADE20K)
        return df_error_set("--%s is for --dataset voc and folder, not ade20k", df_option_name(list));
    if (config->typed[DF_OPTION_SPLIT_SEED] && !config->typed[DF_OPTION_VAL_FRACTION])
        return df_error_set("--split_seed is for --val_fraction, which was not given");
    return config->dataset == DF_DATASET_FOLDER ? check_lists(config) : 0;
}
