/* What a device refuses, and the blocks of a grid one after the other. */
#include "device_memory.h"

#include <algorithm>
#include <map>

namespace emulation
{

struct function_attributes {
    size_t dynamic_shared = static_shared_limit;
    bool opted_in = false; /* for dynamic shared memory */
};

static std::map<const void *, function_attributes> functions;

extern "C" cudaError_t cudaFuncSetAttribute(const void *function, enum cudaFuncAttribute attribute, int value)
{
    if (!function)
        return remember(cudaErrorInvalidDeviceFunction);
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
        return value >= -1 && value <= 100 ? cudaSuccess : remember(cudaErrorInvalidValue);
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        (size_t)value > device_capability().block_shared)
        return remember(cudaErrorInvalidValue);
    functions[function] = {(size_t)value, true};
    return cudaSuccess;
}

size_t shared_limit_of(const void *function)
{
    return functions[function].opted_in ? device_capability().block_shared : static_shared_limit;
}

extern "C" cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *function,
                                                                     int threads, size_t dynamic_shared)
{
    const capability &device = device_capability();

    if (!blocks || !function || threads < 1 || threads > (int)max_threads ||
        dynamic_shared > device.block_shared)
        return remember(cudaErrorInvalidValue);
    const size_t by_memory = device.shared() / (dynamic_shared + reserved_shared);
    const size_t by_threads = device.threads / (size_t)((threads + 31) / 32 * 32);
    *blocks = (int)std::min({by_memory, by_threads, (size_t)device.blocks});
    return cudaSuccess;
}

/* The largest block that the function was declared for; 0 where that is not known. cuda_runtime.h hides it in
 * the number of patchable instructions before the function, one for each started warp. */
extern "C" const uintptr_t __start___patchable_function_entries[] __attribute__((weak));
extern "C" const uintptr_t __stop___patchable_function_entries[] __attribute__((weak));

static unsigned declared_threads(const void *function)
{
    const uintptr_t *const start = __start___patchable_function_entries,
                           *const stop = __stop___patchable_function_entries;

    for (const uintptr_t *entry = start; entry < stop; entry++) {
        if (*entry < (uintptr_t)function && (uintptr_t)function - *entry <= max_threads / lanes)
            return (unsigned)((uintptr_t)function - *entry) * lanes;
    }
    return 0;
}

static cudaError_t check_launch(const df_emulated_kernel &kernel)
{
    const dim3 grid = kernel.grid, block = kernel.block;

    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0)
        return cudaErrorInvalidConfiguration;
    if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
        return cudaErrorInvalidConfiguration;
    if (block.x > max_threads || block.y > max_threads || block.z > 64 ||
        (uint64_t)block.x * block.y * block.z > max_threads)
        return cudaErrorInvalidConfiguration;
    if (kernel.dynamic_shared > functions[kernel.function].dynamic_shared)
        return cudaErrorInvalidValue;
    const unsigned declared = declared_threads(kernel.function);
    if (declared > 0 && block.x * block.y * block.z > declared)
        return cudaErrorInvalidValue;
    return cudaSuccess;
}

static void run_kernel(const df_emulated_kernel &kernel)
{
    static std::vector<unsigned> order;
    const uint64_t blocks = (uint64_t)kernel.grid.x * kernel.grid.y * kernel.grid.z;

    open_device_memory();
    begin_launch_checks();
    fill_order(order, (unsigned)blocks);
    for (unsigned i = 0; i < (unsigned)blocks; i++) {
        const unsigned b = order[i];
        run_block(kernel,
                  {b % kernel.grid.x, b / kernel.grid.x % kernel.grid.y, b / kernel.grid.x / kernel.grid.y});
    }
    close_device_memory();
}

} // namespace emulation

cudaError_t df_emulated_enqueue(const df_emulated_kernel &kernel, cudaStream_t stream)
{
    const cudaError_t error = emulation::check_launch(kernel);

    if (error != cudaSuccess)
        return emulation::remember(error);
    const char *const arguments = static_cast<const char *>(kernel.arguments);
    const std::vector<char> copy(arguments, arguments + kernel.argument_bytes);
    return emulation::enqueue(stream, [kernel, copy]() {
        df_emulated_kernel launched = kernel;
        launched.arguments = copy.data();
        emulation::run_kernel(launched);
    });
}
