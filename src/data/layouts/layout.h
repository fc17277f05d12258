/* The layouts of a user's own data. Each is a row of the table in layout.c: it finds the pairs of image and
 * mask, and may say which of them train. What divides the others is in split.c. */
#ifndef DINOFT_DATA_LAYOUTS_LAYOUT_H
#define DINOFT_DATA_LAYOUTS_LAYOUT_H

#include "dinoft/dataset.h"

#define DF_LAYOUT_TEXT_MAX 1024

struct df_listing {
    bool divided; /* by the layout itself: the samples are those of the split that was asked for */
    char what[DF_LAYOUT_TEXT_MAX]; /* "images + masks in ROOT", for the log and errors */
};

/* What a layout says of the classes where nobody else does. */
struct df_layout_classes {
    char *class_names, *mask_values, *ignore_value; /* as in struct df_dataset_options; NULL: nothing */
    struct df_known_classes known;
    char **names; /* of known */
};

struct df_layout {
    enum df_layout_choice choice;
    const char *name, *shape; /* "two-folders", "images + masks"; NULL for those that flags choose */
    bool (*found)(const char *root);
    /* Whether the split has any files; NULL: flags alone divide. `validation` tells in errors that it has
     * none; NULL: list() does. */
    int (*have)(const struct df_dataset_options *options, enum df_split split, bool *has);
    const char *validation;
    /* Adds the pairs of the split, or all, to an empty data set, sorted by names or in an order of their own,
     * and says which in the listing. */
    int (*list)(struct df_dataset *dataset, const struct df_dataset_options *options,
                struct df_listing *listing);
    /* Says what it knows of classes; NULL for those that know nothing. */
    int (*classes)(const struct df_dataset_options *options, struct df_layout_classes *classes);
};

/* Opens the annotations of a folder, where these make the masks, or fills in what the layout that fits says
 * of the classes where the options say nothing; `classes` has the texts and must outlive them. -1 with the
 * error set; free the classes in either case. (layout.c) */
int df_folder_open(struct df_dataset *dataset, struct df_dataset_options *options,
                   struct df_layout_classes *classes);
void df_layout_free_classes(struct df_layout_classes *classes);

/* folders.c */
bool df_split_folders_found(const char *root);
int df_split_folders_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                          struct df_listing *listing);
/* Whether folders of the split, also of annotations, have any file. */
int df_split_folders_have(const struct df_dataset_options *options, enum df_split split, bool *has);
/* Names in the log what is in ROOT/KIND ("images") beside the folders of both splits. */
int df_split_folders_report(const char *root, const char *kind);
bool df_two_folders_found(const char *root);
int df_two_folders_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                        struct df_listing *listing);

/* cityscapes.c */
bool df_cityscapes_found(const char *root);
int df_cityscapes_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                       struct df_listing *listing);
int df_cityscapes_have(const struct df_dataset_options *options, enum df_split split, bool *has);
int df_cityscapes_classes(const struct df_dataset_options *options, struct df_layout_classes *classes);
/* nnunet.c */
bool df_nnunet_found(const char *root);
int df_nnunet_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                   struct df_listing *listing);
int df_nnunet_have(const struct df_dataset_options *options, enum df_split split, bool *has);
int df_nnunet_classes(const struct df_dataset_options *options, struct df_layout_classes *classes);
/* webdataset.c */
bool df_webdataset_found(const char *root);
int df_webdataset_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                       struct df_listing *listing);
/* Whether shards of the split are there; also where nothing divides them. */
int df_webdataset_have(const struct df_dataset_options *options, enum df_split split, bool *has);
/* patterns.c */
int df_patterns_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                     struct df_listing *listing);
/* Whether the patterns, or a table, have an image of the split; also where they do not divide images. */
int df_patterns_have(const struct df_dataset_options *options, bool *has);
/* pairs.c */
int df_pairs_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                  struct df_listing *listing);
int df_pairs_have(const struct df_dataset_options *options, bool *has);

/* Makes the samples' names, which are base names, unique: where two are equal, all become the images' paths
 * below the folder that they share, without endings. -1 with the error set where two are equal still.
 * (sample_names.c) */
int df_sample_names_settle(struct df_dataset *dataset);

/* Whether flags, or what a checkpoint records, divide images that nothing else does. (split.c) */
bool df_layout_draws(const struct df_layout_options *layout);

/* Leaves in a data set of all pairs those of its split: by lists, or by chance. -1 with the error set:
 * nothing says how, or a part has no images. (split.c) */
int df_split_choose(struct df_dataset *dataset, const struct df_dataset_options *options,
                    const struct df_listing *listing);

/* Samples of a data set that has room for all of them in `samples`, in the order that they will have. */
struct df_chosen {
    int64_t *samples, count;
};

/* Chooses what the split's list names: base names, file names, or paths below the folder, one a line; they
 * are checked against the other list where it is given. (split_lists.c) */
int df_split_by_lists(const struct df_dataset *dataset, const struct df_dataset_options *options,
                      const struct df_listing *listing, struct df_chosen *chosen);

#endif
