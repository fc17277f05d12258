#include "predict_lines.h"

#include "dinoft/atomic_write.h"
#include "dinoft/json_writer.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct predict_line *predict_line_new(const char *path, struct predict_line **asked)
{
    struct predict_line *line = calloc(1, sizeof *line);

    if (!line) {
        df_error_memory("a line", sizeof *line);
        return NULL;
    }
    line->next = *asked;
    *asked = line;
    line->input.path = df_text_copy(path);
    line->input.name = df_path_stem(path);
    if (line->input.path && line->input.name)
        return line;
    predict_line_free(line, asked);
    return NULL;
}

void predict_line_free(struct predict_line *line, struct predict_line **asked)
{
    struct predict_line **at = asked;

    while (*at != line)
        at = &(*at)->next;
    *at = line->next;
    free(line->input.path);
    free(line->input.name);
    free(line);
}

struct predict_line *predict_line_of(const struct input *input)
{
    return (struct predict_line *)(void *)((char *)(uintptr_t)input - offsetof(struct predict_line, input));
}

static int check_output(const struct predict_line *line, const struct df_config *config,
                        const struct df_setup *setup, const char *path, bool *there)
{
    struct stat status;

    *there = stat(path, &status) == 0;
    if (!*there)
        return 0;
    DF_TRY(df_check_other_file(path, line->input.path));
    DF_TRY(df_setup_check_output(setup, config, path));
    if (config->overwrite || config->skip_existing)
        return 0;
    return df_error_set("%s is there already: --overwrite replaces such files", path);
}

int predict_line_check(struct predict_line *line, const struct df_config *config,
                       const struct df_setup *setup, const struct predict_writers *writers)
{
    bool all = writers->count > 0;

    for (int i = 0; i < writers->count; i++) {
        char *path = input_output_path(config, &line->input, writers->endings[i]);
        bool there = false;
        const int status = path ? check_output(line, config, setup, path, &there) : -1;
        free(path);
        if (status != 0)
            return -1;
        all = all && there;
    }
    line->is_there = all && config->skip_existing;
    return 0;
}

static int add_outputs(struct df_json *json, const struct predict_line *line, const struct df_config *config,
                       const struct predict_writers *writers)
{
    int status = 0;

    df_json_object(json, "outputs");
    for (int i = 0; i < writers->count; i++) {
        char *path = input_output_path(config, &line->input, writers->endings[i]);
        df_json_text(json, writers->items[i]->word, path);
        status = path ? status : -1;
        free(path);
    }
    df_json_close(json);
    return status;
}

static void add_result(struct df_json *json, const struct predict_look *look,
                       const struct predicted *predicted)
{
    df_json_integer(json, "width", predicted->width);
    df_json_integer(json, "height", predicted->height);
    df_json_object(json, "pixels");
    for (int c = 0; c < look->classes.count; c++) {
        if (predicted->pixels[c] > 0)
            df_json_integer(json, look->classes.names[c], predicted->pixels[c]);
    }
    df_json_close(json);
    if (look->config->threshold > 0.0)
        df_json_integer(json, "unknown_pixels", predicted->pixels[DF_IGNORE_LABEL]);
    df_json_number(json, "mean_confidence", predicted->mean_confidence);
}

int predict_line_answer(const struct predict_line *line, const struct predict_look *look,
                        const struct predict_writers *writers, const struct predicted *predicted)
{
    struct df_json json = {0};
    int status = 0;

    df_json_object(&json, NULL);
    df_json_text(&json, "image", line->input.path);
    if (predicted->failed) {
        df_json_text(&json, "error", predicted->error.text);
    } else {
        status = add_outputs(&json, line, look->config, writers);
        if (line->is_there)
            df_json_bool(&json, "skipped", true);
        else
            add_result(&json, look, predicted);
    }
    df_json_close(&json);
    char *text = df_json_print(&json, "an answer");
    if (text && status == 0 && (puts(text) < 0 || fflush(stdout) != 0))
        status = df_error_set("cannot write to standard output: %s", strerror(errno));
    else if (!text)
        status = -1;
    free(text);
    return status;
}
