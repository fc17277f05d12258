#include "plan_store.h"

#include "autotune_cache.h"
#include "cuda_context.h"

#include "dinoft/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_MAX_BYTES 640
#define PATH_MAX_BYTES 1024
#define TEXT_MAX_BYTES ((size_t)64 << 20)

/* Where a plan's file is, and how it begins. */
struct place {
    char path[PATH_MAX_BYTES], head[HEAD_MAX_BYTES];
};

static bool find_place(const struct df_cuda_context *context, const struct df_attention_problem *problem,
                       int candidate, struct place *place)
{
    const struct df_attention_shape *shape = &problem->shape;
    char folder[DF_AUTOTUNE_FOLDER_MAX];
    int driver = 0;

    if (!df_autotune_folder(folder))
        return false;
    (void)cudaDriverGetVersion(&driver);
    snprintf(place->head, sizeof place->head,
             "dinoft, a plan of cuDNN %zu, driver %d, %s, sm%d, attention %" PRId64 " %" PRId64 " %" PRId64
             " %" PRId64 ", pass %d, candidate %d, graph %016" PRIx64 "\n",
             context->cudnn.cudnnGetVersion(), driver, context->device_name, context->capability,
             shape->batch, shape->tokens, shape->heads, shape->head_size, (int)problem->pass, candidate,
             df_attention_digest(problem, candidate));
    const int length = snprintf(place->path, sizeof place->path, "%s/cudnn-plan-%016" PRIx64, folder,
                                df_digest_of(place->head, strlen(place->head)));
    return length > 0 && (size_t)length < sizeof place->path;
}

/* The line behind the head: what the plan is. */
struct seal {
    size_t size;
    uint64_t digest;
};

#define SEAL_FORMAT "%zu %016" PRIx64 "\n"

static bool read_head(FILE *file, const struct place *place, struct seal *seal)
{
    char line[HEAD_MAX_BYTES];

    return fgets(line, sizeof line, file) && strcmp(line, place->head) == 0 &&
           fgets(line, sizeof line, file) && sscanf(line, "%zu %" SCNx64, &seal->size, &seal->digest) == 2 &&
           seal->size > 0 && seal->size <= TEXT_MAX_BYTES;
}

static bool read_text(FILE *file, const struct seal *seal, struct df_cudnn_text *text)
{
    char *bytes = malloc(seal->size);

    if (bytes && fread(bytes, 1, seal->size, file) == seal->size && fgetc(file) == EOF &&
        df_digest_of(bytes, seal->size) == seal->digest) {
        *text = (struct df_cudnn_text){bytes, seal->size};
        return true;
    }
    free(bytes);
    return false;
}

bool df_plan_store_read(const struct df_cuda_context *context, const struct df_attention_problem *problem,
                        int candidate, struct df_cudnn_text *text)
{
    struct place place;
    struct seal seal;
    FILE *file = find_place(context, problem, candidate, &place) ? fopen(place.path, "rb") : NULL;

    *text = (struct df_cudnn_text){NULL, 0};
    const bool found = file && read_head(file, &place, &seal) && read_text(file, &seal, text);
    if (file)
        fclose(file);
    return found;
}

static bool write_file(FILE *file, const struct place *place, const struct df_cudnn_text *text)
{
    const bool written = fputs(place->head, file) >= 0 &&
                         fprintf(file, SEAL_FORMAT, text->size, df_digest_of(text->bytes, text->size)) > 0 &&
                         fwrite(text->bytes, 1, text->size, file) == text->size;

    return fclose(file) == 0 && written;
}

void df_plan_store_write(const struct df_cuda_context *context, const struct df_attention_problem *problem,
                         int candidate, const struct df_cudnn_text *text)
{
    struct place place;
    char part[PATH_MAX_BYTES + sizeof ".XXXXXX"];

    if (!find_place(context, problem, candidate, &place))
        return;
    snprintf(part, sizeof part, "%s.XXXXXX", place.path);
    const int made = mkstemp(part);
    FILE *file = made >= 0 ? fdopen(made, "wb") : NULL;
    if (made >= 0 && !file)
        (void)close(made);
    if (made >= 0 && !(file && write_file(file, &place, text) && rename(part, place.path) == 0))
        (void)unlink(part);
}
