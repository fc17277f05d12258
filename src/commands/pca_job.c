#include "pca_job.h"

#include "commands.h"
#include "interrupt.h"

int pca_visit_all(struct pca_job *job, pca_visit *visit, void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    for (int64_t i = 0; i < job->images; i++) {
        const float *values = df_record_store_read(job->kept, i, 0, job->bytes, job->values);
        if (*stop)
            return EXIT_INTERRUPTED;
        if (!values)
            return 1;
        visit(job, i, values, context);
    }
    return 0;
}

void pca_drop_features(struct pca_job *job)
{
    df_record_store_close(job->kept);
    job->kept = NULL;
}
