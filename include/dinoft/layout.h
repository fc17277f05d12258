/* How a user's own images and masks lie in folders and files, and which of them train and which validate. */
#ifndef DINOFT_LAYOUT_H
#define DINOFT_LAYOUT_H

#include "dinoft/choice.h"

#include <stdbool.h>
#include <stdint.h>

/* Those that a folder's content tells. */
#define DF_LAYOUTS(X)                                                                                        \
    X(DF_LAYOUT_AUTO, "auto")                                                                                \
    X(DF_LAYOUT_SPLIT_FOLDERS, "split-folders")                                                              \
    X(DF_LAYOUT_TWO_FOLDERS, "two-folders")                                                                  \
    X(DF_LAYOUT_CITYSCAPES, "cityscapes")                                                                    \
    X(DF_LAYOUT_NNUNET, "nnunet")                                                                            \
    X(DF_LAYOUT_WEBDATASET, "webdataset")
enum df_layout_choice { DF_LAYOUTS(DF_CHOICE_ID) };

/* How one set of images was divided by chance, or by one of nnU-Net's folds: what makes it again, and tells
 * whether it is the same set. */
#define DF_FOLD_TEXT 16
struct df_split_record {
    char fold[DF_FOLD_TEXT]; /* "": by chance */
    double val_fraction;
    int64_t split_seed;
    int64_t images; /* of both parts; 0: nothing was divided so */
    uint64_t names; /* a digest of their names */
};

/* The fields are the flags of their names, which errors name; NULL or 0 where they are not given. */
struct df_layout_options {
    enum df_layout_choice layout;
    const char *images, *masks; /* patterns (dinoft/option_list.h); both or none */
    const char *pairs;          /* a CSV file */
    const char *train_list, *val_list;
    const char *fold;
    double val_fraction;
    int64_t split_seed;
    struct df_split_record trained; /* what the model at hand was trained with; holds where neither lists nor
                                       a fraction are given and nothing else divides the images */
    const char *trained_file;       /* its file */
    bool images_are_known;          /* whoever opens the set compares its images with those of the training */
    bool tells;                     /* the layout is told in the log: where two splits are opened, of one */
};

/* Whether a layout that is in the folder says what the classes are; also where that is an error.
 * (src/data/layouts/layout.c) */
bool df_layout_tells_classes(const char *root, enum df_layout_choice choice);

#endif
