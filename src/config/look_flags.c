/* What flags of data say together. */
#include "options.h"

#include "dinoft/error.h"

bool df_config_trains(const struct df_config *config)
{
    return config->command == DF_COMMAND_TRAIN || config->command == DF_COMMAND_DATA;
}

/* Where images are not of one size. */
static bool takes_any_size(const struct df_config *config)
{
    return config->command == DF_COMMAND_EVAL || config->command == DF_COMMAND_CORRUPT ||
           config->command == DF_COMMAND_PREDICT;
}

int df_config_check_look(const struct df_config *config)
{
    static const enum df_option of_augmented[] = {
        DF_OPTION_AUGMENT, DF_OPTION_AUGMENT_SCALE, DF_OPTION_CROP_CLASS_BALANCE,
        DF_OPTION_IMG_DIM, DF_OPTION_RESIZE,        DF_OPTION_DINO_TYPE};
    static const enum df_option of_page[] = {DF_OPTION_SHOW_AUGMENTED, DF_OPTION_SEED};
    const enum df_option augmented =
        df_config_typed(config, of_augmented, sizeof of_augmented / sizeof of_augmented[0]);
    const enum df_option page = df_config_typed(config, of_page, sizeof of_page / sizeof of_page[0]);

    if (config->resize == DF_RESIZE_NONE && !takes_any_size(config))
        return df_error_set(
            "--resize none is for eval, corrupt and predict: batches need images of one size");
    if (config->command != DF_COMMAND_DATA)
        return 0;
    if (augmented != DF_OPTION_COUNT && !config->show_augmented)
        return df_error_set("--%s is for --show_augmented, which was not given", df_option_name(augmented));
    if (page != DF_OPTION_COUNT && !config->report_html)
        return df_error_set("--%s is for the pictures of --report_html, which was not given",
                            df_option_name(page));
    return 0;
}
