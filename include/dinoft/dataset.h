/* Lists of (image, mask) pairs: Pascal VOC, ADE20K, or a folder of one's own. */
#ifndef DINOFT_DATASET_H
#define DINOFT_DATASET_H

#include "dinoft/choice.h"
#include "dinoft/image.h"
#include "dinoft/label_census.h"
#include "dinoft/labels.h"
#include "dinoft/layout.h"
#include "dinoft/mask_rule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DF_DATASET_KINDS(X)                                                                                  \
    X(DF_DATASET_VOC, "voc") X(DF_DATASET_ADE20K, "ade20k") X(DF_DATASET_FOLDER, "folder")
enum df_dataset_kind { DF_DATASET_KINDS(DF_CHOICE_ID) DF_DATASET_KIND_COUNT };

enum df_split { DF_SPLIT_TRAIN, DF_SPLIT_VAL };

/* Classes as a checkpoint records them. */
struct df_known_classes {
    int count;
    char *const *names;         /* [count] */
    const uint8_t (*colors)[3]; /* [count], or NULL: the usual ones */
};

struct df_dataset_options {
    enum df_dataset_kind kind;
    const char *root;
    enum df_split split;
    const char
        *list; /* voc: the name of a list in ImageSets/Segmentation, or a file; NULL: the split's own */
    struct df_layout_options layout; /* folder */
    bool void_as_background;         /* voc: 255 -> 0 */
    bool takes_missing;              /* missing files are no error yet: who reads them finds out */
    struct df_image_reading reading; /* of the images */

    /* folder; strings may be NULL: */
    int n_classes;            /* what the masks hold, 1..DF_MAX_CLASSES; 0: what follows says it */
    int usual_classes;        /* where nothing says it; 0: that is an error */
    const char *class_names;  /* a file of names and colours, or a built-in list (class_table.h) */
    const char *annotations;  /* a file or a folder, with {split} in it where each split has its own, of which
                                 masks are drawn; NULL: those that are found where there are no masks */
    const char *palette;      /* the masks are pictures with the colours of this file or built-in list */
    bool values_are_recorded; /* by a checkpoint, and nobody typed them */
    const char *ignore_value; /* pixels that are ignored: a list, or "none"; NULL: 255 */
    const char *color_advice; /* for errors: what helps where masks have colours */
    const char *advice;       /* the same where a mask holds other values */

    const char *mask_values; /* what class 0, 1, … are in the masks (dinoft/mask_values.h); NULL: 0, 1, … */
    const char *merge_classes;     /* "a+b=c,…" and "d,e": what becomes of the classes (class_table.h) */
    const char *ignore_classes;    /* NULL: nothing */
    struct df_known_classes known; /* names and colours where nothing else says them */
};

/* A binary mask of one class, among others. */
struct df_mask_layer {
    char *path;
    int label;
};

struct df_sample {
    char *name; /* the base name without extension: "2007_000033"; unique, so with folders where needed */
    char *image_path, *mask_path;
    int64_t image_bytes, mask_bytes; /* of the files, when the lists were read */
    struct df_mask_layer *layers; /* [n_layers], where these make the mask: later ones lie over earlier ones;
                                     mask_path is a pattern then */
    int n_layers;
    int32_t shard;      /* which of the data set's shards it lies in, if it has some */
    atomic_bool warned; /* what is odd about the image has been told */
    /* Where annotations of the data set make the mask: which image of theirs it is, and what tells its shapes
     * from others. mask_path is their file then, or the picture of the image's segments (of_segments). */
    int64_t annotation;
    uint64_t shapes_digest;
    bool of_segments;
};

struct df_annotations;

struct df_dataset {
    enum df_dataset_kind kind;
    bool reference_void_is_background; /* the reference project's metric counts this data set's void as class
                                          0 */
    int n_classes;
    char **class_names;         /* [n_classes] */
    uint8_t (*class_colors)[3]; /* [n_classes]; NULL: the usual ones */
    struct df_sample *samples;
    int64_t count;
    int32_t n_shards; /* archives that samples are best read from one behind the other; 0: anywhere */
    struct df_image_reading reading;    /* as options had it */
    struct df_annotations *annotations; /* NULL: masks are files */
    struct df_mask_rule rule;           /* what the masks' files mean */
    const char *advice;                 /* as options had it */
    const char *color_advice;
    bool void_is_assumed; /* folder: nobody has said that 255 means "ignore" */
    /* What options say of the masks, as lists that df_mask_values_parse() and df_mask_values_ignore() read:
     * mask_values is NULL where they say nothing, ignored_values where that is what is usual. */
    char *mask_values, *ignored_values;
    struct df_split_record split_made; /* the division by chance that this is a part of; images 0: none */
    struct df_label_census *census;    /* of the masks that have been read */
};

/* Whether there is anything of the split: nothing is not an error of a folder of one's own, which may have no
 * validation images. False where neither its images nor its masks have a file; the other data sets have all
 * their splits, or opening one fails. -1 with the error set where it cannot be found out. */
int df_dataset_has_split(const struct df_dataset_options *options, bool *has);

/* Reads the lists. Every file that is missing is reported here, before any work: the first few by name and
 * how many. An empty split is an error. NULL with the error set. */
struct df_dataset *df_dataset_open(const struct df_dataset_options *options);
void df_dataset_free(struct df_dataset *dataset);

/* Whether the masks of a folder are a folder for each class, which tell what the classes are; also where that
 * is an error. */
bool df_dataset_has_class_folders(const char *root);

/* Whether annotations are in the folder, which tell what the classes are; also where that is an error. */
bool df_dataset_has_annotations(const char *root);

/* -1 with the error set where two sets, or a set and the names of others' classes, which others_path has, do
 * not have the same classes in the same order. Only sets with annotations are looked at: these bring their
 * own. */
int df_dataset_check_classes(const struct df_dataset *dataset, char *const *others, int n_others,
                             const char *others_path);

/* Leaves the samples out that `kept` [count], of which one at least is true, does not name; the census begins
 * anew. -1 when out of memory: then the set is as it was. */
int df_dataset_keep(struct df_dataset *dataset, const bool *kept);

/* Reads and checks one sample at its original size, labels mapped to classes. -1 with the error naming the
 * file: unreadable, sizes that differ (both given), a value or colour that is none of the data set's (with
 * its place, and what is allowed or nearest). */
int df_dataset_read(const struct df_dataset *dataset, int64_t index, struct df_image *image,
                    struct df_image *mask);

/* Marks the numbers that a sample's mask holds in its file. 0 also where it has none: colours, or folders of
 * classes. -1 with the error set. */
int df_dataset_mark_values(const struct df_dataset *dataset, int64_t index,
                           bool seen[DF_MASK_VALUE_MOST + 1]);

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
