/* What weights want their images to be brought to. */
#include "huggingface_preprocessor.h"

#include "dinoft/error.h"

int df_normalize_of_backbone(const char *path, const struct df_vit_config *vit,
                             struct df_normalize *normalize, const char **why)
{
    const char *name = NULL;
    bool says;

    *why = NULL;
    DF_TRY(huggingface_preprocessor_read(path, normalize, &says));
    if (says) {
        *why = "as its preprocessor_config.json says";
    } else if (df_vit_is_tips(vit)) {
        name = "none";
        *why = "as models with one register, TIPSv2, were trained";
    } else if (vit->family == DF_DINOV3 && df_weights_are_named(path, "sat493m")) {
        name = "sat493m";
        *why = "by its name";
    }
    return name ? df_normalize_parse(name, normalize) : 0;
}
