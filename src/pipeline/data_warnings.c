#include "data_warnings.h"

#include "dinoft/error.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define WARNINGS_MOST 16 /* kinds of them, in two sets */
#define NAMED_CLASSES 10
#define NAMED_IMAGES  3
#define PERCENT(a, b) (100.0 * (double)(a) / (double)(b))

/* Takes over the text, which may be NULL when memory ran out. */
static int add(struct df_data_summary *summary, char *text)
{
    if (!text)
        return -1;
    summary->warnings[summary->n_warnings++] = text;
    return 0;
}

static int find_absent(struct df_data_summary *summary, const struct df_set_summary *set)
{
    struct df_name_list absent = {.most = NAMED_CLASSES};

    if (set->labelled == 0) /* which is why training would fail */
        return 0;
    for (int label = 0; label < summary->n_classes; label++) {
        if (set->classes[label].pixels == 0)
            df_name_list_add(&absent, "%s", summary->classes->class_names[label]);
    }
    if (absent.count == 0)
        return 0;
    return add(summary,
               df_text_format("%zu of the %d classes %s no %s pixel: %s", absent.count, summary->n_classes,
                              absent.count == 1 ? "has" : "have", set->name, absent.text));
}

static int find_ignored(struct df_data_summary *summary, const struct df_set_summary *set)
{
    if (set->ignored <= set->labelled)
        return 0;
    return add(summary, df_text_format("%.1f %% of the %s pixels are ignored, since they have no label",
                                       PERCENT(set->ignored, set->ignored + set->labelled), set->name));
}

static int find_turned(struct df_data_summary *summary, const struct df_set_summary *set)
{
    struct df_name_list turned = {.most = NAMED_IMAGES};

    for (int64_t i = 0; i < set->pairs; i++) {
        if (set->surveyed->pairs[i].is_turned)
            df_name_list_add(&turned, "%s", set->surveyed->set->samples[i].image_path);
    }
    if (turned.count == 0)
        return 0;
    return add(summary,
               df_text_format("EXIF turns %zu of the %s images; their masks are taken as they are, so "
                              "they must show what one sees: %s",
                              turned.count, set->name, turned.text));
}

static int find_told(struct df_data_summary *summary, const struct df_set_summary *set)
{
    struct df_name_list told = {.most = NAMED_IMAGES};

    for (int64_t i = 0; i < set->pairs; i++) {
        if (set->surveyed->pairs[i].warning)
            df_name_list_add(&told, "%s (%s)", set->surveyed->set->samples[i].image_path,
                             set->surveyed->pairs[i].warning);
    }
    if (told.count == 0)
        return 0;
    return add(summary, df_text_format("%zu of the %" PRId64 " %s images are read with a warning: %s",
                                       told.count, set->pairs, set->name, told.text));
}

/* Images of one set that are there again in it. */
static int find_repeated(struct df_data_summary *summary, const struct df_set_summary *set)
{
    const struct df_duplicates *duplicates = &summary->duplicates;
    struct df_name_list again = {.most = NAMED_IMAGES};

    for (size_t g = 0; g < duplicates->count; g++) {
        const struct df_duplicate_group *group = &duplicates->groups[g];
        const struct df_pair_place *first = NULL;
        for (size_t i = 0; i < group->count; i++) {
            const struct df_pair_place *place = &group->places[i];
            if (&summary->survey->sets[place->set] != set->surveyed)
                continue;
            if (first)
                df_name_list_add(&again, "%s as %s", df_summary_image(summary, place),
                                 df_summary_image(summary, first));
            else
                first = place;
        }
    }
    if (again.count == 0)
        return 0;
    return add(summary, df_text_format("%zu of the %" PRId64 " %s images have the pixels of another one: %s",
                                       again.count, set->pairs, set->name, again.text));
}

/* Validation images that the model is trained on. */
static int find_leaks(struct df_data_summary *summary)
{
    const struct df_duplicates *duplicates = &summary->duplicates;
    struct df_name_list leaked = {.most = NAMED_IMAGES};

    for (size_t g = 0; g < duplicates->count; g++) {
        const struct df_duplicate_group *group = &duplicates->groups[g];
        for (size_t i = 0; group->crosses && i < group->count; i++) {
            if (group->places[i].set > 0)
                df_name_list_add(&leaked, "%s is %s", df_summary_image(summary, &group->places[i]),
                                 df_summary_image(summary, &group->places[0]));
        }
    }
    if (leaked.count == 0)
        return 0;
    return add(summary,
               df_text_format("%zu of the %" PRId64 " validation images are training images, so that "
                              "scores will look better than they are: %s",
                              leaked.count, summary->sets[1].pairs, leaked.text));
}

static int find_other_masks(struct df_data_summary *summary)
{
    const struct df_duplicates *duplicates = &summary->duplicates;
    struct df_name_list other = {.most = NAMED_IMAGES};

    for (size_t g = 0; g < duplicates->count; g++) {
        const struct df_duplicate_group *group = &duplicates->groups[g];
        if (group->masks_differ)
            df_name_list_add(&other, "%s and %s", df_summary_image(summary, &group->places[0]),
                             df_summary_image(summary, &group->places[group->count - 1]));
    }
    if (other.count == 0)
        return 0;
    return add(summary,
               df_text_format("%zu images are there again with other masks: %s", other.count, other.text));
}

static int find_of_set(struct df_data_summary *summary, const struct df_set_summary *set)
{
    DF_TRY(find_absent(summary, set));
    DF_TRY(find_ignored(summary, set));
    DF_TRY(find_turned(summary, set));
    DF_TRY(find_told(summary, set));
    return find_repeated(summary, set);
}

int data_warnings_find(struct df_data_summary *summary)
{
    summary->warnings = calloc(WARNINGS_MOST, sizeof *summary->warnings);
    if (!summary->warnings)
        return df_error_memory("a list of warnings", WARNINGS_MOST * sizeof *summary->warnings);
    DF_TRY(find_leaks(summary));
    DF_TRY(find_other_masks(summary));
    if (summary->sets[0].surveyed && !summary->sets[1].surveyed && !summary->failure)
        DF_TRY(
            add(summary, df_text_copy("there are no validation images, so training would measure nothing")));
    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        if (summary->sets[i].surveyed)
            DF_TRY(find_of_set(summary, &summary->sets[i]));
    }
    return 0;
}
