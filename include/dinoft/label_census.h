/* What labels the masks of a data set hold, counted as they are read: each mask once, by whoever reads it
 * first. */
#ifndef DINOFT_LABEL_CENSUS_H
#define DINOFT_LABEL_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_LABEL_VALUES 256

struct df_label_counts {
    int64_t masks;                   /* that have been counted */
    int64_t pixels[DF_LABEL_VALUES]; /* of each class, and of DF_IGNORE_LABEL */
};

struct df_label_census;

/* For so many masks. NULL with the error set. */
struct df_label_census *df_label_census_new(int64_t masks);
void df_label_census_free(struct df_label_census *census); /* NULL is allowed */

/* The rest may be called from several threads at once. */

/* pixels [DF_LABEL_VALUES] are those of mask number `mask`; they count unless it was counted before. */
void df_label_census_add(struct df_label_census *census, int64_t mask, const int64_t *pixels);
bool df_label_census_has(struct df_label_census *census, int64_t mask);
/* Whether a mask that was counted has a pixel of this label. */
bool df_label_census_shows(struct df_label_census *census, int64_t mask, int label);
/* labels = a bit for each of the mask's; none where it was not counted. */
void df_label_census_labels(struct df_label_census *census, int64_t mask,
                            uint64_t labels[DF_LABEL_VALUES / 64]);
void df_label_census_read(struct df_label_census *census, struct df_label_counts *counts);

/* pixels [DF_LABEL_VALUES] = how often each value is among the bytes; at most 2^32 - 1 of them. */
void df_count_bytes(const uint8_t *bytes, size_t count, int64_t *pixels);

#endif
