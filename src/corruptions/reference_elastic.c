#include "reference.h"

#include "dinoft/error.h"

int reference_elastic_transform(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}
