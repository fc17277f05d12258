/* How gradients become new values: what a run asks of AdamW and of what stands around it. */
#ifndef DINOFT_OPTIMIZER_H
#define DINOFT_OPTIMIZER_H

#include <stdbool.h>

struct df_optimizer_options {
    double lr_head, lr_lora; /* the learning rate's factors for the decoder's tensors and for LoRA's */
    double lora_scale;       /* of B A x. B is kept, and saved, times it */
    double lora_plus;        /* B's learning rate is A's times this */
    double weight_decay;
    bool decay_1d;    /* one-dimensional tensors decay too: biases, BatchNorm's weights */
    double grad_clip; /* the norm of all gradients is at most this; 0: whatever it is */
    double ema;       /* decay of the moving average of what is trained; 0: there is none */
};

/* Of a model that was made before there was a choice, and PyTorch's own. */
#define DF_OPTIMIZER_DEFAULTS                                                                                \
    {                                                                                                        \
        .lr_head = 1.0, .lr_lora = 1.0, .lora_scale = 1.0, .lora_plus = 1.0, .weight_decay = 0.01,           \
        .decay_1d = true                                                                                     \
    }

#endif
