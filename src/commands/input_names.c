/* What the outputs of a list of images are called. */
#include "inputs.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An image's place in the list, and a text that images are sorted by. */
struct key {
    const char *text;
    size_t place;
};

struct naming {
    struct inputs *inputs;
    char **absolute;   /* [inputs->count] */
    struct key *keys;  /* [inputs->count] */
    bool *marked;      /* [inputs->count] */
    size_t n_absolute; /* that are there */
};

static int compare(const void *a, const void *b)
{
    const struct key *first = a, *second = b;
    const int texts = strcmp(first->text, second->text);
    return texts != 0 ? texts : first->place < second->place ? -1 : 1;
}

/* Appends a path's parts to an absolute one, which has room; "." and ".." are resolved as they are written.
 */
static void append_parts(char *absolute, const char *path)
{
    size_t used = strlen(absolute);

    while (*path) {
        const size_t length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0) {
            while (used > 0 && absolute[--used] != '/')
                continue;
        } else if (length > 0 && !(length == 1 && *path == '.')) {
            absolute[used++] = '/';
            memcpy(absolute + used, path, length);
            used += length;
        }
        absolute[used] = '\0';
        path += length + (path[length] == '/' ? 1 : 0);
    }
}

static char *make_absolute(const char *folder, const char *path)
{
    const size_t size = strlen(folder) + strlen(path) + 3;
    char *absolute = malloc(size);

    if (!absolute) {
        df_error_memory("a path", size);
        return NULL;
    }
    *absolute = '\0';
    if (*path != '/')
        append_parts(absolute, folder);
    append_parts(absolute, path);
    return absolute;
}

static int make_all_absolute(struct naming *naming)
{
    char *folder = getcwd(NULL, 0);
    int status = folder ? 0 : df_error_set("cannot tell the current folder: %s", strerror(errno));

    for (size_t i = 0; i < naming->inputs->count && status == 0; i++) {
        naming->absolute[i] = make_absolute(folder, naming->inputs->items[i].path);
        if (!naming->absolute[i])
            status = -1;
        naming->n_absolute++;
    }
    free(folder);
    return status;
}

/* Takes the images out whose paths are there before. */
static void drop_repeated(struct naming *naming)
{
    struct inputs *inputs = naming->inputs;
    size_t count = 0;

    for (size_t i = 0; i < inputs->count; i++)
        naming->keys[i] = (struct key){naming->absolute[i], i};
    qsort(naming->keys, inputs->count, sizeof *naming->keys, compare);
    for (size_t i = 1; i < inputs->count; i++)
        naming->marked[naming->keys[i].place] = strcmp(naming->keys[i - 1].text, naming->keys[i].text) == 0;
    for (size_t i = 0; i < inputs->count; i++) {
        if (naming->marked[i]) {
            free(inputs->items[i].path);
            free(naming->absolute[i]);
            naming->marked[i] = false;
            continue;
        }
        naming->absolute[count] = naming->absolute[i];
        inputs->items[count++] = inputs->items[i];
    }
    if (count < inputs->count)
        df_log("warning: %zu images are named more than once, and are done once", inputs->count - count);
    memset(naming->marked, 0, inputs->count * sizeof *naming->marked);
    inputs->count = naming->n_absolute = count;
}

/* Marks the images whose names others have too. */
static bool find_equal(struct naming *naming)
{
    const size_t count = naming->inputs->count;
    bool any = false;

    for (size_t i = 0; i < count; i++)
        naming->keys[i] = (struct key){naming->inputs->items[i].name, i};
    qsort(naming->keys, count, sizeof *naming->keys, compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(naming->keys[i - 1].text, naming->keys[i].text) != 0)
            continue;
        naming->marked[naming->keys[i - 1].place] = naming->marked[naming->keys[i].place] = true;
        any = true;
    }
    return any;
}

/* A path without its extension, or NULL with the error set. */
static char *without_extension(const char *path)
{
    const char *name = df_path_name(path);
    const char *dot = strrchr(name, '.');
    const size_t length = dot && dot != name ? (size_t)(dot - path) : strlen(path);

    return df_text_format("%.*s", (int)length, path);
}

static bool leads_up(const char *path)
{
    return strcmp(path, "..") == 0 || df_text_starts_with(path, "../") || strstr(path, "/../");
}

static int rename_input(struct input *input, char *name)
{
    if (!name)
        return -1;
    free(input->name);
    input->name = name;
    return 0;
}

static int name_all(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct input *input = &inputs->items[i];
        const char *below = input->path + input->below;
        if (leads_up(below))
            below = strrchr(below, '/') + 1;
        DF_TRY(rename_input(input, without_extension(below)));
    }
    return 0;
}

/* Bytes of the path of the folder that all images are in, with the slash at its end. */
static size_t shared_folder(const struct naming *naming)
{
    const char *first = naming->absolute[0];
    size_t shared = (size_t)(strrchr(first, '/') + 1 - first);

    for (size_t i = 1; i < naming->inputs->count; i++) {
        size_t same = 0;
        while (same < shared && naming->absolute[i][same] == first[same])
            same++;
        while (same > 0 && first[same - 1] != '/')
            same--;
        shared = same;
    }
    return shared;
}

static int name_by_folders(struct naming *naming)
{
    const size_t shared = shared_folder(naming);

    for (size_t i = 0; i < naming->inputs->count; i++)
        DF_TRY(rename_input(&naming->inputs->items[i], without_extension(naming->absolute[i] + shared)));
    df_log("images of one name from several folders: the outputs are named by their paths below %.*s",
           (int)shared, naming->absolute[0]);
    return 0;
}

/* Those that are marked get their extensions back. */
static int keep_extensions(struct naming *naming)
{
    size_t count = 0, first = SIZE_MAX;

    for (size_t i = 0; i < naming->inputs->count; i++) {
        struct input *input = &naming->inputs->items[i];
        if (!naming->marked[i])
            continue;
        first = first == SIZE_MAX ? i : first;
        count++;
        const int kept = (int)(df_path_name(input->name) - input->name);
        DF_TRY(rename_input(input, df_text_format("%.*s%s", kept, input->name, df_path_name(input->path))));
    }
    df_log("%zu images differ by their extension alone: their outputs keep it, as %s", count,
           naming->inputs->items[first].name);
    return 0;
}

static int name_apart(struct naming *naming)
{
    DF_TRY(name_all(naming->inputs));
    if (!find_equal(naming))
        return 0;
    /* Of images in one folder, no folder tells them apart. */
    const size_t shared = shared_folder(naming);
    bool one_folder = true;
    for (size_t i = 0; i < naming->inputs->count && one_folder; i++)
        one_folder = !strchr(naming->absolute[i] + shared, '/');
    if (!one_folder) {
        DF_TRY(name_by_folders(naming));
        memset(naming->marked, 0, naming->inputs->count * sizeof *naming->marked);
        if (!find_equal(naming))
            return 0;
    }
    return keep_extensions(naming);
}

int inputs_name(struct inputs *inputs)
{
    const size_t count = inputs->count;
    struct naming naming = {.inputs = inputs,
                            .absolute = calloc(count, sizeof *naming.absolute),
                            .keys = calloc(count, sizeof *naming.keys),
                            .marked = calloc(count, sizeof *naming.marked)};
    int status = -1;

    if (!naming.absolute || !naming.keys || !naming.marked) {
        df_error_memory("the names of outputs", count * sizeof *naming.keys);
    } else if (make_all_absolute(&naming) == 0) {
        drop_repeated(&naming);
        status = name_apart(&naming);
    }
    for (size_t i = 0; i < naming.n_absolute; i++)
        free(naming.absolute[i]);
    free(naming.absolute);
    free(naming.keys);
    free(naming.marked);
    return status;
}
