#include "dinoft/class_weights.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_AT_MOST 30  /* classes */
#define NUMBER_MAX     64  /* bytes of a weight, as it is written */
#define WEIGHT_MAX     1e6 /* sums of so many pixels' weights are exact enough */

struct request {
    const char *text; /* as it was typed */
    const struct df_dataset *set;
    float *weights; /* [set->n_classes] */
};

bool df_class_weights_need_shares(const char *text)
{
    return strcmp(text, "auto") == 0 || strcmp(text, "sqrt") == 0;
}

/* A weight, which the first `length` bytes spell; -1: none. */
static double read_weight(const char *text, size_t length)
{
    char number[NUMBER_MAX];
    char *end;

    if (length == 0 || length >= sizeof number)
        return -1.0;
    memcpy(number, text, length);
    number[length] = '\0';
    if (strspn(number, "0123456789.eE+-") < length)
        return -1.0;
    const double weight = strtod(number, &end);
    return *end == '\0' && weight >= 0.0 && weight <= WEIGHT_MAX ? weight : -1.0;
}

/* --- of the training masks --- */

/* The share of labelled pixels, 0 where the class has none. */
static double share_of(const struct df_label_counts *counts, int classes, int label)
{
    int64_t all = 0;

    for (int i = 0; i < classes; i++)
        all += counts->pixels[i];
    return (double)counts->pixels[label] / (double)all;
}

/* Inverse square roots with mean 1; classes that no pixel has weigh as much as that. */
static void weigh_by_roots(const struct df_label_counts *counts, int classes, float *weights)
{
    double sum = 0.0;
    int present = 0;

    for (int i = 0; i < classes; i++) {
        if (counts->pixels[i] == 0)
            continue;
        sum += 1.0 / sqrt(share_of(counts, classes, i));
        present++;
    }
    for (int i = 0; i < classes; i++)
        weights[i] =
            counts->pixels[i] == 0 ? 1.0f : (float)(present / (sum * sqrt(share_of(counts, classes, i))));
}

void df_class_weights_auto(const struct df_dataset *set, float *weights)
{
    struct df_label_counts counts;

    df_label_census_read(set->census, &counts);
    for (int i = 0; i < set->n_classes; i++)
        weights[i] = (float)(1.0 / log(1.02 + share_of(&counts, set->n_classes, i)));
}

static void weigh_by_shares(const struct request *request)
{
    struct df_label_counts counts;

    if (strcmp(request->text, "auto") == 0) {
        df_class_weights_auto(request->set, request->weights);
        return;
    }
    df_label_census_read(request->set->census, &counts);
    weigh_by_roots(&counts, request->set->n_classes, request->weights);
}

/* --- of a file --- */

static int read_lines(const struct request *request, const char *text, size_t size)
{
    const int classes = request->set->n_classes;
    const char *const end = text + size;
    int found = 0;

    for (long line = 1; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text)), *last = stop ? stop : end;
        while (text < last && isspace((unsigned char)*text))
            text++;
        while (last > text && isspace((unsigned char)last[-1]))
            last--;
        const double weight = text < last ? read_weight(text, (size_t)(last - text)) : 0.0;
        if (weight < 0.0)
            return df_error_set("%s, line %ld: expected a weight, a number from 0 to %g", request->text, line,
                                WEIGHT_MAX);
        if (text < last && found < classes)
            request->weights[found] = (float)weight;
        found += text < last;
        text = stop ? stop + 1 : end;
    }
    if (found != classes)
        return df_error_set("%s has %d weights, for %d classes", request->text, found, classes);
    return 0;
}

static int read_file(const struct request *request)
{
    struct df_file_bytes file;

    if (df_file_bytes_read(request->text, &file) != 0)
        return df_error_context("--class_weights: neither none, auto, sqrt nor NAME=W,...");
    const int status = read_lines(request, (const char *)file.bytes, file.size);
    df_file_bytes_free(&file);
    return status == 0 ? 0 : df_error_context("--class_weights");
}

/* --- of names --- */

static int unknown(const struct df_dataset *set, const char *name)
{
    const int near = df_text_nearest(name, (const char *const *)set->class_names, set->n_classes);

    df_error_set("--class_weights: there is no class '%.100s'", name);
    return near < 0 ? -1 : df_error_advise(" (there is '%s')", set->class_names[near]);
}

/* "NAME=W", which is taken apart. */
static int read_pair(const struct request *request, char *pair, bool *named)
{
    const struct df_dataset *set = request->set;
    char *equals = strrchr(pair, '=');
    int class = -1;

    const double weight = equals ? read_weight(equals + 1, strlen(equals + 1)) : -1.0;
    if (!equals || weight < 0.0)
        return df_error_set("--class_weights: expected NAME=W, W being a number from 0 to %g; found '%.100s'",
                            WEIGHT_MAX, pair);
    *equals = '\0';
    for (int i = 0; i < set->n_classes; i++) {
        if (strcmp(set->class_names[i], pair) != 0)
            continue;
        if (class >= 0)
            return df_error_set("--class_weights: '%.100s' is the name of two classes, %d and %d", pair,
                                class, i);
        class = i;
    }
    if (class < 0)
        return unknown(set, pair);
    if (named[class])
        return df_error_set("--class_weights: '%.100s' has two weights", pair);
    named[class] = true;
    request->weights[class] = (float)weight;
    return 0;
}

static int read_names(const struct request *request)
{
    bool named[DF_MAX_CLASSES] = {false};
    char *copy = df_text_copy(request->text), *rest = copy, *pair;
    int status = copy ? 0 : -1;

    for (int i = 0; i < request->set->n_classes; i++)
        request->weights[i] = 1.0f;
    while (status == 0 && (pair = strsep(&rest, ",")) != NULL)
        status = read_pair(request, pair, named);
    free(copy);
    return status;
}

static int find_weights(const struct request *request)
{
    if (df_class_weights_need_shares(request->text)) {
        weigh_by_shares(request);
        return 0;
    }
    return strchr(request->text, '=') ? read_names(request) : read_file(request);
}

static void log_weights(const struct request *request)
{
    struct df_name_list list = {.most = LOGGED_AT_MOST};

    for (int i = 0; i < request->set->n_classes; i++)
        df_name_list_add(&list, "%s %.3g", request->set->class_names[i], (double)request->weights[i]);
    df_log("class weights: %s", list.text);
}

int df_class_weights_choose(const char *text, const struct df_dataset *set, struct df_loss_options *loss)
{
    const struct request request = {text, set, loss->class_weights};
    bool any = false;

    loss->weighted = strcmp(text, "none") != 0;
    if (!loss->weighted)
        return 0;
    DF_TRY(find_weights(&request));
    for (int i = 0; i < set->n_classes; i++)
        any = any || loss->class_weights[i] > 0.0f;
    if (!any)
        return df_error_set("--class_weights: no class weighs more than 0");
    log_weights(&request);
    return 0;
}
