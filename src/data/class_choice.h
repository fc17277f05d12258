/* What the options say of a data set's classes, while it is found out. */
#ifndef DINOFT_DATA_CLASS_CHOICE_H
#define DINOFT_DATA_CLASS_CHOICE_H

#include "class_table.h"

struct df_annotations;

struct df_class_choice {
    const struct df_dataset_options *options;
    const char *const *built_in; /* names; NULL: a folder, or masks of recorded values */
    struct df_class_table table;
    struct df_class_table names; /* of options->class_names */
    struct df_mask_values folders;
    const struct df_annotations *annotations; /* NULL: there are none */
    bool named;                               /* the table's names are its own */
};

/* Fills the table with the classes of the masks, and `names` with what a file calls them. -1 with the error
 * set; free both tables and the folders in either case. */
int df_class_choice_take(struct df_class_choice *choice);

#endif
