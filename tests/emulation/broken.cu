/* Each kernel has a mistake. The emulation must say so. */
#include "examples.h"

#include "mma.cuh"
#include "types.cuh"

#define BROKEN(name, blocks, threads)                                                                        \
    static cudaError_t run_##name(cudaStream_t stream, float *data)                                          \
    {                                                                                                        \
        DF_LAUNCH(name, blocks, threads, 0, stream, data);                                                   \
        return cudaGetLastError();                                                                           \
    }

__global__ void missing_barrier(float *data)
{
    DF_SHARED(float, values, [64]);
    values[threadIdx.x] = data[threadIdx.x];
    data[threadIdx.x] = values[63 - threadIdx.x];
}
BROKEN(missing_barrier, 1, 64)

/* The one that matters in a loop: a thread writes what others still read. */
__global__ void missing_second_barrier(float *data)
{
    DF_SHARED(float, values, [64]);
    float sum = 0.0f;
    for (int i = 0; i < 2; i++) {
        values[threadIdx.x] = data[i * 64 + threadIdx.x];
        __syncthreads();
        sum += values[63 - threadIdx.x];
    }
    data[threadIdx.x] = sum;
}
BROKEN(missing_second_barrier, 1, 64)

__global__ void shared_index_one_off(float *data)
{
    DF_SHARED(float, values, [64]);
    values[threadIdx.x + 1] = data[threadIdx.x];
    __syncthreads();
    data[threadIdx.x] = values[threadIdx.x + 1];
}
BROKEN(shared_index_one_off, 1, 64)

__global__ void shared_pointer_one_off(float *data)
{
    DF_SHARED(float, values, [8][8]);
    float *const p = &values[0][0] + threadIdx.x;
    for (int i = 0; i < 9; i++)
        p[8 * i] = data[8 * i + threadIdx.x];
}
BROKEN(shared_pointer_one_off, 1, 8)

__global__ void device_index_one_off(float *data)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x, count = broken_bytes / 4;
    if (i <= count)
        data[i] += 1.0f;
}
BROKEN(device_index_one_off, broken_bytes / 4 / 64 + 1, 64)

__global__ void device_index_before(float *data)
{
    data[threadIdx.x] = data[(int)threadIdx.x - 1] + 1.0f;
}
BROKEN(device_index_before, 1, 1)

__global__ void vector_beyond_the_end(float *data)
{
    float values[4];
    load_vector(data + broken_bytes / 4 - 4 + 4 * threadIdx.x, values);
    data[0] = values[3];
}
BROKEN(vector_beyond_the_end, 1, 2)

__global__ void barrier_in_a_branch(float *data)
{
    if (threadIdx.x < 40) {
        data[threadIdx.x] = 1.0f;
        __syncthreads();
    }
}
BROKEN(barrier_in_a_branch, 1, 64)

__global__ void two_barriers(float *data)
{
    if (threadIdx.x < 40)
        __syncthreads();
    else
        __syncthreads();
    data[threadIdx.x] = 1.0f;
}
BROKEN(two_barriers, 1, 64)

__global__ void barrier_after_exit(float *data)
{
    if (threadIdx.x >= 50)
        return;
    data[threadIdx.x] = 1.0f;
    __syncthreads();
}
BROKEN(barrier_after_exit, 1, 64)

__global__ void barrier_and_shuffle(float *data)
{
    float value = data[threadIdx.x];
    if (threadIdx.x % 32 < 16)
        __syncthreads();
    else
        value = warp_sum(value);
    data[threadIdx.x] = value;
}
BROKEN(barrier_and_shuffle, 1, 64)

__global__ void unwritten_shared(float *data)
{
    DF_SHARED(float, values, [64]);
    if (threadIdx.x != 17)
        values[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    data[threadIdx.x] = values[threadIdx.x];
}
BROKEN(unwritten_shared, 1, 64)

/* What an earlier block left in shared memory is not there for the next. */
__global__ void shared_of_another_block(float *data)
{
    DF_SHARED(float, value, [1]);
    if (blockIdx.x == 0)
        value[0] = 1.0f;
    data[blockIdx.x] = value[0];
}
BROKEN(shared_of_another_block, 2, 1)

__global__ void missing_wait(float *data)
{
    DF_SHARED(float, values, [128]);
    cp_async_16(&values[4 * threadIdx.x], &data[4 * threadIdx.x], true);
    cp_async_commit();
    __syncthreads();
    data[threadIdx.x] = values[4 * threadIdx.x];
}
BROKEN(missing_wait, 1, 32)

__global__ void wait_for_the_wrong_group(float *data)
{
    DF_SHARED(float, values, [256]);
    for (int i = 0; i < 2; i++) {
        cp_async_16(&values[4 * (i * 32 + threadIdx.x)], &data[4 * threadIdx.x], true);
        cp_async_commit();
    }
    cp_async_wait<1>();
    __syncthreads();
    data[threadIdx.x] = values[4 * (32 + threadIdx.x)];
    cp_async_wait<0>();
}
BROKEN(wait_for_the_wrong_group, 1, 32)

/* The wait makes a thread's own copies visible to itself only. */
__global__ void wait_without_barrier(float *data)
{
    DF_SHARED(float, values, [128]);
    cp_async_16(&values[4 * threadIdx.x], &data[4 * threadIdx.x], true);
    cp_async_commit();
    cp_async_wait<0>();
    data[threadIdx.x] = values[124 - 4 * threadIdx.x];
}
BROKEN(wait_without_barrier, 1, 32)

__global__ void copy_never_waited_for(float *data)
{
    DF_SHARED(float, values, [128]);
    cp_async_16(&values[4 * threadIdx.x], &data[4 * threadIdx.x], true);
    cp_async_commit();
}
BROKEN(copy_never_waited_for, 1, 32)

__global__ void copy_to_an_odd_address(float *data)
{
    DF_SHARED(float, values, [128]);
    cp_async_16(&values[1], &data[4 * threadIdx.x], true);
    cp_async_commit();
    cp_async_wait<0>();
}
BROKEN(copy_to_an_odd_address, 1, 1)

__global__ void shuffle_with_lanes_gone(float *data)
{
    float value = data[threadIdx.x];
    if (threadIdx.x < 20)
        value = __shfl_xor_sync(all_lanes, value, 1);
    data[threadIdx.x] = value;
}
BROKEN(shuffle_with_lanes_gone, 1, 32)

__global__ void shuffle_in_half_a_warp(float *data)
{
    data[threadIdx.x] = warp_sum(data[threadIdx.x]);
}
BROKEN(shuffle_in_half_a_warp, 1, 48)

__global__ void shuffle_from_outside_the_mask(float *data)
{
    if (threadIdx.x < 16)
        data[threadIdx.x] = __shfl_sync(0xffffu, data[threadIdx.x], 20);
}
BROKEN(shuffle_from_outside_the_mask, 1, 32)

__global__ void shuffle_without_being_in_the_mask(float *data)
{
    data[threadIdx.x] = __shfl_xor_sync(0xffffu, data[threadIdx.x], 1);
}
BROKEN(shuffle_without_being_in_the_mask, 1, 32)

__global__ void different_operations(float *data)
{
    if (threadIdx.x < 16)
        data[threadIdx.x] = __shfl_xor_sync(all_lanes, data[threadIdx.x], 1);
    else
        __syncwarp();
}
BROKEN(different_operations, 1, 32)

__global__ void missing_warp_barrier(float *data)
{
    DF_SHARED(float, values, [32]);
    values[threadIdx.x] = data[threadIdx.x];
    /* A shuffle makes lanes meet, but does not order what they wrote. */
    const float other = __shfl_xor_sync(all_lanes, data[threadIdx.x], 1);
    data[threadIdx.x] = other + values[threadIdx.x ^ 1];
}
BROKEN(missing_warp_barrier, 1, 32)

__global__ void two_writers(float *data)
{
    DF_SHARED(float, value, [1]);
    if (threadIdx.x % 32 == 0)
        value[0] = data[threadIdx.x];
    __syncthreads();
    data[threadIdx.x] = value[0];
}
BROKEN(two_writers, 1, 64)

__global__ void blocks_that_add_to_one_place(float *data)
{
    if (threadIdx.x == 0)
        data[0] += 1.0f;
}
BROKEN(blocks_that_add_to_one_place, 4, 32)

__global__ void threads_that_pass_through_device_memory(float *data)
{
    data[threadIdx.x] = (float)threadIdx.x;
    data[64 + threadIdx.x] = data[63 - threadIdx.x];
}
BROKEN(threads_that_pass_through_device_memory, 1, 64)

__global__ void read_what_is_pointed_to(float *data, const float *elsewhere)
{
    data[threadIdx.x] = elsewhere[threadIdx.x];
}

static cudaError_t run_host_memory(cudaStream_t stream, float *data)
{
    static float host[32];
    DF_LAUNCH(read_what_is_pointed_to, 1, 32, 0, stream, data, static_cast<const float *>(host));
    return cudaGetLastError();
}

static cudaError_t run_freed_memory(cudaStream_t stream, float *data)
{
    void *other;
    cudaMalloc(&other, 128);
    cudaFree(other);
    DF_LAUNCH(read_what_is_pointed_to, 1, 32, 0, stream, data, static_cast<const float *>(other));
    return cudaGetLastError();
}

__global__ void local_memory_of_another_thread(float *data)
{
    DF_SHARED(const float *, pointer, [1]);
    const float own = data[threadIdx.x];
    if (threadIdx.x == 0)
        pointer[0] = &own;
    __syncthreads();
    data[threadIdx.x] += *pointer[0];
    __syncthreads();
}
BROKEN(local_memory_of_another_thread, 1, 64)

__global__ void too_much_static_shared(float *data)
{
    DF_SHARED(float, values, [49 * 256]);
    values[threadIdx.x] = data[threadIdx.x];
    data[threadIdx.x] = values[threadIdx.x];
}
BROKEN(too_much_static_shared, 1, 32)

__global__ void dynamic_shared_not_asked_for(float *data)
{
    DF_DYNAMIC_SHARED(float, values);
    values[threadIdx.x] = data[threadIdx.x];
}
BROKEN(dynamic_shared_not_asked_for, 1, 32)

__global__ void matrix_at_an_odd_address(float *data)
{
    DF_SHARED(__nv_bfloat16, tile, [8][10]);
    uint32_t r[2];
    for (int i = threadIdx.x; i < 80; i += 32)
        store_float(&tile[i / 10][i % 10], data[i]);
    __syncwarp();
    ldmatrix_x2(r, &tile[threadIdx.x % 8][0]);
    data[threadIdx.x] = __uint_as_float(r[0]);
}
BROKEN(matrix_at_an_odd_address, 1, 32)

static cudaError_t run_host_reads_device_memory(cudaStream_t, float *data)
{
    volatile float *const p = data;
    p[0] = p[1];
    return cudaSuccess;
}

__global__ void vector_at_an_odd_address(float *data)
{
    const float4 v = *reinterpret_cast<const float4 *>(data + 6);
    *reinterpret_cast<float4 *>(data) = make_float4(v.w, v.z, v.y, v.x);
}
BROKEN(vector_at_an_odd_address, 1, 1)

__global__ void store_at_an_odd_address(float *data)
{
    __stwb(reinterpret_cast<float2 *>(data + 1), make_float2(1.0f, 2.0f));
}
BROKEN(store_at_an_odd_address, 1, 1)

__global__ void words_at_an_odd_address(float *data)
{
    const uint4 v = __ldg(reinterpret_cast<const uint4 *>(data + 2));
    data[0] = __uint_as_float(v.x ^ v.y ^ v.z ^ v.w);
}
BROKEN(words_at_an_odd_address, 1, 1)

/* Each for itself would fit into 48 KB. */
__global__ void shared_of_both_kinds(float *data)
{
    DF_SHARED(float, values, [64]);
    DF_DYNAMIC_SHARED(float, more);
    values[threadIdx.x] = more[threadIdx.x] = data[threadIdx.x];
}

static cudaError_t run_shared_of_both_kinds(cudaStream_t stream, float *data)
{
    DF_LAUNCH(shared_of_both_kinds, 1, 64, 48 * 1024, stream, data);
    return cudaGetLastError();
}

/* The device is not waited for before its memory is freed. */
static cudaError_t run_free_before_work(cudaStream_t, float *data)
{
    cudaStream_t stream;
    float *freed;

    if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaMalloc((void **)&freed, 256) != cudaSuccess)
        return cudaErrorUnknown;
    DF_LAUNCH(read_what_is_pointed_to, 1, 32, 0, stream, data, static_cast<const float *>(freed));
    (void)cudaFree(freed);
    return cudaStreamSynchronize(stream);
}

/* The same with what the device does without a kernel. */
static cudaError_t run_free_before_fill(cudaStream_t, float *)
{
    cudaStream_t stream;
    float *freed;

    if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
        cudaMalloc((void **)&freed, 256) != cudaSuccess ||
        cudaMemsetAsync(freed, 0, 256, stream) != cudaSuccess)
        return cudaErrorUnknown;
    (void)cudaFree(freed);
    return cudaStreamSynchronize(stream);
}

#define LINE(name, report, seen)                                                                             \
    {                                                                                                        \
#name, run_##name, report, nullptr, broken_kernel::seen                                              \
    }
#define RACE(name)                                                                                           \
    {                                                                                                        \
#name, run_##name, "a race: it ", "it reads shared memory that the block has not written",           \
            broken_kernel::SEEN_BY_ACCESSES                                                                  \
    }

/* With the sanitizers it is these that say so. */
#define MISALIGNED(name, report)                                                                             \
    {                                                                                                        \
#name, run_##name, report, "misaligned address", broken_kernel::SEEN_ALWAYS                          \
    }

extern "C" const struct broken_kernel broken_kernels[] = {
    RACE(missing_barrier),
    RACE(missing_second_barrier),
    LINE(shared_index_one_off, "at offset 256 of values [256 bytes]", SEEN_BY_BOUNDS),
    LINE(shared_pointer_one_off, "of values [256 bytes]", SEEN_BY_BOUNDS),
    LINE(device_index_one_off, "4 bytes at offset 4096 of device memory [4096 bytes]", SEEN_BY_BOUNDS),
    LINE(device_index_before, "out of bounds: it reads 4 bytes at ", SEEN_BY_BOUNDS),
    LINE(vector_beyond_the_end, "of device memory [4096 bytes]", SEEN_BY_BOUNDS),
    LINE(barrier_in_a_branch, "a barrier is reached by only a part of the block", SEEN_ALWAYS),
    LINE(two_barriers, "the threads of the block meet at different barriers", SEEN_ALWAYS),
    LINE(barrier_after_exit, "a barrier is reached by only a part of the block", SEEN_ALWAYS),
    LINE(barrier_and_shuffle, "a barrier is reached by only a part of the block", SEEN_ALWAYS),
    LINE(unwritten_shared,
         "it reads shared memory that the block has not written: offset 68 of values [256 bytes]",
         SEEN_BY_ACCESSES),
    LINE(shared_of_another_block,
         "block (1, 0, 0), thread (0, 0, 0): it reads shared memory that the block has not written",
         SEEN_BY_ACCESSES),
    LINE(missing_wait, "shared memory that an asynchronous copy is still writing", SEEN_BY_ACCESSES),
    LINE(wait_for_the_wrong_group, "shared memory that an asynchronous copy is still writing",
         SEEN_BY_ACCESSES),
    RACE(wait_without_barrier),
    LINE(copy_never_waited_for, "ends while an asynchronous copy of its own is not waited for", SEEN_ALWAYS),
    LINE(copy_to_an_odd_address, "which is not aligned to 16 bytes", SEEN_ALWAYS),
    LINE(shuffle_with_lanes_gone, "an operation of a warp is reached by only a part of the lanes in its mask",
         SEEN_ALWAYS),
    LINE(shuffle_in_half_a_warp, "the warp has only the lanes 0x0000ffff", SEEN_ALWAYS),
    LINE(shuffle_from_outside_the_mask, "reads lane 20, which takes no part", SEEN_ALWAYS),
    LINE(shuffle_without_being_in_the_mask, "with mask 0x0000ffff, which it is not in", SEEN_ALWAYS),
    LINE(different_operations, "the lanes of a warp meet in different operations", SEEN_ALWAYS),
    RACE(missing_warp_barrier),
    LINE(two_writers, "a race: it writes shared memory, offset 0 of value [4 bytes]", SEEN_BY_ACCESSES),
    LINE(blocks_that_add_to_one_place, "of the grid wrote in the same launch", SEEN_BY_ACCESSES),
    LINE(threads_that_pass_through_device_memory, "wrote with no barrier between", SEEN_BY_ACCESSES),
    LINE(host_memory, "that is the host's memory or another thread's local memory", SEEN_BY_ACCESSES),
    LINE(freed_memory, "of freed device memory [128 bytes]", SEEN_BY_BOUNDS),
    LINE(free_before_work, "of freed device memory [256 bytes]", SEEN_BY_BOUNDS),
    LINE(free_before_fill, "256 bytes of device memory that was freed", SEEN_ALWAYS),
    LINE(local_memory_of_another_thread, "that is the host's memory or another thread's local memory",
         SEEN_BY_ACCESSES),
    LINE(too_much_static_shared, "static shared arrays take 50176 bytes", SEEN_ALWAYS),
    MISALIGNED(vector_at_an_odd_address, "a vector of 16 bytes at "),
    MISALIGNED(store_at_an_odd_address, "a vector of 8 bytes at "),
    MISALIGNED(words_at_an_odd_address, "a vector of 16 bytes at "),
    LINE(shared_of_both_kinds,
         "49152 bytes of dynamic and 256 of static shared memory are more than the 49152", SEEN_ALWAYS),
    LINE(dynamic_shared_not_asked_for, "the launch asked for none", SEEN_ALWAYS),
    LINE(matrix_at_an_odd_address, "ldmatrix with address", SEEN_ALWAYS),
    LINE(host_reads_device_memory, "host code touches offset ", SEEN_ALWAYS),
};
extern "C" const int broken_kernel_count = sizeof broken_kernels / sizeof *broken_kernels;
