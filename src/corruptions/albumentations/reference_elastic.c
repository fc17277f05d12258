#include "reference.h"

#include "../pixels/smoothing.h"
#include "../pixels/warps.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

struct elastic {
    double alpha, sigma, affine;
};

static const struct elastic of_severity[DF_SEVERITIES] = {
    {488.0, 170.8, 24.4}, {288.0, 19.52, 48.8}, {12.2, 2.44, 4.88}, {17.08, 2.44, 4.88}, {29.28, 2.44, 4.88},
};

/* A deformation: an affine map, then offsets. */
struct deformation {
    struct affine inverse_map; /* from the result to the source */
    struct float_image dx, dy;
};

/* Three corners of a square around the middle move at random. Albumentations takes (height, width) for (x, y)
 * there, so that the square lies beside the middle of an image that is not square. */
static struct affine draw_affine(struct df_rng *rng, const struct df_image *image, double reach)
{
    const int64_t middle[2] = {image->height / 2, image->width / 2};
    const int64_t half = df_min_i64(image->height, image->width) / 3;
    static const int corners[3][2] = {{1, 1}, {1, -1}, {-1, -1}};
    double before[3][2], after[3][2];

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++) {
            before[i][k] = (double)(middle[k] + corners[i][k] * half);
            after[i][k] = before[i][k] + df_rng_uniform(rng, -reach, reach);
        }
    }
    return affine_between(after, before);
}

static int draw(struct df_corruption_job *job, struct deformation *deformation)
{
    const struct elastic *elastic = &of_severity[job->severity - 1];
    const struct smoothing smoothing = {elastic->sigma, elastic->sigma, 4.0};
    const int64_t width = job->image->width, height = job->image->height;

    *deformation = (struct deformation){.inverse_map = draw_affine(&job->rng, job->image, elastic->affine)};
    DF_TRY(float_image_alloc(&deformation->dx, width, height, 1));
    DF_TRY(float_image_alloc(&deformation->dy, width, height, 1));
    DF_TRY(smooth_noise(&job->rng, &smoothing, elastic->alpha, &deformation->dx));
    return smooth_noise(&job->rng, &smoothing, elastic->alpha, &deformation->dy);
}

static int deform(struct df_image *image, const struct deformation *deformation, bool nearest)
{
    struct df_image turned;

    DF_TRY(df_image_alloc(&turned, image->width, image->height, image->channels));
    warp_affine(image, &deformation->inverse_map, nearest, &turned);
    warp_by_offsets(&turned, &deformation->dx, &deformation->dy, nearest, image);
    df_image_free(&turned);
    return 0;
}

int reference_elastic_transform(struct df_corruption_job *job)
{
    struct deformation deformation;

    int status = draw(job, &deformation);
    if (status == 0)
        status = deform(job->image, &deformation, false);
    if (status == 0 && job->mask)
        status = deform(job->mask, &deformation, true);
    float_image_free(&deformation.dx);
    float_image_free(&deformation.dy);
    return status;
}
