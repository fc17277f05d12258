/* The runtime's functions on devices, errors and memory. */
#include "device_memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>

namespace emulation
{

static thread_local cudaError_t last_error = cudaSuccess;

cudaError_t remember(cudaError_t error)
{
    if (error != cudaSuccess)
        last_error = error;
    return error;
}

bool machine_is(const char *kind)
{
    const char *const text = getenv("DF_EMULATION_MACHINE");
    return text && !strcmp(text, kind);
}

thread_local int current_device;

/* DF_EMULATION_DEVICES; they share their memory. */
static int device_count()
{
    const char *const text = getenv("DF_EMULATION_DEVICES");
    return text ? atoi(text) : 1;
}

struct named_error {
    cudaError_t error;
    const char *name, *text;
};

static const named_error errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
};

static const named_error *find_error(cudaError_t error)
{
    for (const named_error &e : errors) {
        if (e.error == error)
            return &e;
    }
    return nullptr;
}

/* --- host memory that the device reads by itself --- */

static std::map<char *, size_t> pinned;

static bool is_pinned(const void *p)
{
    const auto after = pinned.upper_bound((char *)const_cast<void *>(p));

    if (after == pinned.begin())
        return false;
    const auto found = std::prev(after);
    return (const char *)p < found->first + found->second;
}

/* --- copies --- */

/* When the work on it begins, memory may have been freed. */
static void check_is_there(const void *p, size_t bytes)
{
    if (is_device_address(p) && !is_allocated(p, bytes))
        report(nullptr, "a copy or fill of %zu bytes of device memory that was freed", bytes);
}

static void copy_now(void *destination, const void *source, size_t bytes)
{
    check_is_there(destination, bytes);
    check_is_there(source, bytes);
    open_device_memory();
    memmove(destination, source, bytes);
    close_device_memory();
}

static cudaError_t check_range(const void *p, size_t bytes, bool on_device)
{
    if (is_device_address(p) != on_device || (on_device && !is_allocated(p, bytes)))
        return cudaErrorInvalidValue;
    return cudaSuccess;
}

static cudaError_t check_copy(const void *destination, const void *source, size_t bytes,
                              enum cudaMemcpyKind kind)
{
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;

    if ((unsigned)kind > cudaMemcpyDefault)
        return cudaErrorInvalidMemcpyDirection;
    if (kind == cudaMemcpyDefault) {
        to_device = is_device_address(destination);
        from_device = is_device_address(source);
    }
    const cudaError_t error = check_range(destination, bytes, to_device);
    return error != cudaSuccess ? error : check_range(source, bytes, from_device);
}

extern "C" {

const char *cudaGetErrorName(cudaError_t error)
{
    const named_error *const e = find_error(error);
    return e ? e->name : "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    const named_error *const e = find_error(error);
    return e ? e->text : "unrecognized error code";
}

cudaError_t cudaGetLastError(void)
{
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 0;
    if (machine_is("no-driver") || machine_is("old-driver"))
        return remember(cudaErrorInsufficientDriver);
    if (machine_is("no-device"))
        return remember(cudaErrorNoDevice);
    *count = device_count();
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = current_device;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    if (device < 0 || device >= device_count())
        return remember(cudaErrorInvalidDevice);
    current_device = device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    size_t free;

    if (!p || device < 0 || device >= device_count())
        return remember(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    if (device == 0)
        snprintf(p->name, sizeof p->name, "emulated device");
    else
        snprintf(p->name, sizeof p->name, "emulated device of number %d", device);
    device_memory_info(&free, &p->totalGlobalMem);
    p->sharedMemPerBlock = static_shared_limit;
    p->regsPerBlock = 65536;
    p->warpSize = (int)lanes;
    p->maxThreadsPerBlock = (int)max_threads;
    sscanf(device_capability().name, "%d.%d", &p->major, &p->minor);
    p->multiProcessorCount = 4;
    p->memoryBusWidth = 5120;
    p->l2CacheSize = 50 << 20;
    p->sharedMemPerMultiprocessor = device_capability().shared();
    p->sharedMemPerBlockOptin = device_capability().block_shared;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    struct cudaDeviceProp p;

    if (!value || cudaGetDeviceProperties(&p, device) != cudaSuccess)
        return remember(cudaErrorInvalidValue);
    switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
        *value = p.maxThreadsPerBlock;
        break;
    case cudaDevAttrWarpSize:
        *value = p.warpSize;
        break;
    case cudaDevAttrClockRate:
        *value = 1000000;
        break;
    case cudaDevAttrMultiProcessorCount:
        *value = p.multiProcessorCount;
        break;
    case cudaDevAttrMemoryClockRate:
        *value = 1000000;
        break;
    case cudaDevAttrGlobalMemoryBusWidth:
        *value = p.memoryBusWidth;
        break;
    case cudaDevAttrL2CacheSize:
        *value = p.l2CacheSize;
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *value = p.major;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *value = p.minor;
        break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        *value = (int)p.sharedMemPerMultiprocessor;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = (int)p.sharedMemPerBlockOptin;
        break;
    default:
        return remember(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = machine_is("no-driver") ? 0 : machine_is("old-driver") ? 11080 : CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    device_memory_info(free, total);
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    if (!memory)
        return remember(cudaErrorInvalidValue);
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    *memory = bytes > 0 ? allocate_device(bytes) : nullptr;
    return *memory || bytes == 0 ? cudaSuccess : remember(cudaErrorMemoryAllocation);
}

/* Does not wait for the device: its manual only says that it may. */
cudaError_t cudaFree(void *memory)
{
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    return !memory || free_device(memory) ? cudaSuccess : remember(cudaErrorInvalidValue);
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned)
{
    if (!memory)
        return remember(cudaErrorInvalidValue);
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    *memory = malloc(bytes);
    if (!*memory)
        return remember(cudaErrorMemoryAllocation);
    pinned[(char *)*memory] = bytes;
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory)
{
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    finish_all_streams();
    if (memory && pinned.erase((char *)memory) == 0)
        return remember(cudaErrorInvalidValue);
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *destination, const void *source, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    if (bytes == 0)
        return cudaSuccess;
    const cudaError_t error = check_copy(destination, source, bytes, kind);
    if (error != cudaSuccess)
        return remember(error);
    const bool to_host = !is_device_address(destination), from_host = !is_device_address(source);
    if ((to_host && !is_pinned(destination)) || (from_host && !is_pinned(source))) {
        /* Not by the device itself: the call returns when the host's memory has been read or written. */
        if (is_capturing(stream) || !may_act_at_once())
            return remember(cudaErrorStreamCaptureUnsupported);
        finish_stream(stream);
        copy_now(destination, source, bytes);
        return cudaSuccess;
    }
    return enqueue(stream, [=]() { copy_now(destination, source, bytes); });
}

cudaError_t cudaMemcpy(void *destination, const void *source, size_t bytes, enum cudaMemcpyKind kind)
{
    return cudaMemcpyAsync(destination, source, bytes, kind, nullptr);
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    if (bytes == 0)
        return cudaSuccess;
    const cudaError_t error = check_range(memory, bytes, true);
    if (error != cudaSuccess)
        return remember(error);
    return enqueue(stream, [=]() {
        check_is_there(memory, bytes);
        open_device_memory();
        memset(memory, value, bytes);
        close_device_memory();
    });
}

cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    return cudaMemsetAsync(memory, value, bytes, nullptr);
}

} /* extern "C" */

} // namespace emulation
