/* Scores under corruptions for people: a table for the terminal, a CSV file, and a page of tables, a heat
 * map, bars and lines. */
#ifndef DINOFT_CORRUPTION_REPORT_H
#define DINOFT_CORRUPTION_REPORT_H

#include "dinoft/corruption_results.h"
#include "dinoft/facts.h"

/* Prints the table of mIoU, at most 100 columns wide, with means and drops, and the reference project's
 * numbers where they are wanted, and why rows were skipped. */
void df_corruption_results_print(FILE *stream, const struct df_corruption_results *results,
                                 bool reference_numbers);

/* corruption,family,common,severity,miou,reference_iou,reference_miou,pixel_accuracy: the clean scores first
 * (corruption "clean", severity 0, no family), then a line for each cell; nothing between commas where a
 * score is missing. Atomically. */
int df_corruption_results_write_csv(const char *path, const struct df_corruption_results *results);

struct df_corruption_report {
    const char *title;           /* "voc_lora under corruptions" */
    const struct df_fact *facts; /* [n_facts], shown as they are */
    size_t n_facts;
    const struct df_corruption_results *results; /* cells may be missing: the page says so */
};

/* Writes the page atomically: one HTML file with everything inside. The same input gives the same bytes. */
int df_corruption_report_write(const char *path, const struct df_corruption_report *report);

#endif
