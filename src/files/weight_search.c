#include "dinoft/weight_search.h"

#include "dinoft/error.h"
#include "dinoft/program.h"
#include "dinoft/text.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that is typed may have its ending; a backbone's name has none. */
static const char *const typed_endings[] = {"", ".safetensors", ".pth", ".onnx", NULL};
#define NAME_ENDINGS (typed_endings + 1)

/* --- the list --- */

/* Takes over the path; NULL is an error that was set. */
static int add_folder(struct df_weight_folders *folders, char *path)
{
    if (!path)
        return -1;
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    for (int i = 0; i < folders->count; i++) {
        if (strcmp(folders->paths[i], path) == 0) {
            free(path);
            return 0;
        }
    }
    const size_t bytes = ((size_t)folders->count + 1) * sizeof *folders->paths;
    char **paths = realloc(folders->paths, bytes);
    if (!paths) {
        free(path);
        return df_error_memory("the folders of weights", bytes);
    }
    folders->paths = paths;
    folders->paths[folders->count++] = path;
    return 0;
}

static int add_variable(struct df_weight_folders *folders)
{
    const char *entry = getenv("DINOFT_WEIGHTS");

    while (entry && *entry) {
        const size_t length = strcspn(entry, ":");
        if (length > 0)
            DF_TRY(add_folder(folders, df_text_format("%.*s", (int)length, entry)));
        entry += length + (entry[length] == ':');
    }
    return 0;
}

static bool is_absolute(const char *path)
{
    return path && path[0] == '/';
}

static const char *home(void)
{
    const char *path = getenv("HOME");

    if (is_absolute(path))
        return path;
    const struct passwd *entry = getpwuid(getuid());
    return entry && is_absolute(entry->pw_dir) ? entry->pw_dir : NULL;
}

/* As the XDG base directory specification has it. */
static int add_users(struct df_weight_folders *folders)
{
    const char *data = getenv("XDG_DATA_HOME");

    if (is_absolute(data))
        return add_folder(folders, df_text_format("%s/dinoft/weights", data));
    const char *path = home();
    return path ? add_folder(folders, df_text_format("%s/.local/share/dinoft/weights", path)) : 0;
}

static int add_installed(struct df_weight_folders *folders)
{
    char *prefix = df_program_prefix();
    int status = 0;

    if (prefix)
        status = add_folder(
            folders, df_text_format("%s/share/dinoft/weights", strcmp(prefix, "/") == 0 ? "" : prefix));
    free(prefix);
    return status;
}

int df_weight_folders_list(struct df_weight_folders *folders)
{
    memset(folders, 0, sizeof *folders);
    DF_TRY(add_variable(folders));
    DF_TRY(add_folder(folders, df_text_copy("weights")));
    DF_TRY(add_users(folders));
    return add_installed(folders);
}

void df_weight_folders_free(struct df_weight_folders *folders)
{
    for (int i = 0; i < folders->count; i++)
        free(folders->paths[i]);
    free(folders->paths);
    memset(folders, 0, sizeof *folders);
}

/* --- the search --- */

enum kind { A_FILE, A_FOLDER };

/* What is neither, a pipe, counts as a file: the reader says what is wrong with it. */
static bool is_there(const char *path, enum kind kind)
{
    struct stat status;
    return stat(path, &status) == 0 && (S_ISDIR(status.st_mode) != 0) == (kind == A_FOLDER);
}

/* The first that is there, or NULL, in *found. -1 with the error set: no memory. */
static int search(const struct df_weight_folders *folders, const char *name, const char *const endings[],
                  enum kind kind, char **found)
{
    *found = NULL;
    for (int i = 0; i < folders->count; i++) {
        for (int k = 0; endings[k]; k++) {
            char *path = df_text_format("%s/%s%s", folders->paths[i], name, endings[k]);
            if (!path)
                return -1;
            if (is_there(path, kind)) {
                *found = path;
                return 0;
            }
            free(path);
        }
    }
    return 0;
}

/* "a, b or c" */
static char *listed(const struct df_weight_folders *folders)
{
    char *text = df_text_copy(folders->paths[0]);

    for (int i = 1; text && i < folders->count; i++) {
        const char *separator = i + 1 < folders->count ? ", " : " or ";
        char *longer = df_text_format("%s%s%s", text, separator, folders->paths[i]);
        free(text);
        text = longer;
    }
    return text;
}

typedef void not_found(const char *name, const char *folders);

static char *find(const char *name, const char *const endings[], enum kind kind, not_found *explain)
{
    struct df_weight_folders folders;
    char *found = NULL, *text;

    if (df_weight_folders_list(&folders) != 0 || search(&folders, name, endings, kind, &found) != 0 || found)
        goto done;
    text = listed(&folders);
    if (text)
        explain(name, text);
    free(text);
done:
    df_weight_folders_free(&folders);
    return found;
}

static void no_backbone(const char *name, const char *folders)
{
    df_error_set("no backbone %s: there is no .safetensors, .pth or .onnx file of that name in %s; "
                 "scripts/get_weights.py %s (installed: dinoft-get-weights %s) fetches it",
                 name, folders, name, name);
}

char *df_find_backbone(const char *name)
{
    return find(name, NAME_ENDINGS, A_FILE, no_backbone);
}

static void no_typed_weights(const char *typed, const char *folders)
{
    (void)typed;
    df_error_set(
        "no such file here, nor one of that name, as it is or with .safetensors, .pth or "
        ".onnx, in %s; scripts/get_weights.py --list (installed: dinoft-get-weights --list) says what "
        "can be fetched",
        folders);
}

char *df_find_typed_weights(const char *typed)
{
    if (strchr(typed, '/') || is_there(typed, A_FILE))
        return df_text_copy(typed);
    return find(typed, typed_endings, A_FILE, no_typed_weights);
}

static void no_subfolder(const char *name, const char *folders)
{
    df_error_set("there is no folder %s in %s", name, folders);
}

char *df_find_weight_subfolder(const char *name)
{
    static const char *const as_it_is[] = {"", NULL};
    return find(name, as_it_is, A_FOLDER, no_subfolder);
}
