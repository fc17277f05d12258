/* What a run was asked for, and what became of it: NAME_config.json as tables. */
#include "run_parts.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN   "\xe2\x80\x93" /* an en dash */
#define FACTS     "facts"
#define RUNS_MOST 6 /* of a table: more columns would not fit on paper */

static char *join_list(const cJSON *list)
{
    char *text = df_text_copy("");
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        char *word = cJSON_IsString(item) ? df_text_copy(item->valuestring) : cJSON_PrintUnformatted(item);
        char *longer = text && word ? df_text_format("%s%s%s", text, *text ? " " : "", word) : NULL;
        free(word);
        free(text);
        text = longer;
    }
    return text;
}

/* As it would be typed. */
static char *text_of(const cJSON *item)
{
    if (!item || cJSON_IsNull(item))
        return df_text_copy(UNKNOWN);
    if (cJSON_IsString(item))
        return df_text_copy(item->valuestring);
    if (cJSON_IsBool(item))
        return df_text_copy(cJSON_IsTrue(item) ? "yes" : "no");
    if (cJSON_IsArray(item))
        return join_list(item);
    char *text = cJSON_PrintUnformatted(item);
    if (!text)
        df_error_memory("a setting", 0);
    return text;
}

static const cJSON *setting_of(const struct df_run_history *history, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(history->config, name);
}

static const cJSON *fact_of(const struct df_run_history *history, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(setting_of(history, FACTS), name);
}

char *run_fact_text(const struct df_run_history *history, const char *name)
{
    return text_of(fact_of(history, name));
}

static double number_of(const cJSON *item)
{
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

double run_setting_number(const struct df_run_history *history, const char *name)
{
    return number_of(setting_of(history, name));
}

double run_fact_number(const struct df_run_history *history, const char *name)
{
    return number_of(fact_of(history, name));
}

/* --- one run --- */

static int write_text_cell(FILE *page, const cJSON *item)
{
    char *text = text_of(item);

    if (text)
        df_html_cell(page, text);
    free(text);
    return text ? 0 : -1;
}

static int write_fact(FILE *page, const cJSON *item)
{
    char *text = text_of(item);

    if (text)
        df_html_fact(page, item->string, text);
    free(text);
    return text ? 0 : -1;
}

static int write_changed(FILE *page, const cJSON *config, const cJSON *defaults)
{
    static const struct df_html_column columns[] = {{"setting", false}, {"value", false}, {"default", false}};
    const cJSON *item;

    df_html_table_begin(page, "Settings that are not the defaults.", columns, 3);
    cJSON_ArrayForEach(item, config)
    {
        const cJSON *initial = cJSON_GetObjectItemCaseSensitive(defaults, item->string);
        if (strcmp(item->string, FACTS) == 0 || !initial || cJSON_Compare(item, initial, true))
            continue;
        df_html_row_begin(page, item->string);
        DF_TRY(write_text_cell(page, item));
        DF_TRY(write_text_cell(page, initial));
        df_html_row_end(page);
    }
    df_html_table_end(page);
    return 0;
}

/* The values of an object that are not lists of values themselves, in a part that is folded. */
static int write_folded(FILE *page, const char *title, const cJSON *object)
{
    const cJSON *item;

    if (!cJSON_IsObject(object))
        return 0;
    fputs("<details>\n<summary>", page);
    df_html_text(page, title);
    fputs("</summary>\n<dl>\n", page);
    cJSON_ArrayForEach(item, object)
    {
        if (!cJSON_IsObject(item) && strcmp(item->string, "command_line") != 0)
            DF_TRY(write_fact(page, item));
    }
    fputs("</dl>\n</details>\n", page);
    return 0;
}

static int write_word(FILE *page, const char *word)
{
    char *text = df_text_shell_word(word);

    if (text)
        df_html_text(page, text);
    free(text);
    return text ? 0 : -1;
}

static int write_command_line(FILE *page, const cJSON *words)
{
    const cJSON *item;

    if (!cJSON_IsArray(words))
        return 0;
    fputs("<pre>", page);
    cJSON_ArrayForEach(item, words)
    {
        if (item != words->child)
            putc(' ', page);
        if (cJSON_IsString(item))
            DF_TRY(write_word(page, item->valuestring));
    }
    fputs("</pre>\n", page);
    return 0;
}

int run_settings_table(FILE *page, const struct df_run_history *history, const char *defaults)
{
    if (!history->config)
        return 0;
    cJSON *initial = cJSON_Parse(defaults);
    if (!initial)
        return df_error_memory("the settings' defaults", 0);
    df_html_heading(page, "Configuration");
    int status = write_command_line(page, fact_of(history, "command_line"));
    if (status == 0)
        status = write_changed(page, history->config, initial);
    if (status == 0)
        status = write_folded(page, "All settings", history->config);
    if (status == 0)
        status = write_folded(page, "What became of them", setting_of(history, FACTS));
    if (status == 0)
        status = write_folded(page, "The program and the machine", fact_of(history, "machine"));
    cJSON_Delete(initial);
    return status;
}

/* --- several runs --- */

/* What names a run, and how it was begun. */
static bool is_of_one_run(const char *name)
{
    static const char *const names[] = {"exp_name", "output_dir", "log_dir",   "log_file", "quiet",
                                        "config",   "resume",     "overwrite", FACTS};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

typedef const cJSON *find_value(const struct df_run_history *history, const char *name);

static bool differs(const struct run_shown *runs, size_t count, find_value *find, const char *name)
{
    const cJSON *first = find(runs[0].history, name);

    for (size_t i = 1; i < count; i++) {
        const cJSON *other = find(runs[i].history, name);
        if (!first != !other || (first && !cJSON_Compare(first, other, true)))
            return true;
    }
    return false;
}

/* Facts say again what some settings say. */
static bool is_shown(const struct run_shown *runs, size_t run, size_t count, find_value *find,
                     const cJSON *item)
{
    const char *name = item->string;

    for (size_t i = 0; i < run; i++) {
        if (find(runs[i].history, name))
            return false; /* with that run's values */
    }
    if (find == fact_of &&
        (setting_of(runs[run].history, name) || cJSON_IsArray(item) || cJSON_IsObject(item)))
        return false;
    return !is_of_one_run(name) && differs(runs, count, find, name);
}

/* The rows of the table that has the runs from `first` to before `end`. */
static int write_rows(FILE *page, const struct run_shown *runs, size_t count, find_value *find, size_t first,
                      size_t end, size_t *rows)
{
    for (size_t run = 0; run < count; run++) {
        const cJSON *all = find == fact_of ? setting_of(runs[run].history, FACTS) : runs[run].history->config;
        const cJSON *item;
        cJSON_ArrayForEach(item, all)
        {
            if (!item->string || !is_shown(runs, run, count, find, item))
                continue;
            df_html_row_begin(page, item->string);
            for (size_t i = first; i < end; i++)
                DF_TRY(write_text_cell(page, find(runs[i].history, item->string)));
            df_html_row_end(page);
            ++*rows;
        }
    }
    return 0;
}

static int write_table(FILE *page, const struct run_shown *runs, size_t count, size_t first)
{
    struct df_html_column columns[RUNS_MOST + 1] = {{"setting", false}};
    const size_t end = first + RUNS_MOST < count ? first + RUNS_MOST : count;
    size_t rows = 0;

    for (size_t i = first; i < end; i++)
        columns[i - first + 1].name = runs[i].label;
    df_html_table_begin(page, NULL, columns, end - first + 1);
    DF_TRY(write_rows(page, runs, count, setting_of, first, end, &rows));
    DF_TRY(write_rows(page, runs, count, fact_of, first, end, &rows));
    df_html_table_end(page);
    if (rows == 0)
        fputs("<p>There are none.</p>\n", page);
    return 0;
}

int run_settings_differences(FILE *page, const struct run_shown *runs, size_t count)
{
    df_html_heading(page, "Settings that differ");
    for (size_t first = 0; first < count; first += RUNS_MOST)
        DF_TRY(write_table(page, runs, count, first));
    return 0;
}
