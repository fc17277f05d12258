/* The same few images at validations of a run, so that progress can be seen: as many validations as a page
 * has room for, the first, the best and the last among them. */
#ifndef DINOFT_REPORT_RUN_PICTURES_H
#define DINOFT_REPORT_RUN_PICTURES_H

#include "../sample_images.h"

#include <stdio.h>

#define RUN_PICTURES_KEPT 8 /* validations */

/* A class map in runs of equal pixels, two bytes each: their number less one, and their class. */
struct run_map {
    uint8_t *runs; /* [size] */
    size_t size;
};

struct run_pictures_item {
    int64_t epoch;
    double miou;
    struct run_map maps[DF_SAMPLES_SEEN]; /* [n_samples] */
};

struct run_pictures {
    struct sample_images seen;        /* by this process */
    int64_t width, height;            /* of all maps; 0: there is none */
    int64_t samples[DF_SAMPLES_SEEN]; /* [n_samples]: indices into the set */
    int n_samples;
    struct run_pictures_item items[RUN_PICTURES_KEPT + 1]; /* [n_items], ascending by epoch */
    int n_items;
};

/* The set must outlive the pictures. */
void run_pictures_init(struct run_pictures *pictures, const struct df_dataset *set);
void run_pictures_free(struct run_pictures *pictures);

/* Writes the classes of a map, as many as it has. */
void run_map_unpack(const struct run_map *map, uint8_t *classes);

/* A validation is over, and its images are seen. best_epoch: of the best one so far; 0: none is. -1 with the
 * error set; so everywhere. */
int run_pictures_end(struct run_pictures *pictures, int64_t epoch, double miou, int64_t best_epoch);

/* Drops the validations behind that epoch. */
void run_pictures_go_back(struct run_pictures *pictures, int64_t epoch);

/* Into a run's state, and out of it: what makes no sense there is left out, with a warning. */
int run_pictures_store(const struct run_pictures *pictures, struct df_state *state);
int run_pictures_restore(struct run_pictures *pictures, const struct df_state *state);

/* A section of a page; nothing where there is no validation. */
int run_pictures_write(FILE *page, const struct run_pictures *pictures, int64_t best_epoch);

#endif
