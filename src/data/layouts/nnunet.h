/* What nnU-Net's files say of a data set. */
#ifndef DINOFT_DATA_LAYOUTS_NNUNET_H
#define DINOFT_DATA_LAYOUTS_NNUNET_H

#include "layout.h"

struct df_nnunet_label {
    char *name;
    int64_t value; /* in the masks */
};

/* ROOT/dataset.json. */
struct df_nnunet {
    char *ending;                   /* of images and masks: ".png" */
    struct df_nnunet_label *labels; /* [count], sorted by values */
    int count;
    int64_t ignored; /* the value of the label "ignore"; -1: there is none */
};

/* -1 with the error set, which names the file: it is not there, is of version 1, has regions instead of
 * labels, or names files that are not read here. Free it in either case. (nnunet_json.c) */
int df_nnunet_read(const char *root, struct df_nnunet *nnunet);
void df_nnunet_free(struct df_nnunet *nnunet);

/* Leaves the samples of a fold in a data set of all cases, by ROOT/splits_final.json. Sets listing->divided;
 * it stays false where there is no such file and nobody asked for a fold. (nnunet_folds.c) */
int df_nnunet_choose_fold(struct df_dataset *dataset, const struct df_dataset_options *options,
                          struct df_listing *listing);

#endif
