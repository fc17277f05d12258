#include "run_history.h"

#include "run_parts.h"

#include "dinoft/best_score.h"
#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/labels.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20) /* bytes of JSON; 1000 validations of 150 classes take some 3 MB */

/* --- the run --- */

struct df_run_history *df_run_history_new(const char *prefix)
{
    struct df_run_history *history = calloc(1, sizeof *history);

    if (!history) {
        df_error_memory("the course of a run", sizeof *history);
        return NULL;
    }
    history->prefix = df_text_copy(prefix);
    if (!history->prefix) {
        free(history);
        return NULL;
    }
    const char *slash = strrchr(history->prefix, '/');
    history->name = slash ? slash + 1 : history->prefix;
    return history;
}

static void drop_metrics(struct df_run_history *history)
{
    for (int64_t i = 0; i < history->n_validations; i++)
        free(history->validations[i].class_iou);
    for (int i = 0; i < history->n_classes; i++)
        free(history->class_names[i]);
    free(history->validations);
    free(history->class_names);
    free(history->train_loss);
    history->validations = NULL;
    history->class_names = NULL;
    history->train_loss = NULL;
    history->n_validations = history->n_epochs = history->n_classes = 0;
}

void df_run_history_free(struct df_run_history *history)
{
    if (!history)
        return;
    drop_metrics(history);
    for (int i = 0; i < history->n_notes; i++)
        free(history->notes[i]);
    cJSON_Delete(history->config);
    free(history->prefix);
    free(history);
}

/* note: taken over; NULL is a failure. */
static int add_note(struct df_run_history *history, char *note)
{
    for (int i = 0; note && i < history->n_notes; i++) {
        if (strcmp(history->notes[i], note) == 0) { /* the file is read again and again */
            free(note);
            return 0;
        }
    }
    if (note && history->n_notes < DF_RUN_NOTES)
        history->notes[history->n_notes++] = note;
    else
        free(note);
    return note ? 0 : -1;
}

static char *path_of(const struct df_run_history *history, const char *ending)
{
    return df_text_format("%s%s", history->prefix, ending);
}

/* --- NAME_config.json, NAME_steps.csv --- */

static int take_config(struct df_run_history *history, const char *path)
{
    static const char *const metrics[] = {DF_BEST_METRICS(DF_CHOICE_TEXT)};

    history->is_unmeasured = false;
    cJSON_Delete(history->config);
    history->best_metric = DF_BEST_MIOU;
    history->config = df_json_read(path, FILE_MAX);
    if (!history->config)
        return -1;
    if (!cJSON_IsObject(history->config))
        return df_error_set("%s is no configuration of a run", path);
    const char *metric =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(history->config, "best_metric"));
    for (size_t i = 0; metric && i < sizeof metrics / sizeof *metrics; i++) {
        if (strcmp(metric, metrics[i]) == 0)
            history->best_metric = (enum df_best_metric)i;
    }
    history->is_unmeasured = run_fact_number(history, "validation_images") == 0.0;
    return history->is_unmeasured
               ? add_note(history, df_text_format("%s has no validation images: nothing was measured, and no "
                                                  "checkpoint is the best.",
                                                  history->name))
               : 0;
}

int df_run_history_read_config(struct df_run_history *history)
{
    char *path = path_of(history, "_config.json");
    int status = -1;

    if (path && access(path, F_OK) == 0)
        status = take_config(history, path);
    else if (path)
        status = add_note(history, df_text_format("%s_config.json is not there: the settings are not known.",
                                                  history->name));
    free(path);
    return status;
}

int df_run_history_read_steps(struct df_run_history *history)
{
    char *path = path_of(history, "_steps.csv");
    int status = -1;

    memset(&history->steps, 0, sizeof history->steps);
    if (path && access(path, F_OK) == 0)
        status = df_steps_read(path, &history->steps);
    else if (path)
        status =
            add_note(history, df_text_format("%s_steps.csv is not there: nothing is known of single steps.",
                                             history->name));
    if (status == 0 && history->steps.is_cut)
        status = add_note(
            history, df_text_format("The last line of %s_steps.csv is cut, and left out.", history->name));
    if (status == 0 && history->steps.count > 0 && history->steps.bins[0].first > 1)
        status =
            add_note(history, df_text_format("The first steps are missing in %s_steps.csv.", history->name));
    free(path);
    return status;
}

/* --- NAME_metrics.json --- */

/* The list of that name; NULL where there is none. */
static const cJSON *list_of(const cJSON *tree, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, name);
    return cJSON_IsArray(list) ? list : NULL;
}

/* A number, or null. */
static int read_number(const cJSON *item, const char *name, bool is_share, double *value)
{
    *value = NAN;
    if (cJSON_IsNull(item))
        return 0;
    if (!cJSON_IsNumber(item) || (is_share && !(item->valuedouble >= 0.0 && item->valuedouble <= 1.0)))
        return df_error_set("a value of %s is no number%s", name, is_share ? " of 0 to 1" : "");
    *value = item->valuedouble;
    return 0;
}

static int read_train_loss(struct df_run_history *history, const cJSON *tree)
{
    const cJSON *list = list_of(tree, "train_loss"), *item;

    if (!list)
        return df_error_set("it has no list train_loss: these are no metrics of a run");
    const size_t bytes = ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *history->train_loss;
    history->train_loss = malloc(bytes);
    if (!history->train_loss)
        return df_error_memory("the course of a run", bytes);
    cJSON_ArrayForEach(item, list)
    {
        DF_TRY(read_number(item, "train_loss", false, &history->train_loss[history->n_epochs]));
        history->n_epochs++;
    }
    return 0;
}

static int open_validations(struct df_run_history *history, const cJSON *tree)
{
    const cJSON *list = list_of(tree, "val_loss");

    if (!list)
        return df_error_set("it has no list val_loss: these are no metrics of a run");
    const int64_t count = cJSON_GetArraySize(list);
    history->validations = calloc((size_t)count + 1, sizeof *history->validations);
    if (!history->validations)
        return df_error_memory("the course of a run", ((size_t)count + 1) * sizeof *history->validations);
    history->n_validations = count;
    return 0;
}

/* One number of every validation; where the list is missing, NaN. offset: of the field in the struct. */
static int read_values(struct df_run_history *history, const cJSON *tree, const char *name, bool is_share,
                       size_t offset)
{
    const cJSON *list = list_of(tree, name), *item = list ? list->child : NULL;

    if (!list)
        DF_TRY(add_note(history, df_text_format("%s_metrics.json has no %s.", history->name, name)));
    else if (cJSON_GetArraySize(list) != history->n_validations)
        return df_error_set("%s has not as many values as val_loss", name);
    for (int64_t i = 0; i < history->n_validations; i++) {
        double *value = (double *)((char *)&history->validations[i] + offset);
        *value = NAN;
        if (item)
            DF_TRY(read_number(item, name, is_share, value));
        item = item ? item->next : NULL;
    }
    return 0;
}

/* Files of dinov2-finetune have no epochs of the validations, which lie apart evenly there. */
static int guess_epochs(struct df_run_history *history)
{
    const int64_t count = history->n_validations, epochs = history->n_epochs;

    if (count > epochs)
        return df_error_set("it has more validations than epochs");
    for (int64_t i = 0; i < count; i++)
        history->validations[i].epoch = (i + 1) * epochs / count;
    return add_note(history, df_text_format("%s_metrics.json does not say which epochs the validations are "
                                            "of: they are shown as if they were evenly apart.",
                                            history->name));
}

static int read_epochs(struct df_run_history *history, const cJSON *tree)
{
    const cJSON *list = list_of(tree, "val_epoch"), *item;
    int64_t i = 0, last = 0, shift = history->steps.from_zero;

    if (!list)
        return guess_epochs(history);
    if (cJSON_GetArraySize(list) != history->n_validations)
        return df_error_set("val_epoch has not as many values as val_loss");
    if (list->child && cJSON_IsNumber(list->child) && list->child->valuedouble == 0.0)
        shift = 1;
    cJSON_ArrayForEach(item, list)
    {
        const double epoch = cJSON_IsNumber(item) ? item->valuedouble + (double)shift : NAN;
        if (!(epoch > (double)last && epoch <= (double)history->n_epochs) || epoch != floor(epoch))
            return df_error_set("val_epoch is no ascending list of epochs that train_loss has");
        last = (int64_t)epoch;
        history->validations[i++].epoch = last;
    }
    return 0;
}

static int read_names(struct df_run_history *history, const cJSON *tree)
{
    const cJSON *list = list_of(tree, "class_names"), *item;

    if (!list)
        return add_note(history,
                        df_text_format("%s_metrics.json has nothing of the classes.", history->name));
    if (cJSON_GetArraySize(list) > DF_MAX_CLASSES)
        return df_error_set("it has more than %d classes", DF_MAX_CLASSES);
    history->class_names = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *history->class_names);
    if (!history->class_names)
        return df_error_memory("the names of classes", 0);
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return df_error_set("a name of class_names is no text");
        history->class_names[history->n_classes] = df_text_copy(item->valuestring);
        if (!history->class_names[history->n_classes])
            return -1;
        history->n_classes++;
    }
    return 0;
}

static int read_class_row(struct df_run_history *history, const cJSON *row, double **values)
{
    const cJSON *item;
    int i = 0;

    if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != history->n_classes)
        return df_error_set("a row of val_class_iou has not a value for each class");
    *values = malloc(((size_t)history->n_classes + 1) * sizeof **values);
    if (!*values)
        return df_error_memory("the course of a run", ((size_t)history->n_classes + 1) * sizeof **values);
    cJSON_ArrayForEach(item, row)
    {
        DF_TRY(read_number(item, "val_class_iou", true, *values + i++));
    }
    return 0;
}

static int read_class_iou(struct df_run_history *history, const cJSON *tree)
{
    const cJSON *list = list_of(tree, "val_class_iou"), *row;
    int64_t i = 0;

    if (history->n_classes == 0)
        return 0;
    if (!list)
        return add_note(history, df_text_format("%s_metrics.json has no IoU of classes.", history->name));
    if (cJSON_GetArraySize(list) != history->n_validations)
        return df_error_set("val_class_iou has not as many rows as val_loss");
    cJSON_ArrayForEach(row, list)
    {
        DF_TRY(read_class_row(history, row, &history->validations[i++].class_iou));
    }
    return 0;
}

static int take_metrics(struct df_run_history *history, const cJSON *tree)
{
    DF_TRY(read_train_loss(history, tree));
    DF_TRY(open_validations(history, tree));
    DF_TRY(read_epochs(history, tree));
#define VALUES(NAME, FIELD, IS_SHARE)                                                                        \
    DF_TRY(read_values(history, tree, NAME, IS_SHARE, offsetof(struct df_run_validation, FIELD)))
    VALUES("val_loss", loss, false);
    VALUES("val_iou", miou, true);
    VALUES("val_pixel_accuracy", pixel_accuracy, true);
    VALUES("val_reference_miou", reference_miou, true);
#undef VALUES
    DF_TRY(read_names(history, tree));
    return read_class_iou(history, tree);
}

int df_run_history_read_metrics(struct df_run_history *history)
{
    char *path = path_of(history, "_metrics.json");
    cJSON *tree = path ? df_json_read(path, FILE_MAX) : NULL;
    int status = -1;

    drop_metrics(history);
    if (tree && (status = take_metrics(history, tree)) != 0)
        df_error_context("%s", path);
    cJSON_Delete(tree);
    free(path);
    return status;
}

struct df_run_history *df_run_history_read(const char *prefix)
{
    struct df_run_history *history = df_run_history_new(prefix);

    if (history && df_run_history_read_config(history) == 0 && df_run_history_read_steps(history) == 0 &&
        df_run_history_read_metrics(history) == 0)
        return history;
    df_run_history_free(history);
    return NULL;
}

/* --- the best one --- */

double df_run_score(const struct df_run_validation *validation, enum df_best_metric metric)
{
    const struct df_scores scores = {.loss = validation->loss,
                                     .miou = validation->miou,
                                     .pixel_accuracy = validation->pixel_accuracy,
                                     .reference_miou = validation->reference_miou};
    return df_best_score(metric, &scores);
}

int64_t df_run_best(const struct df_run_history *history, enum df_best_metric metric)
{
    double best = NAN;
    int64_t index = -1;

    for (int64_t i = 0; i < history->n_validations; i++) {
        const double score = df_run_score(&history->validations[i], metric);
        if (index < 0 ? !isnan(score) : df_best_is_better(metric, score, best)) {
            best = score;
            index = i;
        }
    }
    return index;
}
