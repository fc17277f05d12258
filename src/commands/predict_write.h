/* What predict writes of each image: a row of a table for each word of --write. */
#ifndef DINOFT_PREDICT_WRITE_H
#define DINOFT_PREDICT_WRITE_H

#include "predict_result.h"

#include "dinoft/tiff_write.h"

#define PREDICT_WRITERS 16 /* at most */

/* A file that can be a TIFF, which is written part by part. */
struct predict_raster {
    int bits;
    bool is_mask;      /* the classes' colours belong to its values; one band */
    bool band_a_class; /* else there is one */
    /* Writes what is predicted, a part of the file's image. -1 with the error set. */
    int (*put)(struct df_tiff_writer *writer, const struct predicted *predicted,
               const struct df_image_part *part);
};

struct predict_writer {
    const char *word;   /* of --write */
    const char *ending; /* of its files, behind the image's name */
    unsigned needs;     /* bits of enum predict_needs */
    /* Writes the file, whole or not at all; called from several threads at once. -1 with the error set. NULL:
     * it is always a TIFF. */
    int (*write)(const struct predict_look *look, const struct predicted *predicted, const char *path);
    const struct predict_raster *raster; /* of TIFFs, or of all; NULL: it is as of others there */
    const char *ending_of_tiff;          /* NULL: the same */
    bool is_picture; /* of an image that is too large it is written smaller: of pixels and classes */
};

/* Those that are asked for, in the table's order, and the endings of their files. */
struct predict_writers {
    const struct predict_writer *items[PREDICT_WRITERS];
    const char *endings[PREDICT_WRITERS], *endings_of_tiff[PREDICT_WRITERS];
    int count;
};

/* Reads --write and --save_logits. -1 with the error set. */
int predict_writers_choose(struct predict_writers *writers, const struct df_config *config);

/* What they need together. */
unsigned predict_writers_need(const struct predict_writers *writers);

/* The path of the file of items[i]; the caller frees it. */
char *predict_writers_path(const struct predict_writers *writers, const struct df_config *config,
                           const struct input *input, int i);

/* Begins a TIFF of items[i] for an image of that size. NULL with the error set. */
struct df_tiff_writer *predict_raster_open(const struct predict_writer *item, const struct predict_look *look,
                                           int64_t height, int64_t width, const struct df_geo_tags *geo,
                                           const char *path);

/* Writes all files of an image. */
int predict_writers_run(const struct predict_writers *writers, const struct predict_look *look,
                        const struct predicted *predicted);

/* Writes the picture of all classes' numbers, colours and names. */
int predict_write_legend(const struct predict_look *look, const char *path);

#endif
