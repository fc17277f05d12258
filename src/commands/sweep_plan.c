#include "sweep_plan.h"

#include "dinoft/error.h"
#include "dinoft/sweep_axes.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES_MOST 200 /* file systems take 255, and endings follow */

/* --- making --- */

static int count_words(char **words)
{
    int count = 0;

    while (words[count])
        count++;
    return count;
}

static int parse(struct sweep_run *run)
{
    if (df_config_parse(count_words(run->words), run->words, &run->config) != DF_PARSE_RUN ||
        df_config_complete(&run->config) != 0)
        return df_error_context("the run %s", run->name);
    run->config.command_line = run->words;
    return 0;
}

/* Values that differ in characters which no name has. */
static int check_name(const struct sweep_plan *plan, int number)
{
    const char *name = plan->runs[number].name, *slash = strrchr(name, '/');

    if (strlen(slash ? slash + 1 : name) > NAME_BYTES_MOST)
        return df_error_set(
            "the run's name is too long for its files (a shorter --exp_name, or fewer lists): %s", name);
    for (int i = 0; i < number; i++) {
        if (strcmp(plan->runs[i].name, name) == 0)
            return df_error_set("two runs would be called %s", name);
    }
    return 0;
}

static int make_run(struct sweep_plan *plan, const struct df_config *config, int number)
{
    struct sweep_run *run = &plan->runs[number];

    run->name = df_axes_run_name(config->axes, plan->name, number);
    run->prefix = run->name ? df_text_format("%s/%s", config->output_dir, run->name) : NULL;
    run->words = run->prefix ? df_axes_run_words(config, number, run->name) : NULL;
    if (!run->words || check_name(plan, number) != 0)
        return -1;
    return parse(run);
}

static int check_varied(const struct df_axes *axes)
{
    int varied = 0;

    for (int i = 0; axes && i < axes->count; i++)
        varied += axes->items[i].count > 1;
    if (varied == 0)
        return df_error_set(
            "no flag has a list of values, such as --lr 1e-3,2e-3: dinoft train makes one run");
    if (varied > DF_SWEEP_VARIED_MOST)
        return df_error_set("more than %d flags have lists", DF_SWEEP_VARIED_MOST);
    return 0;
}

int sweep_plan_make(struct sweep_plan *plan, const struct df_config *config)
{
    *plan = (struct sweep_plan){.name = config->exp_name ? config->exp_name : "run"};
    if (plan->name[strlen(plan->name) - 1] == '/')
        return df_error_set("--exp_name %s names a folder, not an experiment", plan->name);
    DF_TRY(check_varied(config->axes));
    const int count = df_axes_runs(config->axes);
    if (count < 0)
        return -1;
    plan->runs = calloc((size_t)count, sizeof *plan->runs);
    if (!plan->runs)
        return df_error_memory("the runs of a sweep", (size_t)count * sizeof *plan->runs);
    plan->count = count;
    for (int i = 0; i < count; i++)
        DF_TRY(make_run(plan, config, i));
    return 0;
}

void sweep_plan_close(struct sweep_plan *plan)
{
    for (int i = 0; i < plan->count; i++) {
        struct sweep_run *run = &plan->runs[i];
        df_config_free(&run->config);
        df_axes_words_free(run->words);
        free(run->name);
        free(run->prefix);
        free(run->failure);
    }
    free(plan->runs);
}

/* --- printing --- */

static int print_word(FILE *stream, const char *word, char behind)
{
    char *text = df_text_shell_word(word);

    if (text)
        fprintf(stream, "%s%c", text, behind);
    free(text);
    return text ? 0 : -1;
}

int sweep_plan_print(FILE *stream, const struct sweep_plan *plan)
{
    for (int i = 0; i < plan->count; i++) {
        for (char **word = plan->runs[i].words; *word; word++)
            DF_TRY(print_word(stream, *word, word[1] ? ' ' : '\n'));
    }
    return 0;
}

/* --- what was recorded --- */

int sweep_run_check_recorded(const struct sweep_run *run)
{
    static const enum df_option options[] = {DF_OPTION_VAL_EVERY, DF_OPTION_EARLY_STOP,
                                             DF_OPTION_LORA_WEIGHTS};
    char *path = df_text_format("%s_config.json", run->prefix);
    int status = path ? 0 : -1;

    if (path && access(path, F_OK) == 0)
        status = df_config_compare_file(path, &run->config, options, sizeof options / sizeof *options);
    free(path);
    return status;
}
