#include "dinoft/label_checks.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKED_AT      32 /* masks of each set, before the work */
#define NAMED_AT_MOST  10 /* classes */
#define LISTED_AT_MOST 16 /* class numbers in a suggested flag */

#define CITYSCAPES_CLASSES 19
#define CITYSCAPES_LAST_ID 33

/* What several sets hold together. */
struct findings {
    int64_t masks, all;   /* counted, and that there are */
    int classes;          /* that have pixels */
    int last_class;       /* one of these */
    bool ignored;         /* some pixel is 255 */
    bool void_is_assumed; /* in all sets */
};

static int64_t labelled_pixels(const struct df_label_counts *counts)
{
    int64_t sum = 0;
    for (int label = 0; label < DF_IGNORE_LABEL; label++)
        sum += counts->pixels[label];
    return sum;
}

/* Images that EXIF turns by the way, so that the sizes would be the same if it did not: upside down,
 * mirrored, or squares. Whether their masks were made of what one sees cannot be told. */
struct turned {
    int64_t count;
    const char *first;
    int orientation; /* of the first */
};

static void note_turned(const struct df_sample *sample, const struct df_image *mask, struct turned *turned)
{
    const int orientation = df_image_orientation(sample->image_path);

    if (orientation == 1 || (orientation >= 5 && mask->width != mask->height))
        return;
    if (turned->count++ == 0) {
        turned->first = sample->image_path;
        turned->orientation = orientation;
    }
}

static void report_turned(const struct turned *turned)
{
    char others[64] = "";

    if (turned->count > 1)
        snprintf(others, sizeof others, " and %" PRId64 " more images", turned->count - 1);
    if (turned->count > 0)
        df_log(
            "warning: EXIF turns %s%s (orientation %d); their masks are taken as they are, so they must show "
            "what one sees",
            turned->first, others, turned->orientation);
}

/* Reads a mask that nobody has read yet. */
static int look_at(const struct df_dataset *set, int64_t index, struct turned *turned)
{
    struct df_image mask;

    if (df_label_census_has(set->census, index))
        return 0;
    DF_TRY(df_dataset_read(set, index, NULL, &mask));
    if (turned)
        note_turned(&set->samples[index], &mask, turned);
    df_image_free(&mask);
    return 0;
}

/* --- values that are none --- */

/* What the first masks of the sets hold: of each, and how many were looked at. -1: one cannot be read. */
static int mark_values(const struct df_dataset *const sets[], int n_sets, bool seen[DF_MASK_VALUE_MOST + 1],
                       struct findings *found)
{
    for (int i = 0; i < n_sets; i++) {
        found->all += sets[i]->count;
        for (int64_t k = 0; k < sets[i]->count && k < LOOKED_AT; k++) {
            DF_TRY(df_dataset_mark_values(sets[i], k, seen));
            found->masks++;
        }
    }
    return 0;
}

/* Adds to the error what the values look like. largest: but for 255. */
static void advise_values(const struct findings *found, int n_classes, bool has_zero, int largest)
{
    char looked_at[96];

    snprintf(looked_at, sizeof looked_at, "%" PRId64 " of %" PRId64 " masks looked at", found->masks,
             found->all);
    if (n_classes == CITYSCAPES_CLASSES && largest >= n_classes && largest <= CITYSCAPES_LAST_ID)
        df_error_advise(": the values up to %d (%s) may be Cityscapes' labelIds: --mask_values cityscapes",
                        largest, looked_at);
    else if (largest == n_classes && !has_zero)
        df_error_advise(
            ": the masks hold 1 to %d and no 0 (%s): --mask_values 1..%d if these are the classes", n_classes,
            looked_at, n_classes);
    else if (largest == n_classes)
        df_error_advise(": the masks hold 0 to %d (%s): --n_classes %d if 0 is a class, --mask_values 1..%d "
                        "--ignore_value 0,255 if it is none",
                        n_classes, looked_at, n_classes + 1, n_classes);
}

/* After a mask held a value that is no class: what all of them hold together. Always returns -1. */
static int explain(const struct df_dataset *const sets[], int n_sets)
{
    bool *seen = calloc(DF_MASK_VALUE_MOST + 1, sizeof *seen);
    struct findings found = {0};
    struct df_error error;
    int largest = DF_MASK_VALUE_MOST;

    df_error_keep(&error);
    const int status = seen ? mark_values(sets, n_sets, seen, &found) : -1;
    df_error_again(&error);
    while (status == 0 && largest > 0 && (!seen[largest] || largest == DF_IGNORE_LABEL))
        largest--;
    if (status == 0 && sets[0]->void_is_assumed)
        advise_values(&found, sets[0]->n_classes, seen[0], largest);
    free(seen);
    return -1;
}

/* --- sets without labels --- */

static int no_labels(const struct df_dataset *set)
{
    char *folder = df_path_folder(set->samples[0].mask_path);

    if (!folder)
        return -1;
    df_error_set("no pixel of the %" PRId64 " masks in %s has a label: all are \"ignore\"%s", set->count,
                 folder, set->void_is_assumed ? ", which is 255 unless --mask_values lists it" : "");
    free(folder);
    return -1;
}

/* The first masks, and as many more as it takes to find a label. */
static int look_for_labels(const struct df_dataset *set)
{
    struct df_label_counts counts = {0};
    struct turned turned = {0};

    for (int64_t i = 0; i < set->count && (i < LOOKED_AT || labelled_pixels(&counts) == 0); i++) {
        DF_TRY(look_at(set, i, i < LOOKED_AT ? &turned : NULL));
        df_label_census_read(set->census, &counts);
    }
    report_turned(&turned);
    return labelled_pixels(&counts) > 0 ? 0 : no_labels(set);
}

/* --- sets of two values --- */

static struct findings find(const struct df_dataset *const sets[], int n_sets)
{
    struct findings found = {.void_is_assumed = true};
    bool seen[DF_LABEL_VALUES] = {false};

    for (int i = 0; i < n_sets; i++) {
        struct df_label_counts counts;
        df_label_census_read(sets[i]->census, &counts);
        found.masks += counts.masks;
        found.all += sets[i]->count;
        found.void_is_assumed = found.void_is_assumed && sets[i]->void_is_assumed;
        for (int label = 0; label < DF_LABEL_VALUES; label++)
            seen[label] = seen[label] || counts.pixels[label] > 0;
    }
    for (int label = 0; label < DF_IGNORE_LABEL; label++) {
        if (!seen[label])
            continue;
        found.classes++;
        found.last_class = label;
    }
    found.ignored = seen[DF_IGNORE_LABEL];
    return found;
}

static bool is_ambiguous(const struct findings *found)
{
    return found->void_is_assumed && found->classes == 1 && found->ignored;
}

/* "0,1,2", or "0,1,...,149". */
static void list_numbers(int count, char *text, size_t size)
{
    size_t used = 0;

    if (count > LISTED_AT_MOST) {
        snprintf(text, size, "0,1,...,%d", count - 1);
        return;
    }
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i > 0 ? "," : "", i);
}

static int ask_for_meaning(const struct df_dataset *const sets[], int n_sets, const struct findings *found)
{
    const int n_classes = sets[0]->n_classes;
    char *folder = df_path_folder(sets[0]->samples[0].mask_path);
    char *other = n_sets > 1 ? df_path_folder(sets[1]->samples[0].mask_path) : NULL;
    char numbers[4 * LISTED_AT_MOST];

    list_numbers(n_classes, numbers, sizeof numbers);
    if (folder && (other || n_sets == 1))
        df_error_set("the masks in %s%s%s hold only the values %d and 255 (%" PRId64 " of %" PRId64
                     " looked at): %s--mask_values %d,255 if both are classes, --mask_values %s if 255 means "
                     "\"ignore\"",
                     folder, other ? " and " : "", other ? other : "", found->last_class, found->masks,
                     found->all, n_classes == 2 ? "" : "--n_classes 2 ", found->last_class, numbers);
    free(folder);
    free(other);
    return -1;
}

int df_labels_check(const struct df_dataset *const sets[], int n_sets)
{
    struct findings found = find(sets, n_sets);

    for (int i = 0; i < n_sets; i++) {
        for (int64_t k = 0; k < sets[i]->count && is_ambiguous(&found); k++) {
            DF_TRY(look_at(sets[i], k, NULL));
            found = find(sets, n_sets);
        }
    }
    return is_ambiguous(&found) ? ask_for_meaning(sets, n_sets, &found) : 0;
}

int df_labels_look(const struct df_dataset *const sets[], int n_sets)
{
    for (int i = 1; i < n_sets; i++)
        DF_TRY(df_dataset_check_classes(sets[i], sets[0]->class_names, sets[0]->n_classes,
                                        "the training images"));
    for (int i = 0; i < n_sets; i++) {
        if (look_for_labels(sets[i]) != 0)
            return explain(sets, n_sets);
    }
    const struct findings found = find(sets, n_sets);
    return is_ambiguous(&found) ? ask_for_meaning(sets, n_sets, &found) : 0;
}

/* --- what is said once --- */

/* All of the set's pixels by label; false where some of its masks have not been read. */
static bool count_all(const struct df_dataset *set, struct df_label_counts *counts)
{
    df_label_census_read(set->census, counts);
    return counts->masks == set->count;
}

void df_labels_report_absent(const struct df_dataset *set, const char *name)
{
    struct df_label_counts counts;
    struct df_name_list absent = {.most = NAMED_AT_MOST};

    if (!count_all(set, &counts))
        return;
    for (int label = 0; label < set->n_classes; label++) {
        if (counts.pixels[label] == 0)
            df_name_list_add(&absent, "%s", set->class_names[label]);
    }
    if (absent.count > 0)
        df_log("warning: %zu of the %d classes %s no %s pixel: %s", absent.count, set->n_classes,
               absent.count == 1 ? "has" : "have", name, absent.text);
}

void df_labels_report_ignored(const struct df_dataset *set, const char *name)
{
    struct df_label_counts counts;

    if (!count_all(set, &counts))
        return;
    const int64_t ignored = counts.pixels[DF_IGNORE_LABEL], labelled = labelled_pixels(&counts);
    if (ignored > labelled)
        df_log("warning: %.1f %% of the %s pixels are ignored, since they have no label",
               100.0 * (double)ignored / (double)(ignored + labelled), name);
}
