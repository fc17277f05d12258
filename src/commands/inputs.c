#include "inputs.h"

#include "line_reader.h"

#include "dinoft/error.h"
#include "dinoft/image_paths.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Words of the command line that are being read. */
struct reading {
    const struct df_config *config;
    struct df_image_paths paths;
    size_t *listed; /* bounds in paths: from listed[2 k] to listed[2 k + 1] they are of a list */
    size_t n_listed;
    bool read_standard_input;
};

int input_decode(const char *path, const struct df_image_reading *reading, struct df_image *image)
{
    DF_TRY(df_image_read(path, reading, image));
    df_image_warn(path, image);
    return 0;
}

static size_t name_start(const char *path)
{
    return (size_t)(df_path_name(path) - path);
}

/* Where the output goes, if images may lie there: not in the folder that is worked in. */
static const char *left_out(const struct df_config *config)
{
    const bool writes_there = config->command != DF_COMMAND_FEATURES;
    return writes_there ? config->output_dir : NULL;
}

/* A name of a list: a file, which is looked at later, or a folder. */
static int add_listed(struct reading *reading, const char *name)
{
    struct stat status;

    if (stat(name, &status) == 0 && S_ISDIR(status.st_mode))
        return df_image_paths_add_folder(&reading->paths, name, reading->config->recursive,
                                         left_out(reading->config));
    return df_image_paths_add(&reading->paths, name, name_start(name));
}

static int add_lines(struct reading *reading, int descriptor, const char *from)
{
    struct line_reader lines = {.descriptor = descriptor};
    const size_t before = reading->paths.count;
    size_t *listed = realloc(reading->listed, (2 * reading->n_listed + 2) * sizeof *listed);
    enum line_state state = LINE_FAILED;
    const char *line;
    int status = -1;

    if (!listed)
        return df_error_memory("the list of images", (2 * reading->n_listed + 2) * sizeof *listed);
    reading->listed = listed;
    while ((state = line_reader_next(&lines, -1, &line)) == LINE_READ || state == LINE_NOT_YET) {
        if (state == LINE_READ && add_listed(reading, line) != 0)
            goto done;
    }
    if (state == LINE_FAILED)
        goto done;
    status = reading->paths.count > before ? 0 : df_error_set("%s names no image", from);
done:
    if (status != 0)
        df_error_context("%s", from);
    listed[2 * reading->n_listed] = before;
    listed[2 * reading->n_listed + 1] = reading->paths.count;
    reading->n_listed++;
    line_reader_free(&lines);
    return status;
}

static int add_list(struct reading *reading, const char *path)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0)
        return df_error_set("cannot read the list of images %s: %s", path, strerror(errno));
    const int status = add_lines(reading, descriptor, path);
    close(descriptor);
    return status;
}

static int add_standard_input(struct reading *reading)
{
    if (reading->read_standard_input)
        return df_error_set("'-' is there twice: standard input can be read once");
    reading->read_standard_input = true;
    return add_lines(reading, STDIN_FILENO, "standard input");
}

static int add_word(struct reading *reading, const char *word)
{
    const struct df_config *config = reading->config;
    struct stat status;

    if (strcmp(word, "-") == 0)
        return add_standard_input(reading);
    if (word[0] == '@')
        return add_list(reading, word + 1);
    if (stat(word, &status) != 0) {
        const int reason = errno;
        if (df_image_paths_is_pattern(word))
            return df_image_paths_add_pattern(&reading->paths, word, left_out(config));
        return df_error_set("cannot read %s: %s", word, strerror(reason));
    }
    if (S_ISDIR(status.st_mode))
        return df_image_paths_add_folder(&reading->paths, word, config->recursive, left_out(config));
    if (access(word, R_OK) != 0)
        return df_error_set("cannot read %s: %s", word, strerror(errno));
    return df_image_paths_add(&reading->paths, word, name_start(word));
}

/* Takes the paths over. */
static int fill(struct inputs *inputs, struct reading *reading)
{
    const size_t count = reading->paths.count;

    inputs->items = calloc(count, sizeof *inputs->items);
    if (!inputs->items)
        return df_error_memory("the list of images", count * sizeof *inputs->items);
    for (; inputs->count < count; inputs->count++) {
        struct df_image_path *path = &reading->paths.items[inputs->count];
        inputs->items[inputs->count] = (struct input){.path = path->path, .below = path->below};
        path->path = NULL;
    }
    for (size_t list = 0; list < reading->n_listed; list++) {
        for (size_t i = reading->listed[2 * list]; i < reading->listed[2 * list + 1]; i++)
            inputs->items[i].is_listed = true;
    }
    return 0;
}

int inputs_read(struct inputs *inputs, const struct df_config *config)
{
    struct reading reading = {.config = config};
    int status = 0;

    *inputs = (struct inputs){0};
    for (int i = 0; i < config->n_inputs && status == 0; i++)
        status = add_word(&reading, config->inputs[i]);
    if (status == 0)
        status = fill(inputs, &reading);
    df_image_paths_free(&reading.paths);
    free(reading.listed);
    return status;
}

static void free_input(struct input *input)
{
    free(input->path);
    free(input->name);
}

void inputs_free(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free_input(&inputs->items[i]);
    free(inputs->items);
    free(inputs->failed_first);
    *inputs = (struct inputs){0};
}

void inputs_note_failure(struct inputs *inputs, size_t i)
{
    struct input *input = &inputs->items[i];

    df_log("warning: not done: %s", df_error_text());
    input->failed = true;
    if (inputs->failed++ == 0)
        inputs->failed_first = df_text_copy(input->path);
}

int inputs_status(const struct inputs *inputs)
{
    if (inputs->failed == 0)
        return 0;
    df_error_set("%zu image%s could not be done, as the log says: %s%s", inputs->failed,
                 inputs->failed == 1 ? "" : "s", inputs->failed_first ? inputs->failed_first : "the first",
                 inputs->failed == 1 ? "" : ", ...");
    return 1;
}

void inputs_drop_failed(struct inputs *inputs)
{
    size_t count = 0;

    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].failed)
            free_input(&inputs->items[i]);
        else
            inputs->items[count++] = inputs->items[i];
    }
    inputs->count = count;
}
