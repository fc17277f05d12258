/* Pages about training runs, of the files that they have left. */
#ifndef DINOFT_RUN_REPORT_H
#define DINOFT_RUN_REPORT_H

#include <stddef.h>

#define DF_RUNS_MOST 36 /* on a page: more curves would not look different */

/* What pages about runs say that this module does not know. */
struct df_run_page_texts {
    const char *defaults; /* of the settings, as a JSON object */
    const char *program;  /* that makes the page: "dinoft 0.9.0, revision 0123456789ab" */
};

/* Writes a page about one run, or one that compares several, the best one first. prefixes [count, 1 ..
 * DF_RUNS_MOST]: of the runs' files, as "output/voc_lora". One file with everything inside, written
 * atomically. -1 with the error set. */
int df_run_report_write(const char *path, char *const *prefixes, size_t count,
                        const struct df_run_page_texts *texts);

#endif
