/* What annotation files say of a data set's masks: images, classes, and shapes that are drawn when a mask is
 * wanted. A reader of a format (readers.h) fills it; df_annotations_settle() then gives the labels their
 * classes; from then on it is only read, by several threads at once. */
#ifndef DINOFT_DATA_ANNOTATIONS_H
#define DINOFT_DATA_ANNOTATIONS_H

#include "../shapes/shape.h"

#include "dinoft/digest.h"
#include "dinoft/image.h"
#include "dinoft/labels.h"
#include "dinoft/name_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_ANNOTATION_FILE_MAX ((size_t)1 << 31)
#define DF_POLYGON_POINTS_MAX  65536        /* of a polygon */
#define DF_LABEL_NAMES_MAX     1024         /* of a data set */
#define DF_IGNORED_NAME        "__ignore__" /* labelme's label for pixels that do not count */

/* An array that grows. */
struct df_pool {
    void *items;
    size_t count, capacity;
};

struct df_label {
    char *name;
    char *file;    /* the first that has it */
    uint8_t class; /* once settled; DF_IGNORE_LABEL for "__ignore__" */
};

/* A shape, or a segment of a picture of segments. */
struct df_annotation {
    struct df_shape shape;
    uint32_t segment;
    uint16_t label; /* index */
    int32_t depth;  /* those of a greater one lie above */
    size_t next;    /* of the same image: index + 1; 0: none */
};

struct df_annotated_image {
    char *name;            /* as the file has it, with folders where it has them */
    char *file;            /* NULL: that of all */
    char *segments;        /* the picture of segments; NULL: shapes are drawn */
    int64_t width, height; /* 0: the file does not say */
    size_t first, last;    /* of its annotations: index + 1; 0: none */
    bool is_elsewhere;     /* not in the folder of images: of another split, in a file of all */
};

struct df_annotations {
    char *path;
    char *folder;      /* of the images; NULL: nobody has said */
    bool covers_all;   /* each pixel has a class or none: there is no background */
    bool sorts_labels; /* the file has no list of labels: they go by their names */
    struct df_pool images, annotations, labels;
    struct df_pool numbers; /* double */
    struct df_pool runs;    /* uint32_t */
    size_t left_out;        /* annotations that no pixel is drawn of, which the log tells */
    struct df_name_list left_out_list;
    size_t crowds; /* objects of COCO's that stand for many, which are left out */
    /* Once settled. */
    size_t *by_name; /* [images]: their numbers in the order of their names without folders */
    int n_classes;
    char **class_names;
    uint8_t uncovered; /* the class of pixels that no shape covers, or DF_IGNORE_LABEL */
};

/* Empty; NULL with the error set. */
struct df_annotations *df_annotations_new(const char *path);
void df_annotations_free(struct df_annotations *annotations); /* NULL is allowed */

/* The readers' part: each -1 with the error set. */

/* width and height may be 0. The image's number. */
int64_t df_annotations_add_image(struct df_annotations *annotations, const char *name, int64_t width,
                                 int64_t height);
/* The label's number, which is new or is there already. */
int df_annotations_label(struct df_annotations *annotations, const char *name, const char *file);
/* Room for as many more, which are not counted yet. */
double *df_annotations_numbers(struct df_annotations *annotations, size_t more);
uint32_t *df_annotations_runs(struct df_annotations *annotations, size_t more);
/* Takes a shape of `numbers` and `runs` that were put behind those that are counted. */
int df_annotations_add_shape(struct df_annotations *annotations, int64_t image, enum df_shape_kind kind,
                             int label, size_t numbers, size_t runs);
int df_annotations_add_segment(struct df_annotations *annotations, int64_t image, uint32_t segment,
                               int label);
/* What the last shape lies over: 0 unless this is called. */
void df_annotations_set_depth(struct df_annotations *annotations, int32_t depth);
/* One that covers nothing, and why. */
void df_annotations_leave_out(struct df_annotations *annotations, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Coordinates that are numbers, and near enough to be drawn. */
int df_annotations_check_numbers(const double *numbers, size_t count);

/* Lists the images by name; df_annotations_settle() does so. (image_names.c) */
int df_annotations_index(struct df_annotations *annotations);

/* Names of classes that somebody has given. */
struct df_given_names {
    const char *const *names; /* [count] */
    int count;
    const char *path; /* where they are from */
};

/* Classes: those that are given, or the background and then the labels in their order. given may be NULL. -1
 * with the error set: a label that is not among the names, too many classes. */
int df_annotations_settle(struct df_annotations *annotations, const struct df_given_names *given);

/* Whether the names have all labels, and the background where there is one. */
bool df_annotations_are_named(const struct df_annotations *annotations, const struct df_given_names *given);

/* Which image a path means: that of its name, with the most folders in common. -1 with the error
 * set: there is none, or several. Once settled. */
int64_t df_annotations_find(const struct df_annotations *annotations, const char *path);

/* Tells the log what was left out. */
void df_annotations_report(const struct df_annotations *annotations);

struct df_annotated_image *df_annotations_image(const struct df_annotations *annotations, int64_t image);

/* The image's mask, in the size that the file says; where it says none in `size` [width, height]. */
int df_annotations_draw(const struct df_annotations *annotations, int64_t image, const int64_t size[2],
                        struct df_image *mask);

/* Adds what the mask is made of. */
void df_annotations_digest(const struct df_annotations *annotations, int64_t image, struct df_digest *digest);

#endif
