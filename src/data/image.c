#include "codec.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

void df_image_free(struct df_image *image)
{
    free(image->pixels);
    memset(image, 0, sizeof *image);
}

int df_image_check_size(int64_t width, int64_t height)
{
    if (width < 1 || height < 1)
        return df_error_set("an image of %lld x %lld pixels", (long long)width, (long long)height);
    if (width > DF_IMAGE_MAX_SIDE || height > DF_IMAGE_MAX_SIDE || width > DF_IMAGE_MAX_PIXELS / height)
        return df_error_set("an image of %lld x %lld pixels; at most %d a side and %lld in all are accepted",
                            (long long)width, (long long)height, DF_IMAGE_MAX_SIDE,
                            (long long)DF_IMAGE_MAX_PIXELS);
    return 0;
}

int df_image_check_file(int64_t width, int64_t height, size_t bytes, int64_t most)
{
    DF_TRY(df_image_check_size(width, height));
    return df_image_check_bytes(width, height, bytes, most);
}

int df_image_check_bytes(int64_t width, int64_t height, size_t bytes, int64_t most)
{
    if (width < 1 || height < 1)
        return df_error_set("an image of %lld x %lld pixels", (long long)width, (long long)height);
    if ((uint64_t)(width * height) / (uint64_t)most <= bytes)
        return 0;
    return df_error_set("its header says %lld x %lld pixels, more than a file of %zu bytes can hold: it is "
                        "damaged or was cut short",
                        (long long)width, (long long)height, bytes);
}

int df_image_alloc(struct df_image *image, int64_t width, int64_t height, int channels)
{
    memset(image, 0, sizeof *image);
    DF_TRY(df_image_check_size(width, height));
    return df_image_alloc_checked(image, width, height, channels);
}

int df_image_alloc_checked(struct df_image *image, int64_t width, int64_t height, int channels)
{
    const int64_t shape[] = {height, width, channels};
    size_t bytes;

    memset(image, 0, sizeof *image);
    if (!df_shape_count(shape, 3, &bytes) || !(image->pixels = malloc(bytes)))
        return df_error_memory("an image", (unsigned long long)(width * height * channels));
    image->width = width;
    image->height = height;
    image->channels = channels;
    return 0;
}
