#include "imagenet_c.h"

#include "dinoft/error.h"

int imagenet_c_frost(struct df_corruption_job *job)
{
    (void)job;
    return df_error_set("not there yet");
}

struct df_frost *df_frost_open(const char *folder)
{
    df_error_set("not there yet: %s", folder);
    return NULL;
}

void df_frost_free(struct df_frost *frost)
{
    (void)frost;
}
