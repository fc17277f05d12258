#include "imagenet_c.h"

#include "../pixels/canny.h"
#include "../pixels/chamfer.h"
#include "../pixels/filters.h"
#include "../pixels/grey.h"
#include "../pixels/smoothing.h"

#include "dinoft/error.h"

struct spatter {
    float mean, deviation;
    double sigma;
    float threshold;
    float strength;   /* of water */
    double mud_sigma; /* 0: water */
};

static const struct spatter of_severity[DF_SEVERITIES] = {
    {0.65f, 0.3f, 4.0, 0.69f, 0.6f, 0.0}, {0.65f, 0.3f, 3.0, 0.68f, 0.6f, 0.0},
    {0.65f, 0.3f, 2.0, 0.68f, 0.5f, 0.0}, {0.65f, 0.3f, 1.0, 0.65f, 0.0f, 1.5},
    {0.67f, 0.4f, 1.0, 0.65f, 0.0f, 1.5},
};

/* Smoothed noise, 0 where it is not liquid. */
static int make_liquid(struct df_corruption_job *job, const struct spatter *spatter,
                       struct float_image *liquid)
{
    const struct smoothing smoothing = {spatter->sigma, spatter->sigma, 4.0};
    const int64_t count = job->image->width * job->image->height;
    struct float_image noise;

    int status = float_image_alloc(&noise, job->image->width, job->image->height, 1);
    if (status == 0)
        status = float_image_alloc(liquid, noise.width, noise.height, 1);
    if (status == 0) {
        df_rng_normals(&job->rng, noise.pixels, count);
        for (int64_t i = 0; i < count; i++)
            noise.pixels[i] = spatter->mean + spatter->deviation * noise.pixels[i];
        status = smooth_by_filter(&noise, &smoothing, BORDER_NEAREST, liquid);
    }
    float_image_free(&noise);
    for (int64_t i = 0; i < count && status == 0; i++)
        liquid->pixels[i] = liquid->pixels[i] < spatter->threshold ? 0.0f : liquid->pixels[i];
    return status;
}

/* How light falls on drops: an embossed map of the distances to their edges. */
static int shade_drops(const struct df_image *liquid, struct df_image *shade)
{
    static const int emboss[3][3] = {{-2, -1, 0}, {-1, 1, 1}, {0, 1, 2}};
    struct float_image distance = {0};
    struct df_image other;
    int status = -1;

    if (df_image_alloc(&other, liquid->width, liquid->height, 1) != 0 ||
        canny(liquid, 50, 150, &other) != 0 || chamfer_distance(&other, 20.0f, &distance) != 0)
        goto done;
    grey_from_box3(&distance, shade);
    grey_equalize(shade);
    if (grey_filter3(shade, emboss, &other) == 0)
        status = grey_box3(&other, shade);
done:
    float_image_free(&distance);
    df_image_free(&other);
    return status;
}

/* Drops as bright as liquid times shade, of which the largest is scaled to `strength`. Where there is no
 * drop at all the package divides by zero; the image then stays as it is. */
static void add_water(struct df_image *image, const struct df_image *liquid, const struct df_image *shade,
                      float strength)
{
    static const float pale_turquoise[3] = {175 / 255.0f, 238 / 255.0f, 238 / 255.0f};
    const int64_t count = image->width * image->height;
    int most = 0;

    for (int64_t i = 0; i < count; i++) {
        const int product = liquid->pixels[i] * shade->pixels[i];
        most = product > most ? product : most;
    }
    if (most == 0)
        return;
    for (int64_t i = 0; i < count; i++) {
        const float water = (float)(liquid->pixels[i] * shade->pixels[i]) / (float)most * strength;
        for (int c = 0; c < 3; c++) {
            const float sum = (float)image->pixels[3 * i + c] / 255.0f + water * pale_turquoise[c];
            image->pixels[3 * i + c] = (uint8_t)((sum > 1.0f ? 1.0f : sum) * 255.0f);
        }
    }
}

static int splash_water(struct df_image *image, const struct float_image *liquid, float strength)
{
    struct df_image drops = {0}, shade = {0};
    int status = -1;

    if (df_image_alloc(&drops, image->width, image->height, 1) == 0 &&
        df_image_alloc(&shade, image->width, image->height, 1) == 0) {
        float_image_to_bytes(liquid, 255.0f, &drops);
        status = shade_drops(&drops, &shade);
    }
    if (status == 0)
        add_water(image, &drops, &shade, strength);
    df_image_free(&drops);
    df_image_free(&shade);
    return status;
}

/* In double, as the package: results are truncated. */
static int splash_mud(struct df_image *image, struct float_image *liquid, const struct spatter *spatter)
{
    static const double brown[3] = {63 / 255.0, 42 / 255.0, 20 / 255.0};
    const int64_t count = image->width * image->height;

    for (int64_t i = 0; i < count; i++)
        liquid->pixels[i] = liquid->pixels[i] > spatter->threshold ? 1.0f : 0.0f;
    DF_TRY(gaussian_filter(liquid, spatter->mud_sigma, 4.0, BORDER_NEAREST));
    for (int64_t i = 0; i < count; i++) {
        const float mud = liquid->pixels[i] < 0.8f ? 0.0f : liquid->pixels[i];
        for (int c = 0; c < 3; c++) {
            const float left = (float)image->pixels[3 * i + c] / 255.0f * (1.0f - mud);
            const double sum = (double)left + brown[c] * (double)mud;
            image->pixels[3 * i + c] = (uint8_t)((sum < 0.0 ? 0.0 : sum > 1.0 ? 1.0 : sum) * 255.0);
        }
    }
    return 0;
}

int imagenet_c_spatter(struct df_corruption_job *job)
{
    const struct spatter *spatter = &of_severity[job->severity - 1];
    struct float_image liquid = {0};

    int status = make_liquid(job, spatter, &liquid);
    if (status == 0 && spatter->mud_sigma > 0.0)
        status = splash_mud(job->image, &liquid, spatter);
    else if (status == 0)
        status = splash_water(job->image, &liquid, spatter->strength);
    float_image_free(&liquid);
    return status;
}
