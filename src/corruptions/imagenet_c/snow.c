#include "imagenet_c.h"

#include "../pixels/motion.h"
#include "../pixels/zoom.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>

struct snow {
    float mean, deviation;
    double zoom;
    float threshold;
    int radius;
    double sigma;
    float kept; /* share of the image that is not whitened */
};

static const struct snow of_severity[DF_SEVERITIES] = {
    {0.1f, 0.3f, 3.0, 0.5f, 10, 4.0, 0.8f},     {0.2f, 0.3f, 2.0, 0.5f, 12, 4.0, 0.7f},
    {0.55f, 0.3f, 4.0, 0.9f, 12, 8.0, 0.7f},    {0.55f, 0.3f, 4.5, 0.85f, 12, 8.0, 0.65f},
    {0.55f, 0.3f, 2.5, 0.85f, 12, 12.0, 0.55f},
};

/* Flakes: enlarged noise of which the brightest is left, blurred along a steep line. */
static int make_layer(struct df_corruption_job *job, const struct snow *snow, struct float_image *layer)
{
    struct float_image noise;

    int status = float_image_alloc(&noise, job->image->width, job->image->height, 1);
    if (status == 0) {
        df_rng_normals(&job->rng, noise.pixels, noise.width * noise.height);
        for (int64_t i = 0; i < noise.width * noise.height; i++)
            noise.pixels[i] = snow->mean + snow->deviation * noise.pixels[i];
        status = clipped_zoom(&noise, snow->zoom, layer);
    }
    float_image_free(&noise);
    if (status != 0)
        return -1;
    for (int64_t i = 0; i < layer->width * layer->height; i++) {
        const float value = layer->pixels[i];
        layer->pixels[i] = value < snow->threshold ? 0.0f : value > 1.0f ? 1.0f : value;
    }
    return motion_blur(layer, snow->radius, snow->sigma, df_rng_uniform(&job->rng, -135.0, -45.0));
}

/* The package rounds the layer to bytes, halves to even. */
static void round_layer(const struct float_image *layer, struct df_image *bytes)
{
    for (int64_t y = 0; y < bytes->height; y++) {
        const float *row = layer->pixels + y * layer->width;
        for (int64_t x = 0; x < bytes->width; x++)
            bytes->pixels[y * bytes->width + x] = (uint8_t)lrint((double)row[x] * 255.0);
    }
}

/* v / 255 for each byte v. What the package has in float32 is in float here, and what it has in float64 is in
 * double: results are truncated. */
struct levels {
    float image[256];
    double flakes[256];
};

static void whiten(uint8_t pixel[3], const struct levels *levels, float kept, uint8_t flake,
                   uint8_t turned_flake)
{
    const float colour[3] = {levels->image[pixel[0]], levels->image[pixel[1]], levels->image[pixel[2]]};
    const float grey = colour[0] * 0.299f + colour[1] * 0.587f + colour[2] * 0.114f;
    const float bright = grey * 1.5f + 0.5f;

    for (int c = 0; c < 3; c++) {
        const float lifted = colour[c] > bright ? colour[c] : bright;
        const float white = kept * colour[c] + (1.0f - kept) * lifted;
        const double sum = (double)white + levels->flakes[flake] + levels->flakes[turned_flake];
        pixel[c] = (uint8_t)((sum > 1.0 ? 1.0 : sum) * 255.0);
    }
}

/* The layer falls once as it is and once turned by 180 degrees. */
static void add_layer(struct df_image *image, const struct df_image *layer, float kept)
{
    const int64_t count = image->width * image->height;
    struct levels levels;

    for (int i = 0; i < 256; i++) {
        levels.image[i] = (float)i / 255.0f;
        levels.flakes[i] = i / 255.0;
    }
    for (int64_t i = 0; i < count; i++)
        whiten(image->pixels + 3 * i, &levels, kept, layer->pixels[i], layer->pixels[count - 1 - i]);
}

int imagenet_c_snow(struct df_corruption_job *job)
{
    const struct snow *snow = &of_severity[job->severity - 1];
    struct float_image layer = {0};
    struct df_image bytes = {0};

    int status = make_layer(job, snow, &layer);
    if (status == 0)
        status = df_image_alloc(&bytes, job->image->width, job->image->height, 1);
    if (status == 0) {
        assert(layer.width >= bytes.width && layer.height >= bytes.height); /* the rest is cut off */
        round_layer(&layer, &bytes);
        add_layer(job->image, &bytes, snow->kept);
    }
    df_image_free(&bytes);
    float_image_free(&layer);
    return status;
}
