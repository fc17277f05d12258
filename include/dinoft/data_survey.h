/* What the sets of a data set hold: every pair is read once, as training reads it, and what is wrong with one
 * is noted and stops nothing. */
#ifndef DINOFT_DATA_SURVEY_H
#define DINOFT_DATA_SURVEY_H

#include "dinoft/dataset.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_SURVEY_SETS 2 /* training, validation */

/* What is kept of a pair. */
struct df_surveyed_pair {
    const char *format;      /* of the image, by its content: "JPEG"; NULL: none that is read */
    const char *warning;     /* what its reader tells of the image; NULL: nothing */
    uint64_t pixels, labels; /* digests of the image and of its mask, as they are decoded */
    int32_t width, height;   /* of the image; 0: it cannot be read */
    bool has_labels;         /* the mask can be read */
    bool is_turned; /* EXIF turns the image, in a way that the sizes of image and mask cannot tell of */
    bool is_faulty;
};

/* What is wrong with a file, or with the two of a pair together. */
struct df_survey_fault {
    int set;
    int64_t pair;
    int file; /* 0: the image, 1: the mask, 2: both */
    char *text;
};

/* Of all pixels of a set's images: squares of so many fit as long as there are less than 2^48 pixels. */
struct df_channel_sums {
    uint64_t pixels, sums[3], squares[3];
};

struct df_surveyed_set {
    const struct df_dataset *set;   /* whose census has, afterwards, all masks that can be read */
    struct df_surveyed_pair *pairs; /* [set->count] */
    struct df_channel_sums sums;
};

struct df_data_survey {
    struct df_surveyed_set sets[DF_SURVEY_SETS]; /* [n_sets] */
    int n_sets;
    struct df_survey_fault *faults; /* [n_faults], in the order of sets, pairs and files when all is read */
    size_t n_faults;
    pthread_mutex_t lock; /* of the faults and the sums, while pairs are read */
};

/* sets [n_sets], 0 to DF_SURVEY_SETS, which outlive the survey. -1 when out of memory; free it in either
 * case. */
int df_data_survey_init(struct df_data_survey *survey, const struct df_dataset *const sets[], int n_sets);
void df_data_survey_free(struct df_data_survey *survey); /* one of zeros is allowed */

/* The pairs of all sets. */
int64_t df_data_survey_pairs(const struct df_data_survey *survey);

/* Reads pair `number` of all: a df_job_function, whose context is the survey. -1 when out of memory alone. */
int df_data_survey_read(void *survey, int64_t number);

/* When all pairs are read: brings the faults into order, which is the same whatever the threads did. */
void df_data_survey_end(struct df_data_survey *survey);

/* --- images that are there several times (data_duplicates.c) --- */

struct df_pair_place {
    int set;
    int64_t pair;
};

/* Images of equal pixels. */
struct df_duplicate_group {
    struct df_pair_place *places; /* [count], 2 at least, in the order of the sets */
    size_t count;
    bool crosses;      /* from one set into another */
    bool masks_differ; /* of those that can be read */
};

struct df_duplicates {
    struct df_pair_place *places;      /* of all groups */
    struct df_duplicate_group *groups; /* [count], in the order of their first places */
    size_t count;
};

/* Images of one size whose pixels have one digest; of two that differ one in 2^64 has, by chance. -1 when out
 * of memory. */
int df_duplicates_find(const struct df_data_survey *survey, struct df_duplicates *duplicates);
void df_duplicates_free(struct df_duplicates *duplicates);

/* --- a few to look at --- */

/* Chooses at most `most` of a set's pairs that have no fault, at random by the seed: first those that between
 * them show as many classes as they can, then others. chosen [most] = their numbers, in the order of the set.
 * How many, or -1 when out of memory. */
int df_data_survey_choose(const struct df_surveyed_set *set, int most, uint64_t seed, int64_t *chosen);

#endif
