/* Streams, events and graphs. Work runs at once, when it is put on a stream, unless the stream is being
 * captured. */
#include "emulation.h"

#include <mutex>

struct df_emulated_stream {
    bool capturing, spoilt; /* by what cannot be captured */
    std::vector<std::function<void()>> captured;
};

struct df_emulated_event {
    bool recorded;
};

struct df_emulated_graph {
    std::vector<std::function<void()>> work;
};

struct df_emulated_graph_exec {
    std::vector<std::function<void()>> work;
};

namespace emulation
{

static std::recursive_mutex device;
static df_emulated_stream default_stream;

static df_emulated_stream &stream_of(cudaStream_t stream)
{
    return stream ? *stream : default_stream;
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work)
{
    const std::lock_guard<std::recursive_mutex> lock(device);

    if (stream_of(stream).capturing)
        stream_of(stream).captured.push_back(std::move(work));
    else
        work();
    return cudaSuccess;
}

bool is_capturing(cudaStream_t stream)
{
    return stream_of(stream).capturing;
}

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    if (!stream)
        return remember(cudaErrorInvalidValue);
    *stream = new df_emulated_stream();
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    if (!stream)
        return remember(cudaErrorInvalidResourceHandle);
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (!is_capturing(stream))
        return cudaSuccess;
    stream->spoilt = true;
    return remember(cudaErrorStreamCaptureUnsupported);
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    return cudaStreamSynchronize(stream);
}

cudaError_t cudaDeviceSynchronize(void)
{
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned)
{
    return event ? cudaSuccess : remember(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    if (!event)
        return remember(cudaErrorInvalidValue);
    *event = new df_emulated_event();
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t)
{
    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    event->recorded = true;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    return event ? cudaSuccess : remember(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    return cudaEventSynchronize(event);
}

/* There is no clock in the emulation: whatever is measured takes a millisecond. */
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    if (!milliseconds || !start || !end || !start->recorded || !end->recorded)
        return remember(cudaErrorInvalidResourceHandle);
    *milliseconds = 1.0f;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode)
{
    if (!stream || stream->capturing)
        return remember(cudaErrorStreamCaptureUnsupported);
    stream->capturing = true;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    if (!stream || !graph || !stream->capturing)
        return remember(cudaErrorInvalidValue);
    const bool spoilt = stream->spoilt;
    *graph = spoilt ? nullptr : new df_emulated_graph{std::move(stream->captured)};
    stream->captured.clear();
    stream->capturing = stream->spoilt = false;
    return spoilt ? remember(cudaErrorStreamCaptureInvalidated) : cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status)
{
    if (!status)
        return remember(cudaErrorInvalidValue);
    *status = is_capturing(stream) ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
    if (!exec || !graph)
        return remember(cudaErrorInvalidValue);
    *exec = new df_emulated_graph_exec{graph->work};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    if (!exec)
        return remember(cudaErrorInvalidValue);
    for (const std::function<void()> &work : exec->work)
        enqueue(stream, work);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return cudaSuccess;
}

} /* extern "C" */

} // namespace emulation
