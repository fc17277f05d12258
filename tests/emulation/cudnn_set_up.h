/* What tests of attention through the emulated cuDNN begin and end with: a folder for what is chosen, a cuDNN
 * that computes rightly, and times that are known. */
#ifndef TESTS_EMULATION_CUDNN_SET_UP_H
#define TESTS_EMULATION_CUDNN_SET_UP_H

#include "autotune_folder.h"

#include "emulation_control.h"

/* Measured are our own kernel and cuDNN's two deterministic engines, in turn. */
static const float first_engine_is_faster[] = {1.0f, 0.5f, 0.6f};

static inline int set_up(void **state)
{
    df_emulation_set_cudnn(DF_CUDNN_CORRECT);
    df_emulation_set_times(first_engine_is_faster, 3);
    return make_autotune_folder(state);
}

static inline int restore(void **state)
{
    df_emulation_set_cudnn(DF_CUDNN_CORRECT);
    df_emulation_set_times(NULL, 0);
    return remove_autotune_folder(state);
}

#endif
