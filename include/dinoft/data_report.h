/* What `dinoft data` found: as JSON, and as a page with samples to look at. */
#ifndef DINOFT_DATA_REPORT_H
#define DINOFT_DATA_REPORT_H

#include "dinoft/data_summary.h"
#include "dinoft/facts.h"
#include "dinoft/loader.h"

/* Everything, each fault and each duplicate; docs/measuring.md lists the keys. -1 with the error set. */
int df_data_json_write(const char *path, const struct df_data_summary *summary);

struct df_data_report {
    const char *title;
    const struct df_fact *facts; /* [n_facts] at its top */
    size_t n_facts;
    const struct df_data_summary *summary;
    uint64_t seed;                         /* chooses the samples */
    double opacity;                        /* of the classes' colours */
    const struct df_loader_options *shown; /* training images are shown as these make them; NULL: not */
};

/* Reads the samples again. -1 with the error set. */
int df_data_report_write(const char *path, const struct df_data_report *report);

#endif
