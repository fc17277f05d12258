#include "commands.h"

#include "dinoft/dataset.h"

#include <inttypes.h>
#include <stdio.h>

int command_demo_data(struct df_config *config)
{
    if (df_demo_data_write(config->data_root, config->train_images, config->val_images,
                           (uint64_t)config->seed) != 0)
        return 1;
    printf("wrote %" PRId64 " training and %" PRId64 " validation images to %s/VOCdevkit/VOC2012\n",
           config->train_images, config->val_images, config->data_root);
    return 0;
}
