#include "layout_flags.h"

#include "options.h"

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

/* What trains has a list of training images, at least; what measures has the one that it measures. */
static int check_lists(const struct df_config *config)
{
    const bool train = config->typed[DF_OPTION_TRAIN_LIST], val = config->typed[DF_OPTION_VAL_LIST];

    DF_TRY(check_apart(config, DF_OPTION_FOLD, DF_OPTION_VAL_FRACTION));
    DF_TRY(check_apart(config, DF_OPTION_FOLD, DF_OPTION_TRAIN_LIST));
    DF_TRY(check_apart(config, DF_OPTION_FOLD, DF_OPTION_VAL_LIST));
    DF_TRY(check_apart(config, DF_OPTION_VAL_FRACTION, DF_OPTION_TRAIN_LIST));
    DF_TRY(check_apart(config, DF_OPTION_VAL_FRACTION, DF_OPTION_VAL_LIST));
    if (val && !train && (df_config_trains(config) || config->prototypes))
        return df_error_set("--val_list needs --train_list too: no other image trains");
    if (train && !val && config->prototypes)
        return df_error_set("--train_list needs --val_list too: no other image validates");
    return 0;
}

/* Patterns and tables say where everything is. */
static int check_places(const struct df_config *config)
{
    static const enum df_option others[] = {DF_OPTION_LAYOUT, DF_OPTION_DATA_ROOT};
    const enum df_option place = typed_of(config, DF_OPTION_IMAGES, DF_OPTION_PAIRS);
    const enum df_option other = df_config_typed(config, others, sizeof others / sizeof others[0]);
    const bool images = config->typed[DF_OPTION_IMAGES];

    if (images != config->typed[DF_OPTION_MASKS])
        return df_error_set("--%s needs --%s too", images ? "images" : "masks", images ? "masks" : "images");
    if (images && config->typed[DF_OPTION_PAIRS])
        return df_error_set("--images and --pairs both say which images there are");
    if (place == DF_OPTION_COUNT || other == DF_OPTION_COUNT)
        return 0;
    return df_error_set("--%s has no use with --%s, which %s", df_option_name(other), df_option_name(place),
                        images ? "counts from the current folder" : "says where everything is");
}

/* Annotations tell the images of each split. */
static int check_annotations(const struct df_config *config)
{
    static const enum df_option others[] = {DF_OPTION_LAYOUT,  DF_OPTION_IMAGES,       DF_OPTION_FOLD,
                                            DF_OPTION_PAIRS,   DF_OPTION_VAL_FRACTION, DF_OPTION_TRAIN_LIST,
                                            DF_OPTION_VAL_LIST};
    const enum df_option typed = df_config_typed(config, others, sizeof others / sizeof others[0]);

    if (typed == DF_OPTION_COUNT || !config->typed[DF_OPTION_ANNOTATIONS])
        return 0;
    return df_error_set("--%s has no use with --annotations, which tell the images of each split",
                        df_option_name(typed));
}

int check_layout(const struct df_config *config)
{
    static const enum df_option of_folders[] = {DF_OPTION_FOLD,      DF_OPTION_LAYOUT, DF_OPTION_IMAGES,
                                                DF_OPTION_MASKS,     DF_OPTION_PAIRS,  DF_OPTION_VAL_FRACTION,
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
    if (config->dataset != DF_DATASET_FOLDER)
        return 0;
    DF_TRY(check_annotations(config));
    DF_TRY(check_places(config));
    return check_lists(config);
}
