/* predict's --summary: a CSV file with a row for each image. */
#ifndef DINOFT_PREDICTION_CSV_H
#define DINOFT_PREDICTION_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct df_prediction_row {
    const char *image; /* as it was named */
    int64_t height, width;
    double mean_confidence;
    const int64_t *pixels; /* [256]: of each class, and of DF_IGNORE_LABEL, the unknown ones */
};

struct df_prediction_csv {
    char *const *names; /* [n_classes], borrowed */
    int n_classes;
    char *header; /* the file's first line */
    char **rows;  /* [count]: lines, of which the first `kept` are of an earlier run */
    size_t count, kept;
};

/* keep: a file of an earlier run with the same columns, whose rows are taken over; NULL, or a file that is
 * not there: none. -1 with the error set; free it in either case. */
int df_prediction_csv_open(struct df_prediction_csv *csv, char *const *names, int n_classes,
                           const char *keep);
void df_prediction_csv_free(struct df_prediction_csv *csv);

/* Whether the earlier run's file has a row of the image; false also where there is no memory to tell. */
bool df_prediction_csv_has(const struct df_prediction_csv *csv, const char *image);

int df_prediction_csv_add(struct df_prediction_csv *csv, const struct df_prediction_row *row);

/* Writes it whole or not at all. */
int df_prediction_csv_write(const struct df_prediction_csv *csv, const char *path);

#endif
