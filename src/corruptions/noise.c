#include "imagenet_c.h"

#include "dinoft/error.h"

int imagenet_c_gaussian_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_shot_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_impulse_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int imagenet_c_speckle_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
