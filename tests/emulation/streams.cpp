/* Streams, events and graphs.
 *
 * Work on a stream is done as late as a device may do it: when somebody waits for it. A program that does not
 * wait where it must sees old values. Only the default stream works at once, after all streams that it waits
 * for. DF_EMULATION_STREAMS=eager makes every stream work at once. */
#include "device_memory.h"

#include "include/emulation_control.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

struct df_emulated_stream {
    uint64_t id;
    bool blocking;           /* the default stream and it wait for each other */
    uint64_t capture;        /* the number of the capture that goes on; 0: none */
    bool invalidated;        /* by what cannot be captured */
    bool relaxed;            /* the capture's mode */
    uint64_t enqueued, done; /* works, since the stream was made */
    std::deque<std::function<void()>> pending;
    std::vector<std::function<void()>> captured;
};

struct df_emulated_event {
    bool recorded;
    uint64_t capture;          /* in which it was recorded; 0: in none */
    uint64_t stream, position; /* it has happened when the stream has done so many works */
};

struct df_emulated_graph {
    std::vector<std::function<void()>> work;
};

struct df_emulated_graph_exec {
    std::vector<std::function<void()>> work;
};

namespace emulation
{

typedef std::lock_guard<std::recursive_mutex> device_lock;

static std::recursive_mutex device;
static std::map<uint64_t, df_emulated_stream *> streams; /* but for the default one */
static int graphs, launches;
static std::vector<float> times; /* that measurements give in turn; none: always one millisecond */
static size_t measured;

/* What this thread captures, unless in relaxed mode. */
static thread_local df_emulated_stream *captured_here;

static bool is_eager()
{
    static const char *const text = getenv("DF_EMULATION_STREAMS");
    return text && !strcmp(text, "eager");
}

static void work_until(df_emulated_stream &stream, uint64_t position)
{
    open_device_memory(); /* once for all: it costs more than many a kernel */
    while (stream.done < position && !stream.pending.empty()) {
        const std::function<void()> work = std::move(stream.pending.front());
        stream.pending.pop_front();
        work();
        stream.done++;
    }
    close_device_memory();
}

static void work_off(df_emulated_stream &stream)
{
    work_until(stream, stream.enqueued);
}

void finish_all_streams()
{
    const device_lock lock(device);

    for (const auto &entry : streams)
        work_off(*entry.second);
}

static void wait_for(const df_emulated_event &event)
{
    const auto found = streams.find(event.stream);

    if (found != streams.end())
        work_until(*found->second, event.position);
}

static bool has_happened(const df_emulated_event &event)
{
    const auto found = streams.find(event.stream);

    return found == streams.end() || found->second->done >= event.position;
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work)
{
    const device_lock lock(device);

    if (!stream) {
        for (const auto &entry : streams) {
            if (entry.second->blocking)
                work_off(*entry.second);
        }
        work();
    } else if (stream->capture) {
        stream->captured.push_back(std::move(work));
    } else {
        stream->enqueued++;
        stream->pending.push_back(std::move(work));
        if (is_eager())
            work_off(*stream);
    }
    return cudaSuccess;
}

void finish_stream(cudaStream_t stream)
{
    const device_lock lock(device);

    if (stream)
        work_off(*stream);
}

/* For calls that a stream which is being captured does not allow. */
static cudaError_t invalidate(cudaStream_t stream)
{
    stream->invalidated = true;
    return remember(cudaErrorStreamCaptureUnsupported);
}

bool is_capturing(cudaStream_t stream)
{
    return stream && stream->capture;
}

bool may_act_at_once()
{
    if (captured_here)
        captured_here->invalidated = true;
    return !captured_here;
}

/* Nobody can wait for an event that was recorded in a capture: it does not happen, its graph's runs do. If
 * the capture still goes on, it is invalidated. */
static cudaError_t refuse_captured(const df_emulated_event &event)
{
    const auto found = streams.find(event.stream);

    if (found != streams.end() && found->second->capture == event.capture)
        found->second->invalidated = true;
    return remember(cudaErrorCapturedEvent);
}

extern "C" {

int df_emulation_graphs(void)
{
    return graphs;
}

int df_emulation_graph_launches(void)
{
    return launches;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    static uint64_t count;
    const device_lock lock(device);

    if (!stream || flags > cudaStreamNonBlocking)
        return remember(cudaErrorInvalidValue);
    *stream = new df_emulated_stream();
    (*stream)->id = ++count;
    (*stream)->blocking = flags == cudaStreamDefault;
    streams[(*stream)->id] = *stream;
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    const device_lock lock(device);

    if (!stream)
        return remember(cudaErrorInvalidResourceHandle);
    work_off(*stream);
    streams.erase(stream->id);
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (is_capturing(stream))
        return invalidate(stream);
    finish_stream(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    const device_lock lock(device);

    if (is_capturing(stream))
        return invalidate(stream);
    if (!stream || stream->pending.empty())
        return cudaSuccess;
    work_until(*stream, stream->done + 1); /* so that who asks often enough sees an end */
    return cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    finish_all_streams();
    return cudaSuccess;
}

/* Of the dependencies that an event would make, a graph has only those within its own capture; and here a
 * capture has one stream. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    const device_lock lock(device);

    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    if (!event->recorded)
        return cudaSuccess;
    if (is_capturing(stream) && event->capture != stream->capture) {
        stream->invalidated = true;
        return remember(cudaErrorStreamCaptureIsolation);
    }
    if (event->capture && !is_capturing(stream))
        return refuse_captured(*event);
    if (stream && stream->id == event->stream)
        return cudaSuccess;
    const df_emulated_event wanted = *event;
    return enqueue(stream, [wanted]() { wait_for(wanted); });
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

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    const device_lock lock(device);

    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    *event = {true, stream ? stream->capture : 0, stream ? stream->id : 0, stream ? stream->enqueued : 0};
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    const device_lock lock(device);

    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    if (event->capture)
        return refuse_captured(*event);
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    wait_for(*event);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    const device_lock lock(device);

    if (!event)
        return remember(cudaErrorInvalidResourceHandle);
    if (event->capture)
        return refuse_captured(*event);
    if (!may_act_at_once())
        return remember(cudaErrorStreamCaptureUnsupported);
    if (has_happened(*event))
        return cudaSuccess;
    const auto found = streams.find(event->stream);
    work_until(*found->second, found->second->done + 1);
    return cudaErrorNotReady;
}

void df_emulation_set_times(const float *milliseconds, int count)
{
    const device_lock lock(device);

    times.assign(milliseconds, milliseconds + count);
    measured = 0;
}

/* There is no clock in the emulation. */
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    const device_lock lock(device);

    if (!milliseconds || !start || !end || !start->recorded || !end->recorded)
        return remember(cudaErrorInvalidResourceHandle);
    if (start->capture || end->capture)
        return refuse_captured(start->capture ? *start : *end);
    if (!has_happened(*start) || !has_happened(*end))
        return cudaErrorNotReady;
    *milliseconds = times.empty() ? 1.0f : times[measured++ % times.size()];
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    static uint64_t count;
    const device_lock lock(device);

    if (!stream || stream->capture || captured_here)
        return remember(cudaErrorStreamCaptureUnsupported);
    stream->capture = ++count;
    stream->relaxed = mode == cudaStreamCaptureModeRelaxed;
    captured_here = stream->relaxed ? nullptr : stream;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    const device_lock lock(device);

    if (!stream || !graph || !stream->capture)
        return remember(cudaErrorInvalidValue);
    if (!stream->relaxed && captured_here != stream)
        return remember(cudaErrorStreamCaptureWrongThread);
    const bool invalidated = stream->invalidated;
    *graph = invalidated ? nullptr : new df_emulated_graph{std::move(stream->captured)};
    stream->captured.clear();
    stream->capture = 0;
    stream->invalidated = false;
    if (captured_here == stream)
        captured_here = nullptr;
    return invalidated ? remember(cudaErrorStreamCaptureInvalidated) : cudaSuccess;
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
    graphs++;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    if (!exec)
        return remember(cudaErrorInvalidValue);
    if (is_capturing(stream))
        return invalidate(stream);
    launches++;
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
