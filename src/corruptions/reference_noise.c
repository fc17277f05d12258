#include "reference.h"

#include "dinoft/error.h"

int reference_gauss_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

int reference_iso_noise(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
