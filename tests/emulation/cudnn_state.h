/* What the files of the emulated cuDNN share. */
#ifndef EMULATION_CUDNN_STATE_H
#define EMULATION_CUDNN_STATE_H

#include "include/cudnn.h"
#include "include/emulation_control.h"

struct df_emulated_dnn {
    cudaStream_t stream;
};

namespace emulation
{

extern df_emulated_cudnn cudnn_behaviour;

} // namespace emulation

#endif
