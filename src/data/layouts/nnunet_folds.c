/* The folds of nnU-Net's cross-validation: splits_final.json is a list of {"train": [CASE, …], "val": [CASE,
 * …]}. */
#include "nnunet.h"

#include "../sample_list.h"
#include "../split_folders.h"

#include "dinoft/digest.h"
#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST     ((size_t)1 << 26)
#define NAMED_AT_MOST 3
#define ALL           "all"

struct folds {
    struct df_dataset *dataset; /* in the order of its names */
    const char *path, *fold;
    struct df_digest digest;
    int8_t *parts; /* [dataset->count]: 0, or 1 more than the split that the case is in */
    struct df_name_list unknown;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct df_sample *)a)->name, ((const struct df_sample *)b)->name);
}

static int read_case(struct folds *folds, const char *name, enum df_split split)
{
    const struct df_sample wanted = {.name = (char *)name};
    const struct df_sample *samples = folds->dataset->samples;
    const struct df_sample *found =
        bsearch(&wanted, samples, (size_t)folds->dataset->count, sizeof wanted, compare);

    df_digest_add_text(&folds->digest, name);
    if (!found) {
        df_name_list_add(&folds->unknown, "%s", name);
        return 0;
    }
    int8_t *part = &folds->parts[found - samples];
    if (*part != 0)
        return df_error_set("%s: the case %s is in fold %s twice", folds->path, name, folds->fold);
    *part = (int8_t)(1 + (int)split);
    return 0;
}

static int read_cases(struct folds *folds, const cJSON *fold, const char *key, enum df_split split)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(fold, key), *item;

    if (!cJSON_IsArray(list) || (cJSON_GetArraySize(list) == 0 && split == DF_SPLIT_TRAIN))
        return df_error_set("%s: fold %s has no list of cases '%s'", folds->path, folds->fold, key);
    df_digest_add_number(&folds->digest, (uint64_t)split);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return df_error_set("%s: fold %s has a case that is no text", folds->path, folds->fold);
        DF_TRY(read_case(folds, item->valuestring, split));
    }
    return 0;
}

/* NULL with the error set. */
static const cJSON *find_fold(const char *path, const char *fold, const cJSON *tree)
{
    char *end;
    const long number = strtol(fold, &end, 10);
    const int count = cJSON_GetArraySize(tree);

    if (!cJSON_IsArray(tree) || count == 0) {
        df_error_set("%s is no list of folds", path);
        return NULL;
    }
    if (end != fold && *end == '\0' && number >= 0 && number < count)
        return cJSON_GetArrayItem(tree, (int)number);
    df_error_set("--fold %s: %s has the folds 0 to %d (or all)", fold, path, count - 1);
    return NULL;
}

static int read_fold(struct folds *folds, const cJSON *tree)
{
    const cJSON *fold = find_fold(folds->path, folds->fold, tree);

    if (!fold)
        return -1;
    DF_TRY(read_cases(folds, fold, "train", DF_SPLIT_TRAIN));
    DF_TRY(read_cases(folds, fold, "val", DF_SPLIT_VAL));
    if (folds->unknown.count == 0)
        return 0;
    return df_error_set("%zu of the cases of fold %s in %s have no image: %s", folds->unknown.count,
                        folds->fold, folds->path, folds->unknown.text);
}

static int keep(struct folds *folds, enum df_split split, bool tells)
{
    struct df_dataset *dataset = folds->dataset;
    struct df_name_list unlisted = {.most = NAMED_AT_MOST};
    int64_t *chosen = calloc((size_t)dataset->count, sizeof *chosen), count = 0;

    if (!chosen)
        return df_error_memory("a fold", (unsigned long long)dataset->count * sizeof *chosen);
    for (int64_t i = 0; i < dataset->count; i++) {
        if (folds->parts[i] == 1 + (int)split)
            chosen[count++] = i;
        else if (folds->parts[i] == 0)
            df_name_list_add(&unlisted, "%s", dataset->samples[i].name);
    }
    if (unlisted.count > 0 && tells)
        df_log("warning: %zu of the %" PRId64 " cases are not in fold %s and not used: %s", unlisted.count,
               dataset->count, folds->fold, unlisted.text);
    const int status = df_sample_select(dataset, chosen, count);
    free(chosen);
    return status;
}

/* A model of one fold was trained on the validation images of the others. */
static int check_trained(const struct folds *folds, const struct df_layout_options *layout,
                         const struct df_split_record *made)
{
    const struct df_split_record *trained = &layout->trained;

    if (!*trained->fold)
        return 0;
    if (strcmp(trained->fold, made->fold) != 0)
        df_log(
            "warning: %s was trained on fold %s: validation images of fold %s may be among those that it was "
            "trained on",
            layout->trained_file, trained->fold, made->fold);
    else if (!layout->fold && trained->names != made->names)
        return df_error_set(
            "%s was trained on fold %s, whose cases in %s are others now: validation images may be "
            "among those that it was trained on (--fold %s takes them all the same)",
            layout->trained_file, made->fold, folds->path, made->fold);
    return 0;
}

static int choose_number(struct folds *folds, const struct df_dataset_options *options)
{
    struct df_split_record *made = &folds->dataset->split_made;
    cJSON *tree = df_json_read(folds->path, FILE_MOST);
    int status = -1;

    df_digest_start(&folds->digest);
    folds->parts = calloc((size_t)folds->dataset->count, sizeof *folds->parts);
    if (tree && !folds->parts)
        df_error_memory("a fold", (unsigned long long)folds->dataset->count);
    else if (tree)
        status = read_fold(folds, tree);
    cJSON_Delete(tree);
    if (status == 0) {
        snprintf(made->fold, sizeof made->fold, "%s", folds->fold);
        made->images = folds->dataset->count;
        made->names = df_digest_value(&folds->digest);
        status = check_trained(folds, &options->layout, made);
    }
    if (status == 0)
        status = keep(folds, options->split, options->layout.tells);
    free(folds->parts);
    return status;
}

/* As nnU-Net does: each case trains, and each validates, which is no measure of anything but the memory. */
static int choose_all(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    struct df_split_record *made = &dataset->split_made;

    snprintf(made->fold, sizeof made->fold, "%s", ALL);
    made->images = dataset->count;
    if (options->layout.tells)
        df_log("warning: --fold all trains on all images and validates on the same: its scores say nothing "
               "of new "
               "images");
    return 0;
}

/* What is typed, or recorded by a checkpoint, or the first. */
static const char *fold_of(const struct df_layout_options *layout)
{
    return layout->fold ? layout->fold : *layout->trained.fold ? layout->trained.fold : "0";
}

static int choose(struct df_dataset *dataset, const struct df_dataset_options *options,
                  struct df_listing *listing, const char *path)
{
    const struct df_layout_options *layout = &options->layout;
    const bool there = df_path_exists(path), recorded = !layout->fold && *layout->trained.fold;
    struct folds folds = {
        .dataset = dataset, .path = path, .fold = fold_of(layout), .unknown.most = NAMED_AT_MOST};
    const size_t used = strlen(listing->what);

    if (!there && !layout->fold && !recorded)
        return 0;
    listing->divided = true;
    snprintf(listing->what + used, sizeof listing->what - used, ", fold %s%s%s%s", folds.fold,
             recorded ? ", as " : "", recorded ? layout->trained_file : "",
             recorded       ? " records"
             : layout->fold ? ""
                            : " of splits_final.json (--fold says which)");
    if (strcmp(folds.fold, ALL) == 0)
        return choose_all(dataset, options);
    if (!there)
        return df_error_set(
            "--fold %s: %s is not there (nnU-Net writes it into the preprocessed data set's folder)",
            folds.fold, path);
    return choose_number(&folds, options);
}

int df_nnunet_choose_fold(struct df_dataset *dataset, const struct df_dataset_options *options,
                          struct df_listing *listing)
{
    char *path = df_text_format("%s/splits_final.json", options->root);
    int status = -1;

    qsort(dataset->samples, (size_t)dataset->count, sizeof *dataset->samples, compare);
    if (path)
        status = choose(dataset, options, listing, path);
    free(path);
    return status;
}

/* A fold whose list of validation cases is empty has none; what else is odd is told where cases are read. */
int df_nnunet_have(const struct df_dataset_options *options, enum df_split split, bool *has)
{
    char *path = df_text_format("%s/splits_final.json", options->root);
    const char *fold = fold_of(&options->layout);
    int status = path ? 0 : -1;

    *has = true;
    if (path && split == DF_SPLIT_VAL && df_is_file(path) && strcmp(fold, ALL) != 0) {
        cJSON *tree = df_json_read(path, FILE_MOST);
        const cJSON *found = tree ? find_fold(path, fold, tree) : NULL;
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(found, "val");
        *has = !cJSON_IsArray(list) || cJSON_GetArraySize(list) > 0;
        status = found ? 0 : -1;
        cJSON_Delete(tree);
    }
    free(path);
    return status;
}
