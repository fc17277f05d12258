#include "imagenet_c.h"

#include "../pixels/motion.h"

int imagenet_c_motion_blur(struct df_corruption_job *job)
{
    static const struct {
        int radius;
        double sigma;
    } of_severity[DF_SEVERITIES] = {{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}};
    const int i = job->severity - 1;
    const double angle = df_rng_uniform(&job->rng, -45.0, 45.0);

    return motion_blur_bytes(job->image, of_severity[i].radius, of_severity[i].sigma, angle);
}
