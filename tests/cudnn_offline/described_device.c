#include "described_device.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DESCRIPTION_MAX_BYTES 4096

static struct df_cudnn library;
static cudnnBackendDescriptor_t description;

bool cudnn_library_open(void)
{
    return df_cudnn_open(&library) == 0;
}

const struct df_cudnn *cudnn_library(void)
{
    return &library;
}

double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static cudnnStatus_t set_description(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name)
{
    return library.cudnnBackendSetAttribute(descriptor, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &description);
}

/* Heuristics and engines take the handle from their graph, and the description by themselves. */
static cudnnStatus_t set_attribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;

    if (name == CUDNN_ATTR_OPERATIONGRAPH_HANDLE)
        return status;
    if (name == CUDNN_ATTR_EXECUTION_PLAN_HANDLE)
        return set_description(descriptor, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
    if (name == CUDNN_ATTR_ENGINEHEUR_MODE)
        status = set_description(descriptor, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
    if (name == CUDNN_ATTR_ENGINE_GLOBAL_INDEX)
        status = set_description(descriptor, CUDNN_ATTR_ENGINE_DEVICEPROP);
    return status == CUDNN_STATUS_SUCCESS
               ? library.cudnnBackendSetAttribute(descriptor, name, type, count, values)
               : status;
}

static int describe(const char *json, size_t bytes)
{
    DF_TRY(DF_CUDNN(library.cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &description)));
    DF_TRY(DF_CUDNN(library.cudnnBackendSetAttribute(description, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                                     CUDNN_TYPE_CHAR, (int64_t)bytes, json)));
    return DF_CUDNN(library.cudnnBackendFinalize(description));
}

/* 90 for 9.0; 0 where the description does not say. */
static int read_capability(const char *json)
{
    const char *const member = strstr(json, "\"deviceVer\":");
    int version = 0;

    return member && sscanf(member, "\"deviceVer\": %d", &version) == 1 ? version / 10 : 0;
}

struct df_cuda_context *described_device_open(const char *file)
{
    struct df_cuda_context *context = calloc(1, sizeof *context);
    char json[DESCRIPTION_MAX_BYTES] = "";
    FILE *stream = fopen(file, "rb");
    const size_t bytes = stream ? fread(json, 1, sizeof json - 1, stream) : 0;

    if (stream)
        fclose(stream);
    if (!context || bytes == 0 || bytes == sizeof json - 1) {
        df_error_set("%s: cannot be read, or has more than %d bytes", file, DESCRIPTION_MAX_BYTES - 2);
        free(context);
        return NULL;
    }
    if (describe(json, bytes + 1) != 0) { /* with the closing zero */
        described_device_close(context);
        return NULL;
    }
    context->cudnn = library;
    context->cudnn.cudnnBackendSetAttribute = set_attribute;
    context->capability = read_capability(json);
    context->dnn_tried = context->dnn_usable = true;
    return context;
}

void described_device_close(struct df_cuda_context *context)
{
    if (description)
        (void)library.cudnnBackendDestroyDescriptor(description);
    description = NULL;
    free(context);
}
