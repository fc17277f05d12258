#include "imagenet_c.h"

#include "dinoft/error.h"

int imagenet_c_glass_blur(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
