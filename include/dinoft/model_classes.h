/* What the classes of a checkpoint's model are called, and how they are drawn. */
#ifndef DINOFT_MODEL_CLASSES_H
#define DINOFT_MODEL_CLASSES_H

#include "dinoft/checkpoint.h"
#include "dinoft/palette.h"

struct df_model_classes {
    int count;
    char **names; /* [count] */
    struct df_palette palette;
};

/* The recorded names and the colours of the recorded data set. A checkpoint that records none is taken for
 * what its number of classes stands for, or else for one of a folder: "class_0", ... -1 when out of memory;
 * free it in either case. */
int df_model_classes_of(const struct df_checkpoint *checkpoint, struct df_model_classes *classes);
void df_model_classes_free(struct df_model_classes *classes);

#endif
