/* ImageNet-C's noises. Every value of every channel draws for itself. */
#include "imagenet_c.h"

#include "../pixels/normal_noise.h"

#include "dinoft/poisson.h"

#define LEVELS 256

static int64_t value_count(const struct df_image *image)
{
    return image->width * image->height * image->channels;
}

int imagenet_c_gaussian_noise(struct df_corruption_job *job)
{
    static const float deviations[DF_SEVERITIES] = {0.08f, 0.12f, 0.18f, 0.26f, 0.38f};

    add_normal_noise(job->image, &job->rng, 255.0f * deviations[job->severity - 1], 0.0f);
    return 0;
}

int imagenet_c_speckle_noise(struct df_corruption_job *job)
{
    static const float deviations[DF_SEVERITIES] = {0.15f, 0.2f, 0.35f, 0.45f, 0.6f};

    add_normal_noise(job->image, &job->rng, 0.0f, deviations[job->severity - 1]);
    return 0;
}

/* A value is a count of photons, of which a full one has so many: one table for each level that there is.
 * Counts above a full one are clipped to it. */
int imagenet_c_shot_noise(struct df_corruption_job *job)
{
    static const int photons[DF_SEVERITIES] = {60, 25, 12, 5, 3};
    const int full = photons[job->severity - 1];
    struct df_poisson tables[LEVELS] = {{0}};
    uint8_t levels[61]; /* of each count */
    uint8_t *values = job->image->pixels;
    struct df_rng rng = job->rng; /* where values cannot alias it */
    int status = 0;

    for (int count = 0; count <= full; count++)
        levels[count] = (uint8_t)(count / (double)full * 255);
    for (int level = 0; level < LEVELS && status == 0; level++)
        status = df_poisson_open(&tables[level], level / 255.0 * full, full);
    for (int64_t i = 0; status == 0 && i < value_count(job->image); i++)
        values[i] = levels[df_poisson_draw(&tables[values[i]], &rng)];
    for (int level = 0; level < LEVELS; level++)
        df_poisson_close(&tables[level]);
    return status;
}

/* One random number a value: its upper half says whether it is lost, its lowest bit whether to white or to
 * black. */
int imagenet_c_impulse_noise(struct df_corruption_job *job)
{
    static const double amounts[DF_SEVERITIES] = {0.03, 0.06, 0.09, 0.17, 0.27};
    const uint64_t lost = (uint64_t)(amounts[job->severity - 1] * 0x1p32);
    uint8_t *values = job->image->pixels;
    struct df_rng rng = job->rng;

    for (int64_t i = 0; i < value_count(job->image); i++) {
        const uint64_t bits = df_rng_u64(&rng);
        if (bits >> 32 < lost)
            values[i] = bits & 1 ? 255 : 0;
    }
    return 0;
}
