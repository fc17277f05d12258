#include "imagenet_c.h"

#include "dinoft/size.h"
#include "plasma.h"

/* The side of the fractal's map: a power of two that covers the image. */
static int64_t map_side(const struct df_image *image)
{
    const int64_t longest = df_max_i64(image->width, image->height);
    int64_t side = 1;

    while (side < longest)
        side *= 2;
    return side;
}

static uint8_t brightest(const struct df_image *image)
{
    uint8_t most = 0;

    for (int64_t i = 0; i < image->width * image->height * 3; i++)
        most = image->pixels[i] > most ? image->pixels[i] : most;
    return most;
}

/* Adds amount * map to values of 0..1, then darkens so that the brightest could not pass where it was. */
static void add_fog(struct df_image *image, const struct float_image *map, float amount)
{
    const float most = (float)brightest(image) / 255.0f;
    const float scale = most / (most + amount), thickness = amount * scale * 255.0f;
    float darkened[256];

    for (int i = 0; i < 256; i++)
        darkened[i] = (float)i * scale;
    for (int64_t y = 0; y < image->height; y++) {
        uint8_t *row = image->pixels + y * image->width * 3;
        const float *fog = map->pixels + y * map->width;
        for (int64_t x = 0; x < image->width; x++) {
            for (int c = 0; c < 3; c++) {
                const float value = darkened[row[3 * x + c]] + thickness * fog[x];
                row[3 * x + c] = (uint8_t)(value > 255.0f ? 255.0f : value);
            }
        }
    }
}

int imagenet_c_fog(struct df_corruption_job *job)
{
    static const struct {
        float amount;
        double decay;
    } of_severity[DF_SEVERITIES] = {{1.5f, 2.0}, {2.0f, 2.0}, {2.5f, 1.7}, {2.5f, 1.5}, {3.0f, 1.4}};
    struct float_image map;

    const int status =
        plasma_fractal(&job->rng, map_side(job->image), of_severity[job->severity - 1].decay, &map);
    if (status == 0)
        add_fog(job->image, &map, of_severity[job->severity - 1].amount);
    float_image_free(&map);
    return status;
}
