/* The inside of the decoders linear and multi. */
#ifndef DINOFT_DECODER_LINEAR_H
#define DINOFT_DECODER_LINEAR_H

#include "decoder_input.h"

struct df_linear {
    struct df_decoder base;
    struct df_decoder_input input;
    int classifier; /* index of the convolution's first parameter */
};

#endif
