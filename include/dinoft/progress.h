/* How far a work is, for whoever waits for it. */
#ifndef DINOFT_PROGRESS_H
#define DINOFT_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

/* A progress bar on a terminal (redrawn in place, at most ten times a second); where the stream is no
 * terminal, plain lines: the first, the last, and one about every tenth of the work or every 30 seconds. */
struct df_progress;

/* label: "epoch 1/20". total: steps. */
struct df_progress *df_progress_open(FILE *stream, const char *label, int64_t total);
/* So many steps come behind the total, in bars of their own: the time left is that of all. Fewer than none
 * where the work will end before the total. */
void df_progress_expect(struct df_progress *progress, int64_t steps);
/* done steps so far; images done so far for images per second (0: none shown); loss NaN: none shown. */
void df_progress_update(struct df_progress *progress, int64_t done, int64_t images, double loss);
/* Clears or finishes the line and frees; NULL is allowed. */
void df_progress_close(struct df_progress *progress);

#endif
