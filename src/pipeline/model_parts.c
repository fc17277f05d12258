#include "dinoft/model_parts.h"

#include "dinoft/decoder_kind.h"
#include "dinoft/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void df_setup_close(struct df_setup *setup)
{
    df_setup_release_backbone(setup);
    df_checkpoint_free(setup->checkpoint);
    df_backend_close(setup->backend);
    free(setup->weights_path);
    memset(setup, 0, sizeof *setup);
}

void df_setup_release_backbone(struct df_setup *setup)
{
    df_state_free(setup->backbone);
    setup->backbone = NULL;
}

int df_model_options_use(struct df_segmenter_options *options, enum df_model_use use,
                         const struct df_backend *backend, int64_t patch)
{
    const struct df_decoder_kind *decoder = df_decoder_kind_named(options->decoder);

    if (!decoder)
        return -1;
    const int64_t least = decoder->least_grid * patch;
    if (options->height < least || options->width < least)
        return df_error_set("the decoder %s needs images of at least %" PRId64 " x %" PRId64
                            " pixels (--img_dim %" PRId64 " %" PRId64 "), found %" PRId64 " x %" PRId64,
                            decoder->name, least, least, least, least, options->height, options->width);
    options->training = use != DF_MODEL_EVALUATES && use != DF_MODEL_EVALUATES_FEED;
    options->features_given = use == DF_MODEL_TRAINS_DECODER;
    options->packed = (use == DF_MODEL_TRAINS || use == DF_MODEL_EVALUATES_FEED) && backend->resizes;
    return 0;
}

struct df_segmenter *df_setup_segmenter(struct df_setup *setup, enum df_model_use use, int64_t classes,
                                        int64_t max_batch, uint64_t seed)
{
    const struct df_state *trained = setup->checkpoint ? setup->checkpoint->state : NULL;
    struct df_segmenter_options options = setup->model;

    options.classes = classes;
    options.max_batch = max_batch;
    if (df_model_options_use(&options, use, setup->backend, setup->vit.patch) != 0)
        return NULL;
    struct df_segmenter *segmenter =
        df_segmenter_create(setup->backend, setup->backbone, &setup->vit, &options, trained, seed);
    if (segmenter && !options.features_given)
        df_setup_release_backbone(setup);
    return segmenter;
}
