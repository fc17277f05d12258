/* What the targets of annotation files share. */
#ifndef TESTS_FUZZ_ANNOTATIONS_H
#define TESTS_FUZZ_ANNOTATIONS_H

#include "fuzz.h"

#include "src/data/annotations/readers.h"

#include <string.h>

/* Reads the source; draws what is accepted, in the size that the file says or another. */
static inline void fuzz_annotations(int (*read)(struct df_annotations *annotations,
                                                const struct df_annotation_source *source),
                                    const struct df_annotation_source *source)
{
    static const int64_t size[2] = {37, 23};

    fuzz_forget_error();
    struct df_annotations *annotations = df_annotations_new(source->path);
    fuzz_check(annotations, "memory");
    if (read(annotations, source) != 0 || df_annotations_settle(annotations, NULL) != 0) {
        fuzz_check_error();
        df_annotations_free(annotations);
        return;
    }
    for (int i = 0; i < annotations->n_classes; i++)
        fuzz_touch(annotations->class_names[i], strlen(annotations->class_names[i]));
    for (size_t i = 0; i < annotations->images.count && i < 4; i++) {
        struct df_image mask;
        if (df_annotations_draw(annotations, (int64_t)i, size, &mask) == 0)
            fuzz_touch(mask.pixels, (size_t)(mask.width * mask.height));
        else
            fuzz_check_error();
        df_image_free(&mask);
    }
    df_annotations_free(annotations);
}

#endif
