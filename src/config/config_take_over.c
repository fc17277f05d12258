/* What the file of --config says, where no flag is typed. */
#include "config_file.h"
#include "sweep_axes.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"

#include <cjson/cJSON.h>
#include <string.h>

#define FILE_MOST ((size_t)1 << 20) /* bytes */

static void copy_value(const struct df_option_info *option, const struct df_config *from,
                       struct df_config *to)
{
    static const size_t sizes[] = {[DF_KIND_STRING] = sizeof(char *),   [DF_KIND_CHOICE] = sizeof(int),
                                   [DF_KIND_INTEGER] = sizeof(int64_t), [DF_KIND_FLOAT] = sizeof(double),
                                   [DF_KIND_SWITCH] = sizeof(bool),     [DF_KIND_PAIR] = sizeof(int64_t[2]),
                                   [DF_KIND_RANGE] = sizeof(double[2])};

    memcpy(df_option_value(option, to), (const char *)from + option->offset, sizes[option->kind]);
}

bool df_option_overrules_checkpoint(enum df_option option)
{
    return option == DF_OPTION_IMG_DIM || option == DF_OPTION_POS_INTERPOLATION ||
           option == DF_OPTION_RESIZE || option == DF_OPTION_USE_LORA || option == DF_OPTION_DECODER ||
           option == DF_OPTION_DECODER_LAYERS || option == DF_OPTION_HEAD_NORM ||
           option == DF_OPTION_HEAD_DROPOUT || option == DF_OPTION_USE_FPN;
}

/* Whether the file says it, rather than repeats what its recipe or nothing says. A file that tells what was
 * typed for its run has what a rule chose chosen anew; but for a checkpoint's, which is the same checkpoint.
 * In others, a checkpoint or the number of the images would say otherwise for some; and what is augmented of
 * a checkpoint depends on whether that has LoRA. Where another recipe is typed, what the file's recipe says
 * goes with it. */
static bool is_said(const struct df_config_file *file, const struct df_config *usual, bool other_recipe,
                    enum df_option option)
{
    if (!file->has[option])
        return false;
    if (file->typed[option])
        return true;
    if (file->tells && recipe_may_choose(option))
        return !file->chosen[option] || (df_option_overrules_checkpoint(option) && file->found.lora_weights);
    if (!df_option_is_equal(&df_options[option], &file->found, usual))
        return true;
    if (file->tells && !file->found.lora_weights)
        return false;
    if (other_recipe)
        return option != DF_OPTION_HEAD_NORM && df_option_overrules_checkpoint(option);
    return df_option_overrules_checkpoint(option) || option == DF_OPTION_LR ||
           option == DF_OPTION_BATCH_SIZE ||
           (option == DF_OPTION_AUGMENT && !file->has[DF_OPTION_USE_LORA] && file->found.lora_weights);
}

/* What the program says itself, with the file's recipe, where neither the file nor anybody says otherwise.
 * What depends on other settings does so on the file's. */
static void find_usual(const struct df_config_file *file, const struct df_config *config,
                       struct df_config *usual)
{
    df_config_set_defaults(usual);
    usual->command = config->command;
    usual->recipe = file->found.recipe;
    struct df_config same = *usual;
    same.batch_size = file->found.batch_size;
    same.use_lora = file->found.use_lora;
    same.decoder = file->found.decoder;
    same.cache_features = file->found.cache_features;
    same.schedule = file->found.schedule;
    df_config_apply_recipe(&same);
    df_config_settle_recipe(&same);
    settle_warmup(&same);
    df_config_apply_recipe(usual);
    usual->warmup_steps = same.warmup_steps;
    usual->head_norm = df_decoder_takes_norm(same.decoder) ? usual->head_norm : DF_HEAD_NORM_NONE;
    usual->lr = same.lr;
    if (recipe_may_have_chosen_batch(&file->found))
        usual->batch_size = file->found.batch_size;
    usual->augment = same.augment;
    usual->lr_head = same.lr_head;
}

/* As if what differs from the file's own recipe had been typed; the recipe itself comes first, since others
 * depend on it. */
static void take_over(const struct df_config_file *file, struct df_config *config)
{
    struct df_config usual;
    bool typed[DF_OPTION_COUNT];

    memcpy(typed, config->typed, sizeof typed);
    if (!typed[DF_OPTION_RECIPE] && file->has[DF_OPTION_RECIPE] &&
        df_recipe_is_reference(file->found.recipe)) {
        config->recipe = file->found.recipe;
        config->typed[DF_OPTION_RECIPE] = true;
    }
    find_usual(file, config, &usual);
    const bool other_recipe = config->recipe != file->found.recipe;
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        const enum df_option option = (enum df_option)i;
        if (option == DF_OPTION_RECIPE || typed[i] || !is_said(file, &usual, other_recipe, option) ||
            config_is_replaced(file, typed, config, option))
            continue;
        copy_value(&df_options[i], &file->found, config);
        config->typed[option == DF_OPTION_WARMUP_STEPS && !config->warmup_steps ? DF_OPTION_WARMUP_EPOCHS
                                                                                : option] = true;
    }
}

/* The file's tree, to be freed, though what is in it is wrong. */
static int read_file(struct df_config_file *file, cJSON **tree)
{
    df_config_set_defaults(&file->found);
    *tree = df_json_read(file->path, FILE_MOST);
    return *tree ? df_config_file_read(file, *tree) : -1;
}

int df_config_read_file(struct df_config *config)
{
    struct df_config_file file = {.path = config->config, .command = config->command};

    if (read_file(&file, &config->file) != 0)
        return df_error_context("--config");
    take_over(&file, config);
    return 0;
}

int df_config_compare_file(const char *path, const struct df_config *config, const enum df_option *options,
                           size_t count)
{
    struct df_config_file file = {.path = path, .command = config->command};
    cJSON *tree;
    int status = read_file(&file, &tree);

    for (size_t i = 0; status == 0 && i < count; i++) {
        if (file.has[options[i]] && !df_option_is_equal(&df_options[options[i]], &file.found, config))
            status = df_error_set("%s has another --%s", path, df_option_name(options[i]));
    }
    cJSON_Delete(tree);
    return status;
}

void df_config_free(struct df_config *config)
{
    sweep_axes_free(config->axes);
    config->axes = NULL;
    cJSON_Delete(config->file);
    config->file = NULL;
}
