/* Lists of (image, mask) pairs: Pascal VOC, ADE20K, or a folder of one's own. */
#ifndef DINOFT_DATASET_H
#define DINOFT_DATASET_H

#include "dinoft/choice.h"
#include "dinoft/image.h"
#include "dinoft/label_census.h"
#include "dinoft/labels.h"
#include "dinoft/layout.h"

#include <stdbool.h>
#include <stdint.h>

#define DF_DATASET_KINDS(X)                                                                                  \
    X(DF_DATASET_VOC, "voc") X(DF_DATASET_ADE20K, "ade20k") X(DF_DATASET_FOLDER, "folder")
enum df_dataset_kind { DF_DATASET_KINDS(DF_CHOICE_ID) DF_DATASET_KIND_COUNT };

enum df_split { DF_SPLIT_TRAIN, DF_SPLIT_VAL };

struct df_dataset_options {
    enum df_dataset_kind kind;
    const char *root;
    enum df_split split;
    const char
        *list; /* voc: the name of a list in ImageSets/Segmentation, or a file; NULL: the split's own */
    struct df_layout_options layout; /* folder */
    bool void_as_background;         /* voc: 255 -> 0 */
    int n_classes;           /* folder: required, 1..DF_MAX_CLASSES; others: 0 or the data set's own */
    const char *class_names; /* folder: file with a name a line, or NULL ("class_0", …) */
    const char *mask_values; /* folder: the masks' values that are class 0, 1, … (dinoft/mask_values.h); NULL:
                                0, 1, … */
    const char *advice;      /* for errors: what helps where a mask holds other values; NULL: none is given */
};

struct df_sample {
    char *name; /* the base name without extension: "2007_000033"; unique, so with folders where needed */
    char *image_path, *mask_path;
    int64_t image_bytes, mask_bytes; /* of the files, when the lists were read */
};

struct df_dataset {
    enum df_dataset_kind kind;
    bool reference_void_is_background; /* the reference project's metric counts this data set's void as class
                                          0 */
    int n_classes;
    char **class_names; /* [n_classes] */
    struct df_sample *samples;
    int64_t count;
    uint8_t label_map[256]; /* what a mask file's value means, where valid: a class or DF_IGNORE_LABEL */
    bool label_valid[256];  /* false: a value that no mask of this data set may hold */
    const char *advice;     /* as options had it */
    bool void_is_assumed;   /* folder: nobody has said that 255 means "ignore" */
    char *mask_values;      /* as options had it; NULL without */
    struct df_split_record split_made; /* the division by chance that this is a part of; images 0: none */
    struct df_label_census *census;    /* of the masks that have been read */
};

/* Reads the lists. Every file that is missing is reported here, before any work: the first few by name and
 * how many. An empty split is an error. NULL with the error set. */
struct df_dataset *df_dataset_open(const struct df_dataset_options *options);
void df_dataset_free(struct df_dataset *dataset);

/* Leaves the samples out that `kept` [count], of which one at least is true, does not name; the census begins
 * anew. -1 when out of memory: then the set is as it was. */
int df_dataset_keep(struct df_dataset *dataset, const bool *kept);

/* Reads and checks one sample at its original size, labels mapped to classes. -1 with the error naming the
 * file: unreadable, sizes that differ (both given), a label out of range (value, position and the largest
 * allowed). */
int df_dataset_read(const struct df_dataset *dataset, int64_t index, struct df_image *image,
                    struct df_image *mask);

/* "voc" */
const char *df_dataset_kind_name(enum df_dataset_kind kind);

/* The kind of that name, as checkpoints record it; false if there is none. */
bool df_dataset_kind_named(const char *name, enum df_dataset_kind *kind);

/* Names of the built-in data sets' classes; n_classes may be NULL. Classes 21 / 150; NULL for folders.
 */
const char *const *df_dataset_names(enum df_dataset_kind kind, int *n_classes);

/* The built-in data set with that many classes; false if there is none. */
bool df_dataset_of_size(int64_t classes, enum df_dataset_kind *kind);

/* Writes a data set of textured shapes with exact masks in the VOC layout under root (classes and names of
 * VOC's, void border 255): `train` + `val` images, the same for the same seed on every machine. An older
 * demonstration set is overwritten; another data set's lists are an error, and then nothing is written. */
int df_demo_data_write(const char *root, int64_t train, int64_t val, uint64_t seed);

#endif
