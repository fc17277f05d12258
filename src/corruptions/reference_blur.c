#include "reference.h"

#include "dinoft/error.h"

int reference_gaussian_blur(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int reference_glass_blur(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int reference_defocus(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int reference_motion_blur(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int reference_zoom_blur(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
