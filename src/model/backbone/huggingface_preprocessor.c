#include "huggingface_preprocessor.h"

#include "huggingface_config.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "preprocessor_config.json"
#define FILE_MAX  ((size_t)1 << 20) /* bytes */
#define TOLERANCE 1e-4              /* relative, of 1 / 255 */

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

/* Three numbers, or one for all. *is_there: whether the key is. */
static int read_colours(const cJSON *tree, const char *path, const char *key, double numbers[3],
                        bool *is_there)
{
    const cJSON *item = member(tree, key);
    const bool is_list = cJSON_IsArray(item) && cJSON_GetArraySize(item) == 3;

    *is_there = item != NULL;
    for (int c = 0; item && c < 3; c++) {
        const cJSON *number = is_list ? cJSON_GetArrayItem(item, c) : item;
        if (!cJSON_IsNumber(number))
            return df_error_set("%s is damaged: its %s is not three numbers", path, key);
        numbers[c] = number->valuedouble;
    }
    return 0;
}

/* Whether colours become values from 0 to 1 before they are normalised. */
static bool is_rescaled(const cJSON *tree)
{
    const cJSON *factor = member(tree, "rescale_factor");

    return !cJSON_IsFalse(member(tree, "do_rescale")) &&
           (!cJSON_IsNumber(factor) || fabs(factor->valuedouble * 255.0 - 1.0) <= TOLERANCE);
}

static int read_tree(const cJSON *tree, const char *path, struct df_normalize *normalize, bool *says)
{
    const double zero[3] = {0.0, 0.0, 0.0}, one[3] = {1.0, 1.0, 1.0};
    double mean[3], std[3];
    bool has_mean, has_std;

    DF_TRY(read_colours(tree, path, "image_mean", mean, &has_mean));
    DF_TRY(read_colours(tree, path, "image_std", std, &has_std));
    if (!is_rescaled(tree)) {
        df_log("warning: %s does not divide colours by 255: its mean and deviation are not used", path);
        return 0;
    }
    *says = true;
    if (cJSON_IsFalse(member(tree, "do_normalize")))
        return df_normalize_set(normalize, zero, one);
    *says = has_mean && has_std;
    if (*says && df_normalize_set(normalize, mean, std) != 0)
        return df_error_context("%s", path);
    return 0;
}

int huggingface_preprocessor_read(const char *weights, struct df_normalize *normalize, bool *says)
{
    struct stat status_of;
    const bool is_folder = stat(weights, &status_of) == 0 && S_ISDIR(status_of.st_mode);
    int status = 0;

    *says = false;
    if (!huggingface_named(weights))
        return 0;
    char *folder = is_folder ? df_text_copy(weights) : df_path_folder(weights);
    char *path = folder ? df_text_format("%s/" FILE_NAME, folder) : NULL;
    if (!path) {
        status = -1;
    } else if (access(path, F_OK) == 0) {
        cJSON *tree = df_json_read(path, FILE_MAX);
        status = tree ? read_tree(tree, path, normalize, says) : -1;
        cJSON_Delete(tree);
    }
    free(path);
    free(folder);
    return status;
}
