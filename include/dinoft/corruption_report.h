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

/* An image as corruptions make it, as small pictures. */
struct df_corruption_samples {
    const char *image; /* its name */
    struct {
        const char *name; /* "clean", "fog"; borrowed */
        int severity;     /* 0: of none */
        unsigned char *jpeg;
        size_t jpeg_size;
        int64_t width, height;
    } items[DF_CORRUPTIONS + 1];
    int count;
};

/* Adds one that is made of the RGB image: at most 256 x 256, some 10 KiB (20 where there is noise). -1 when
 * out of memory; free them in either case. */
int df_corruption_samples_add(struct df_corruption_samples *samples, const char *name, int severity,
                              const struct df_image *image);
void df_corruption_samples_free(struct df_corruption_samples *samples);

struct df_corruption_report {
    const char *title;           /* "voc_lora under corruptions" */
    const struct df_fact *facts; /* [n_facts], shown as they are */
    size_t n_facts;
    const struct df_corruption_results *results; /* cells may be missing: the page says so */
    const struct df_corruption_samples *samples; /* NULL: no pictures */
};

/* Writes the page atomically: one HTML file with everything inside. The same input gives the same bytes. */
int df_corruption_report_write(const char *path, const struct df_corruption_report *report);

#endif
