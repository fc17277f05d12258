#include "dinoft/data_summary.h"

#include "data_warnings.h"

#include "dinoft/class_weights.h"
#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/labels.h"
#include "dinoft/median.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const set_names[DF_SURVEY_SETS] = {"training", "validation"};

/* --- formats and sizes --- */

static void count_format(struct df_set_summary *set, const char *format)
{
    int i = 0;

    while (i < set->n_formats && strcmp(set->formats[i].name, format) != 0)
        i++;
    if (i == DF_SUMMARY_FORMATS)
        return;
    if (i == set->n_formats)
        set->formats[set->n_formats++] = (struct df_format_count){.name = format};
    set->formats[i].images++;
}

static int compare_formats(const void *a, const void *b)
{
    const struct df_format_count *x = a, *y = b;

    if (x->images != y->images)
        return x->images > y->images ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* values [count] are sorted. */
static struct df_side_range range_of(double *values, int64_t count)
{
    struct df_side_range range = {0};

    if (count > 0) {
        range.median = df_median(values, (size_t)count);
        range.least = (int64_t)values[0];
        range.most = (int64_t)values[count - 1];
    }
    return range;
}

static int summarize_images(struct df_set_summary *set)
{
    const struct df_surveyed_pair *pairs = set->surveyed->pairs;
    double *sides = malloc(((size_t)set->pairs + 1) * 2 * sizeof *sides), *heights = sides + set->pairs;

    if (!sides)
        return df_error_memory("the sizes of images", ((size_t)set->pairs + 1) * 2 * sizeof *sides);
    for (int64_t i = 0; i < set->pairs; i++) {
        set->faulty += pairs[i].is_faulty;
        if (pairs[i].width == 0)
            continue;
        sides[set->images] = pairs[i].width;
        heights[set->images++] = pairs[i].height;
        if (pairs[i].format)
            count_format(set, pairs[i].format);
    }
    set->width = range_of(sides, set->images);
    set->height = range_of(heights, set->images);
    qsort(set->formats, (size_t)set->n_formats, sizeof *set->formats, compare_formats);
    free(sides);
    return 0;
}

static void summarize_channels(struct df_set_summary *set)
{
    const struct df_channel_sums *sums = &set->surveyed->sums;
    const long double pixels = (long double)sums->pixels;

    for (int c = 0; c < 3; c++) {
        const long double mean = (long double)sums->sums[c] / pixels;
        const long double variance = (long double)sums->squares[c] / pixels - mean * mean;
        set->mean[c] = sums->pixels > 0 ? (double)(mean / 255) : NAN;
        set->deviation[c] = sums->pixels > 0 ? sqrt(fmax(0.0, (double)variance)) / 255 : NAN;
    }
}

/* --- classes --- */

static void summarize_labels(struct df_set_summary *set, int n_classes)
{
    struct df_label_census *census = set->surveyed->set->census;
    struct df_label_counts counts;

    df_label_census_read(census, &counts);
    set->ignored = counts.pixels[DF_IGNORE_LABEL];
    for (int label = 0; label < n_classes; label++) {
        set->classes[label].pixels = counts.pixels[label];
        set->labelled += counts.pixels[label];
    }
    for (int64_t i = 0; i < set->pairs; i++) {
        uint64_t labels[DF_LABEL_VALUES / 64];
        df_label_census_labels(census, i, labels);
        for (int label = 0; label < n_classes; label++)
            set->classes[label].images += labels[label / 64] >> label % 64 & 1;
    }
}

static int summarize_set(struct df_data_summary *summary, struct df_set_summary *set)
{
    set->pairs = set->surveyed->set->count;
    DF_TRY(summarize_images(set));
    summarize_channels(set);
    summarize_labels(set, summary->n_classes);
    return 0;
}

/* --- whether training would fail --- */

/* What train looks at before it begins, and every fault. */
static int judge(struct df_data_summary *summary)
{
    const struct df_data_survey *survey = summary->survey;
    const struct df_dataset *sets[DF_SURVEY_SETS];
    int64_t faulty = 0;

    for (int i = 0; i < survey->n_sets; i++)
        sets[i] = survey->sets[i].set;
    for (int i = 0; i < DF_SURVEY_SETS; i++)
        faulty += summary->sets[i].faulty;
    if (df_labels_look(sets, survey->n_sets) != 0) {
        if (df_error_is_memory())
            return -1;
        summary->failure = df_text_copy(df_error_text());
    } else if (faulty > 0) {
        summary->failure = df_text_format("%" PRId64 " of %" PRId64 " pairs cannot be used, the first: %s",
                                          faulty, df_data_survey_pairs(survey), survey->faults[0].text);
    } else {
        return 0;
    }
    return summary->failure ? 0 : -1;
}

int df_data_summary_make(struct df_data_summary *summary, const struct df_data_survey *survey,
                         const struct df_dataset *const sets[DF_SURVEY_SETS], const char *list_failure)
{
    int next = 0;

    memset(summary, 0, sizeof *summary);
    summary->survey = survey;
    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        summary->sets[i].name = set_names[i];
        if (sets[i])
            summary->sets[i].surveyed = &survey->sets[next++];
    }
    summary->classes = survey->n_sets > 0 ? survey->sets[0].set : NULL;
    summary->n_classes = summary->classes ? summary->classes->n_classes : 0;
    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        if (summary->sets[i].surveyed)
            DF_TRY(summarize_set(summary, &summary->sets[i]));
    }
    if (list_failure)
        summary->failure = df_text_copy(list_failure);
    if (list_failure ? !summary->failure : judge(summary) != 0)
        return -1;
    summary->has_weights = summary->sets[0].labelled > 0;
    if (summary->has_weights)
        df_class_weights_auto(sets[0], summary->weights);
    DF_TRY(df_duplicates_find(survey, &summary->duplicates));
    return data_warnings_find(summary);
}

void df_data_summary_free(struct df_data_summary *summary)
{
    df_duplicates_free(&summary->duplicates);
    for (size_t i = 0; i < summary->n_warnings; i++)
        free(summary->warnings[i]);
    free(summary->warnings);
    free(summary->failure);
}
