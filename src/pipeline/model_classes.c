#include "dinoft/model_classes.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>

static enum df_dataset_kind dataset_of(const struct df_checkpoint *checkpoint)
{
    enum df_dataset_kind kind;

    if (df_dataset_kind_named(checkpoint->record.dataset, &kind) ||
        (!*checkpoint->record.dataset && df_dataset_of_size(checkpoint->classes, &kind)))
        return kind;
    return DF_DATASET_FOLDER;
}

static char *name_of(const struct df_checkpoint *checkpoint, enum df_dataset_kind kind, int number)
{
    int n_built_in = 0;
    const char *const *built_in = df_dataset_names(kind, &n_built_in);

    if (checkpoint->record.n_class_names == checkpoint->classes)
        return df_text_copy(checkpoint->record.class_names[number]);
    return n_built_in == checkpoint->classes ? df_text_copy(built_in[number])
                                             : df_text_format("class_%d", number);
}

int df_model_classes_of(const struct df_checkpoint *checkpoint, struct df_model_classes *classes)
{
    const enum df_dataset_kind kind = dataset_of(checkpoint);

    *classes = (struct df_model_classes){.names = calloc((size_t)checkpoint->classes, sizeof(char *))};
    if (!classes->names)
        return df_error_memory("class names", (unsigned long long)checkpoint->classes * sizeof(char *));
    for (int number = 0; number < checkpoint->classes; number++) {
        if (!(classes->names[number] = name_of(checkpoint, kind, number)))
            return -1;
        classes->count++;
    }
    const struct df_record *record = &checkpoint->record;
    df_palette_fill_classes(
        &classes->palette, kind, classes->names[0],
        record->n_class_names == checkpoint->classes ? (const uint8_t(*)[3])record->class_colors : NULL,
        classes->count);
    return 0;
}

void df_model_classes_free(struct df_model_classes *classes)
{
    for (int number = 0; number < classes->count; number++)
        free(classes->names[number]);
    free(classes->names);
    *classes = (struct df_model_classes){0};
}
