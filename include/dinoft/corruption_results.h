/* What a model scores under corruptions: a table of corruption by severity that is filled cell by cell, its
 * means, and the files that hold it. */
#ifndef DINOFT_CORRUPTION_RESULTS_H
#define DINOFT_CORRUPTION_RESULTS_H

#include "dinoft/corruption.h"
#include "dinoft/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define DF_CORRUPTIONS_COMMON 15 /* of ImageNet-C: what a mean corruption mIoU is taken over */

/* The scores of one pass over a data set, shares of 0 .. 1 (dinoft/metrics.h); NaN where one does not exist,
 * as in a set without a counted pixel. */
struct df_corruption_cell {
    bool done; /* false: not measured, and what follows means nothing */
    double miou, reference_iou, reference_miou, pixel_accuracy;
};

struct df_corruption_row {
    char *name;    /* "gaussian_noise"; "one of ten" for the suite that draws one for each image */
    char *family;  /* "noise"; rows of a family follow each other */
    bool common;   /* one of ImageNet-C's fifteen */
    char *skipped; /* why it is not measured ("no photographs in weights/frost"); NULL: it is */
    struct df_corruption_cell cells[DF_SEVERITIES]; /* [severity - 1] */
};

/* Made by df_corruption_results_init(). */
struct df_corruption_results {
    char *suite;                   /* "imagenet-c" */
    int severities[DF_SEVERITIES]; /* [n_severities], ascending: those that are measured */
    int n_severities;
    struct df_corruption_cell clean; /* without a corruption */
    struct df_corruption_row *rows;  /* [n_rows], in the order of reports */
    size_t n_rows;
};

/* Each copies the strings that it is given. -1 when out of memory; free it in either case. */
int df_corruption_results_init(struct df_corruption_results *results, const char *suite,
                               const int *severities, int n_severities);
int df_corruption_results_add(struct df_corruption_results *results, const char *name, const char *family,
                              bool common);
/* Marks the row that was added last as left out. */
int df_corruption_results_skip(struct df_corruption_results *results, const char *reason);
void df_corruption_results_free(struct df_corruption_results *results);

/* Means over cells. All NaN where a cell that belongs to the mean is missing, or there is none. */
struct df_corruption_mean {
    int corruptions; /* how many rows it is over: those that are not skipped */
    double miou, reference_iou, reference_miou, pixel_accuracy;
    double drop;     /* clean mIoU - mIoU */
    double relative; /* mIoU / clean mIoU; NaN without a clean mIoU above 0 */
};

/* Which rows and severities a mean is over. */
struct df_corruption_part {
    const char *family; /* of this family only; NULL: of any */
    bool common;        /* of ImageNet-C's fifteen only */
    int severity;       /* this one only; 0: all of results->severities */
};

/* Of one row over all of its severities. */
void df_corruption_row_mean(const struct df_corruption_results *results, const struct df_corruption_row *row,
                            struct df_corruption_mean *mean);

/* The mean of rows' means. {.common = true} over all fifteen is the mean corruption mIoU. */
void df_corruption_mean(const struct df_corruption_results *results, struct df_corruption_part part,
                        struct df_corruption_mean *mean);

/* Whether the row is the first of its family. */
bool df_corruption_starts_family(const struct df_corruption_results *results, size_t row);

/* Writes all of it as JSON, atomically:
 *
 *   key          the string given: whatever the scores depend on, in the caller's words
 *   version      the program's
 *   suite        "imagenet-c" or "reference"
 *   severities   [1, 2, …]: what the cells below are of
 *   facts        {name: value}, strings, as given
 *   clean        a cell: {"miou", "reference_iou", "reference_miou", "pixel_accuracy"}, shares
 *                of 0 .. 1; null: not measured
 *   corruptions  [{"name", "family", "common", "skipped": the reason or null,
 *                  "cells": a cell for each of the severities, "mean"}]
 *   means        {"common", "all", "families": {name: mean}}
 *
 * A mean has "corruptions" (how many it is over), a cell's numbers, "drop" (clean mIoU - mIoU) and "relative"
 * (mIoU / clean mIoU). null stands for a cell that is not measured and for a number that does not exist.
 * Numbers are exact: what is read back is the same bits. */
int df_corruption_results_write(const char *path, const struct df_corruption_results *results,
                                const char *key, const struct df_fact *facts, size_t n_facts);

/* Takes over what an earlier run has measured: fills clean, and the cells of rows with the names of the
 * file's. taken: how many cells, the clean one with them; 0 without a file.
 *
 * -1 with the error set, and results as before, where the file is damaged, is no such file, has another key
 * (scores of another model, other data, other settings), or has scores for which results has no row that is
 * measured, or not that severity: writing the file again would lose them. Nothing in the file is believed. */
int df_corruption_results_read(const char *path, const char *key, struct df_corruption_results *results,
                               int *taken);

#endif
