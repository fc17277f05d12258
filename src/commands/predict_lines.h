/* --json_lines: names of images on standard input, and a line of JSON about each on standard output. */
#ifndef DINOFT_PREDICT_LINES_H
#define DINOFT_PREDICT_LINES_H

#include "line_reader.h"
#include "predict_write.h"

/* An image that was asked for. */
struct predict_line {
    struct input input;
    bool is_there; /* with --skip_existing: its files are, and nothing is to be done */
    struct predict_line *next;
};

/* Puts a new line at the front of those that are asked for, or takes one out of them. NULL with the error
 * set. */
struct predict_line *predict_line_new(const char *path, struct predict_line **asked);
void predict_line_free(struct predict_line *line, struct predict_line **asked);

/* The line that an input is of. */
struct predict_line *predict_line_of(const struct input *input);

/* Checks the files that would be written as inputs_check_outputs() does for a list. -1 with the error set. */
int predict_line_check(struct predict_line *line, const struct df_config *config,
                       const struct df_setup *setup, const struct predict_writers *writers);

/* Prints what was found, or why nothing was, and flushes. -1 with the error set: nobody reads it. */
int predict_line_answer(const struct predict_line *line, const struct predict_look *look,
                        const struct predict_writers *writers, const struct predicted *predicted);

#endif
