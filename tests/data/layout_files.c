#include "layout_files.h"

#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>

void layout_file(const char *root, const char *folder, const char *name, const char *ending)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s%s%s", root, folder, name, ending);
    scratch_write_text(path, "");
}

const char *layout_names(const struct df_dataset_options *options)
{
    static char text[4096];
    struct df_dataset *dataset = df_dataset_open(options);
    size_t used = 0;

    assert_works(dataset);
    text[0] = '\0';
    for (int64_t i = 0; i < dataset->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "," : "",
                                 dataset->samples[i].name);
    df_dataset_free(dataset);
    return text;
}

void layout_refused(const struct df_dataset_options *options, const char *words)
{
    assert_null(df_dataset_open(options));
    assert_error_has(words);
}
