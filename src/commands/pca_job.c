#include "pca_job.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/feature_picture.h"

#include <stdlib.h>

bool pca_needs_image(const struct pca_job *job)
{
    return job->config->upsample || job->kind->over_image;
}

int pca_take_features(struct pca_job *job, int64_t image, int64_t height, int64_t width)
{
    job->sizes[image] = (struct pca_size){height, width};
    DF_TRY(image_features_patches(&job->features, 0, job->values));
    if (job->kind->take)
        DF_TRY(job->kind->take(job, image));
    return job->kept ? df_record_store_write(job->kept, image, 0, job->values, job->bytes) : 0;
}

int pca_visit_all(struct pca_job *job, pca_visit *visit, void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    for (int64_t i = 0; i < job->images; i++) {
        const float *values = df_record_store_read(job->kept, i, 0, job->bytes, job->values);
        if (*stop)
            return EXIT_INTERRUPTED;
        if (!values)
            return 1;
        visit(job, i, values, context);
    }
    return 0;
}

int pca_draw_patches(const struct pca_job *job, int64_t number, const struct df_image *image,
                     pca_patch_colors *fill, struct df_image *picture)
{
    const struct pca_size *size = &job->sizes[number];
    const size_t bytes = (size_t)job->patches * DF_PATCH_COLORS * sizeof(float);
    float *colors = malloc(bytes);

    if (!colors)
        return df_error_memory("an image's colours", bytes);
    fill(job, number, colors);
    const int status =
        image ? df_picture_guided(colors, job->grid_h, job->grid_w, image, picture)
              : df_picture_patches(colors, job->grid_h, job->grid_w, size->height, size->width, picture);
    free(colors);
    return status;
}

void pca_drop_features(struct pca_job *job)
{
    df_record_store_close(job->kept);
    job->kept = NULL;
}
