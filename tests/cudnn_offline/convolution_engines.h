/* Which of cuDNN's engines a convolution of the backend would get.
 *
 * The backend asks for convolutions by cuDNN's older functions, which need a handle. Here their place is
 * taken: the descriptors that the backend made are read back, and the same convolution is asked for as a
 * graph of one operation, which can be planned for a device that is described. */
#ifndef DINOFT_TESTS_CONVOLUTION_ENGINES_H
#define DINOFT_TESTS_CONVOLUTION_ENGINES_H

#include "described_device.h"

enum convolution_pass { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHT };

struct convolution_engines {
    bool asked;        /* whether the backend asked at all */
    int listed;        /* engines that cuDNN names */
    int usable;        /* of these, by conv.c's rules: deterministic, in plain float32 */
    bool built;        /* whether the first usable one can be built */
    int64_t workspace; /* its, in bytes */
    double seconds;    /* that building it took */
};

/* Has the backend ask for a convolution. -1 with the error set. */
int find_convolution_engines(struct df_cuda_context *context, enum convolution_pass pass,
                             struct df_conv_shape shape, struct convolution_engines *engines);

#endif
