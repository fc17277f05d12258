/* What flags of --video say together. */
#include "options.h"

#include "dinoft/error.h"

static bool takes_video(const struct df_config *config)
{
    return df_command_takes(config->command, &df_options[DF_OPTION_VIDEO]);
}

/* Frames are RGB of 8 bits, and make one file. */
static int check_frames(const struct df_config *config)
{
    static const enum df_option of_images[] = {
        DF_OPTION_OUTPUT_DIR, DF_OPTION_IMAGE_RANGE, DF_OPTION_BANDS,         DF_OPTION_SAVE_LOGITS,
        DF_OPTION_LEGEND,     DF_OPTION_RECURSIVE,   DF_OPTION_SKIP_EXISTING, DF_OPTION_JSON_LINES,
        DF_OPTION_WRITE,      DF_OPTION_SUMMARY};
    const enum df_option typed = df_config_typed(config, of_images, sizeof of_images / sizeof of_images[0]);

    if (config->n_inputs > 0)
        return df_error_set("--video takes the place of images: found '%s' too", config->inputs[0]);
    if (typed != DF_OPTION_COUNT)
        return df_error_set("--%s is for images: --video has no use for it", df_option_name(typed));
    return config->output ? 0 : df_error_set("--video needs --output FILE");
}

int df_config_check_video(const struct df_config *config)
{
    if (!takes_video(config))
        return 0;
    if (config->video)
        return check_frames(config);
    if (config->typed[DF_OPTION_EVERY])
        return df_error_set("--every is for the frames of --video, which was not given");
    if (config->output && config->command != DF_COMMAND_FEATURES)
        return df_error_set(
            "--output is for what is drawn of --video, which was not given: pictures of images "
            "go to --output_dir");
    return 0;
}
