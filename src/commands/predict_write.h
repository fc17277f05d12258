/* What predict writes of each image: a row of a table for each word of --write. */
#ifndef DINOFT_PREDICT_WRITE_H
#define DINOFT_PREDICT_WRITE_H

#include "predict_result.h"

#define PREDICT_WRITERS 16 /* at most */

struct predict_writer {
    const char *word;   /* of --write */
    const char *ending; /* of its files, behind the image's name */
    unsigned needs;     /* bits of enum predict_needs */
    /* Writes the file, whole or not at all; called from several threads at once. -1 with the error set. */
    int (*write)(const struct predict_look *look, const struct predicted *predicted, const char *path);
};

/* Those that are asked for, in the table's order, and the endings of their files. */
struct predict_writers {
    const struct predict_writer *items[PREDICT_WRITERS];
    const char *endings[PREDICT_WRITERS];
    int count;
};

/* Reads --write and --save_logits. -1 with the error set. */
int predict_writers_choose(struct predict_writers *writers, const struct df_config *config);

/* What they need together. */
unsigned predict_writers_need(const struct predict_writers *writers);

/* Writes all files of an image. */
int predict_writers_run(const struct predict_writers *writers, const struct predict_look *look,
                        const struct predicted *predicted);

/* Writes the picture of all classes' numbers, colours and names. */
int predict_write_legend(const struct predict_look *look, const char *path);

#endif
