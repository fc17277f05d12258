/* Scores under corruptions as a page to read: tables, a heat map, bars and lines. */
#ifndef DINOFT_CORRUPTION_REPORT_H
#define DINOFT_CORRUPTION_REPORT_H

#include "dinoft/corruption_results.h"
#include "dinoft/html.h"

struct df_corruption_report {
    const char *title;           /* "voc_lora under corruptions" */
    const struct df_fact *facts; /* [n_facts], shown as they are */
    size_t n_facts;
    const struct df_corruption_results *results; /* cells may be missing: the page says so */
};

/* Writes the page atomically: one HTML file with everything inside. The same input gives the same bytes. */
int df_corruption_report_write(const char *path, const struct df_corruption_report *report);

#endif
