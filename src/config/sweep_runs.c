/* The runs of `dinoft sweep`: how many, their names, their command lines. */
#include "sweep_axes.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MOST (DF_OPTION_COUNT + 8)

int df_axes_runs(const struct df_axes *axes)
{
    int64_t runs = 1;

    for (int i = 0; i < axes->count; i++) {
        runs *= axes->items[i].count;
        if (runs > DF_SWEEP_RUNS_MOST)
            return df_error_set("the lists make more than %d runs", DF_SWEEP_RUNS_MOST);
    }
    return (int)runs;
}

int df_axes_value(const struct df_axes *axes, int axis, int run)
{
    for (int i = axes->count - 1; i > axis; i--)
        run /= axes->items[i].count;
    return run % axes->items[axis].count;
}

/* Of a path what comes behind its folders. */
static void make_safe(char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+%,=-";
    const char *slash = strrchr(text, '/');

    if (slash && slash[1])
        memmove(text, slash + 1, strlen(slash + 1) + 1);
    for (; *text; text++) {
        if (!strchr(safe, *text))
            *text = '-';
    }
}

/* The name with one more value behind it. Takes the name over. */
static char *add_to_name(char *name, const struct df_axis *axis, int value)
{
    char *text = df_text_copy(axis->values[value]), *longer = NULL;

    if (text) {
        make_safe(text);
        longer = df_text_format("%s_%s=%s", name, df_options[axis->option].name, text);
    }
    free(text);
    free(name);
    return longer;
}

char *df_axes_run_name(const struct df_axes *axes, const char *base, int run)
{
    char *name = df_text_copy(base);

    for (int i = 0; name && i < axes->count; i++) {
        if (axes->items[i].count > 1)
            name = add_to_name(name, &axes->items[i], df_axes_value(axes, i, run));
    }
    return name;
}

/* Adds a word, which is taken over; NULL is a failure. */
static int add(char **words, char *word)
{
    while (*words)
        words++;
    *words = word;
    return word ? 0 : -1;
}

/* Behind an equals sign a value may begin with a dash. */
static int add_flag(char **words, enum df_option option, const char *value)
{
    const struct df_option_info *info = &df_options[option];

    if (!value)
        return 0;
    if (info->kind != DF_KIND_SWITCH)
        return add(words, df_text_format("--%s=%s", info->name, value));
    return add(words, df_text_format("--%s%s", strcmp(value, "on") == 0 ? "" : "no_", info->name));
}

/* Each run has a folder of its own in that of --log_dir. */
static int add_log_dir(char **words, const char *folder, const char *name)
{
    if (!folder || strcmp(folder, "none") == 0)
        return add_flag(words, DF_OPTION_LOG_DIR, folder);
    return add(words, df_text_format("--%s=%s/%s", df_options[DF_OPTION_LOG_DIR].name, folder, name));
}

static int add_words(char **words, const struct df_config *config, int run, const char *name)
{
    const struct df_axes *axes = config->axes;

    DF_TRY(add(words, df_text_copy("dinoft")));
    DF_TRY(add(words, df_text_copy(df_command_name(DF_COMMAND_TRAIN))));
    DF_TRY(add_flag(words, DF_OPTION_CONFIG, config->config));
    for (int i = 0; axes && i < axes->count; i++)
        DF_TRY(add_flag(words, axes->items[i].option, axes->items[i].values[df_axes_value(axes, i, run)]));
    DF_TRY(add_flag(words, DF_OPTION_EXP_NAME, name));
    DF_TRY(add_flag(words, DF_OPTION_OUTPUT_DIR, config->output_dir));
    DF_TRY(add_log_dir(words, config->log_dir, name));
    return add_flag(words, DF_OPTION_RESUME, "auto");
}

char **df_axes_run_words(const struct df_config *config, int run, const char *name)
{
    char **words = calloc(WORDS_MOST, sizeof *words);

    if (!words)
        df_error_memory("the command line of a run", WORDS_MOST * sizeof *words);
    if (words && add_words(words, config, run, name) == 0)
        return words;
    df_axes_words_free(words);
    return NULL;
}

void df_axes_words_free(char **words)
{
    for (char **word = words; word && *word; word++)
        free(*word);
    free(words);
}
