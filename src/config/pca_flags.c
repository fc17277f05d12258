/* What flags of pca say together. */
#include "options.h"

#include "dinoft/error.h"

int df_config_check_pca(const struct df_config *config)
{
    static const enum df_option of_clusters[] = {DF_OPTION_CLUSTER_BY, DF_OPTION_SEED};
    const bool clusters = config->typed[DF_OPTION_CLUSTERS], similar = config->typed[DF_OPTION_SIMILAR_TO];
    const enum df_option alone =
        df_config_typed(config, of_clusters, sizeof of_clusters / sizeof of_clusters[0]);

    if (config->command != DF_COMMAND_PCA)
        return 0;
    if (clusters && similar)
        return df_error_set("--clusters and --similar_to are two kinds of pictures: give one of them");
    if (config->foreground && (clusters || similar))
        return df_error_set("--foreground is for pictures of principal components, which --%s replaces",
                            df_option_name(clusters ? DF_OPTION_CLUSTERS : DF_OPTION_SIMILAR_TO));
    if (alone != DF_OPTION_COUNT && !clusters)
        return df_error_set("--%s is for --clusters, which was not given", df_option_name(alone));
    return 0;
}
