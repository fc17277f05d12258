#include "imagenet_c.h"

#include "dinoft/error.h"

int imagenet_c_brightness(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_contrast(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_saturate(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_jpeg_compression(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_pixelate(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
