#include "reference.h"

/* The transform takes pixels as RGB and hands them to OpenCV's encoder, which takes them as BGR: the colours'
 * halved resolution and coarser steps fall on the channels the other way round. */
static void swap_red_and_blue(struct df_image *image)
{
    for (int64_t i = 0; i < image->width * image->height * 3; i += 3) {
        const uint8_t red = image->pixels[i];
        image->pixels[i] = image->pixels[i + 2];
        image->pixels[i + 2] = red;
    }
}

int reference_image_compression(struct df_corruption_job *job)
{
    static const int qualities[DF_SEVERITIES] = {25, 18, 15, 10, 7};

    swap_red_and_blue(job->image);
    int status = df_jpeg_round_trip(job->image, qualities[job->severity - 1]);
    swap_red_and_blue(job->image);
    return status;
}
