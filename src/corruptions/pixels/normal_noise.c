#include "normal_noise.h"

#include "dinoft/size.h"

#define BLOCK 2048 /* values: what is drawn stays in the cache until it is added */

static void add_block(uint8_t *values, const float *noise, int64_t count, float constant, float proportional)
{
    for (int64_t i = 0; i < count; i++) {
        const float value = (float)values[i];
        const float level = value + noise[i] * (constant + proportional * value);
        values[i] = (uint8_t)(level < 0.0f ? 0.0f : level > 255.0f ? 255.0f : level);
    }
}

void add_normal_noise(struct df_image *image, struct df_rng *rng, float constant, float proportional)
{
    const int64_t values = image->width * image->height * image->channels;
    float noise[BLOCK];

    for (int64_t start = 0; start < values; start += BLOCK) {
        const int64_t count = df_min_i64(BLOCK, values - start);
        df_rng_normals(rng, noise, count);
        add_block(image->pixels + start, noise, count, constant, proportional);
    }
}
