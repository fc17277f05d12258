/* The images that a command works on: from what was typed to a list, and the names of what is written of
 * each. (inputs.c, input_names.c, input_outputs.c) */
#ifndef DINOFT_INPUTS_H
#define DINOFT_INPUTS_H

#include "dinoft/config.h"
#include "dinoft/image.h"
#include "dinoft/setup.h"

struct input {
    char *path;
    size_t below;   /* where in the path the output's name begins, if no two images get the same so */
    char *name;     /* of its outputs, in --output_dir and without ending: "a", or "folder/a"; NULL before
                       inputs_name() */
    bool is_listed; /* by a file or standard input, not typed */
    bool failed;    /* it could not be read, which was logged */
};

struct inputs {
    struct input *items;
    size_t count;
    size_t failed;      /* of them, so far */
    char *failed_first; /* the path of the first of these */
};

/* Reads one image, and logs what is odd about it. */
int input_decode(const char *path, const struct df_image_reading *reading, struct df_image *image);

/* The files that the command line means, in its order; those of folders and patterns are sorted. What is
 * typed must be there and can be read; names in files and on standard input are looked at when it is their
 * turn. -1 with the error set; free them in either case. */
int inputs_read(struct inputs *inputs, const struct df_config *config);
void inputs_free(struct inputs *inputs);

/* Notes that an image could not be done, and logs the error that is set. */
void inputs_note_failure(struct inputs *inputs, size_t i);
/* 0, or 1 with an error that says how many could not be done: a command's exit status. */
int inputs_status(const struct inputs *inputs);
/* Takes those that failed out of the list; their count stays. */
void inputs_drop_failed(struct inputs *inputs);

/* Names the outputs. A name is the file's, without its extension, below the folder or the fixed part of the
 * pattern that named it. Where two would be the same, all are named by their paths below the folder that all
 * images share; and where that is not enough (a.jpg and a.png), those keep their extension. What is named
 * twice is taken out of the list, and logged. */
int inputs_name(struct inputs *inputs);

/* OUTPUT_DIR/NAME + ending; the caller frees it. */
char *input_output_path(const struct df_config *config, const struct input *input, const char *ending);

/* What is written: files of each image, by their endings, and others. */
struct input_outputs {
    const char *const *endings; /* [n_endings] */
    int n_endings;
    const char *once[2]; /* NULL: none */
};

/* With --skip_existing: takes the images out of the list whose outputs are all there, but for those that
 * `wants` (NULL: none) is true for. Logs how many. */
int inputs_skip_done(struct inputs *inputs, const struct df_config *config,
                     const struct input_outputs *outputs,
                     bool (*wants)(const void *context, const struct input *input), const void *context);

/* Checks that no two outputs have the same path, that none is an image that is read, and that none is there,
 * but with --overwrite, or with --skip_existing of an image that is not done. */
int inputs_check_outputs(const struct inputs *inputs, const struct df_config *config,
                         const struct input_outputs *outputs);
/* Checks that no output is one of the files that the model is read from. */
int inputs_check_model(const struct inputs *inputs, const struct df_config *config,
                       const struct df_setup *setup, const struct input_outputs *outputs);
/* Makes the folders that the outputs' names have. */
int inputs_make_folders(const struct inputs *inputs, const struct df_config *config);

#endif
