#include "imagenet_c.h"

#include "../pixels/disk_blur.h"
#include "../pixels/filters.h"

int imagenet_c_gaussian_blur(struct df_corruption_job *job)
{
    static const double sigmas[DF_SEVERITIES] = {1, 2, 3, 4, 6};

    return gaussian_filter_bytes(job->image, sigmas[job->severity - 1]);
}

int imagenet_c_defocus_blur(struct df_corruption_job *job)
{
    static const struct {
        int radius;
        double alias_blur;
    } of_severity[DF_SEVERITIES] = {{3, 0.1}, {4, 0.5}, {6, 0.5}, {8, 0.5}, {10, 0.5}};
    const int i = job->severity - 1;

    return disk_blur(job->image, of_severity[i].radius, of_severity[i].alias_blur, take_bytes, job->image);
}
