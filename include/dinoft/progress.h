/* How far a work is, for whoever waits for it. */
#ifndef DINOFT_PROGRESS_H
#define DINOFT_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

#define DF_PROGRESS_FIELDS     3
#define DF_PROGRESS_FIELD_SIZE 48 /* bytes, with the final '\0' */

/* A progress bar on a terminal, but with --quiet (redrawn in place, at most ten times a second); where the
 * stream is no terminal, plain lines: the first, the last, and one about every tenth of the work or every 30
 * seconds. The file of --log_file gets such lines too (dinoft/log.h). Where a terminal is narrow, the bar
 * gets shorter, and then the less important numbers go, whole: field 2, field 1, images per second, field 0,
 * the bar, the loss, the time. */
struct df_progress;

/* label: "epoch 1/20". total: steps. */
struct df_progress *df_progress_open(FILE *stream, const char *label, int64_t total);
/* So many steps were done before, by another process: they tell nothing of how long one takes. */
void df_progress_begin(struct df_progress *progress, int64_t done);
/* So many steps come behind the total, in bars of their own: the time left is that of all. Fewer than none
 * where the work will end before the total. */
void df_progress_expect(struct df_progress *progress, int64_t steps);
/* And then work that is not counted in these steps, and takes so many seconds (0 or more). */
void df_progress_expect_seconds(struct df_progress *progress, double seconds);
/* One number more from the next update on, such as "best 45.3 %": field 0 … DF_PROGRESS_FIELDS - 1, the most
 * important one first. Longer texts are cut; an empty one takes the field away. */
void df_progress_field(struct df_progress *progress, int field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* done steps so far; images done so far for images per second (0: none shown). loss: of the steps since the
 * last update, NaN where they have none. What is shown is the running loss: the mean of all losses so far of
 * this bar, in which each counts 0.95 of the one after it (about the last 20), and none before the first. */
void df_progress_update(struct df_progress *progress, int64_t done, int64_t images, double loss);
/* Clears or finishes the line and frees; NULL is allowed, here and above, for a bar that had no memory. */
void df_progress_close(struct df_progress *progress);

#endif
