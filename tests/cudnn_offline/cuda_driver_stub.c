/* A libcuda.so.1 without a device, so that cuDNN loads and builds plans: the driver's functions that it looks
 * up, which do nothing and return 0. Those that load a module or name a kernel in it give a handle of no
 * meaning, as success without one is an error to cuDNN. */

/* The compiler of kernels (NVRTC) asks for an inner part of the driver, and does without. */
int cuGetExportTable(void);
int cuGetExportTable(void)
{
    return 1;
}

#define NOTHING(X)                                                                                           \
    X(cuCtxGetCurrent)                                                                                       \
    X(cuCtxGetDevice)                                                                                        \
    X(cuCtxGetLimit)                                                                                         \
    X(cuCtxPopCurrent)                                                                                       \
    X(cuCtxPushCurrent)                                                                                      \
    X(cuDeviceGet)                                                                                           \
    X(cuDeviceGetAttribute)                                                                                  \
    X(cuDeviceGetCount)                                                                                      \
    X(cuDevicePrimaryCtxRelease)                                                                             \
    X(cuDevicePrimaryCtxReset)                                                                               \
    X(cuDevicePrimaryCtxRetain)                                                                              \
    X(cuDriverGetVersion)                                                                                    \
    X(cuFuncGetAttribute)                                                                                    \
    X(cuFuncSetAttribute)                                                                                    \
    X(cuGetErrorName)                                                                                        \
    X(cuGetErrorString)                                                                                      \
    X(cuInit)                                                                                                \
    X(cuKernelGetAttribute)                                                                                  \
    X(cuKernelSetAttribute)                                                                                  \
    X(cuLaunchCooperativeKernel)                                                                             \
    X(cuLaunchKernel)                                                                                        \
    X(cuLaunchKernelEx)                                                                                      \
    X(cuLibraryUnload)                                                                                       \
    X(cuLinkAddData)                                                                                         \
    X(cuLinkAddData_v2)                                                                                      \
    X(cuLinkAddFile_v2)                                                                                      \
    X(cuLinkComplete)                                                                                        \
    X(cuLinkCreate)                                                                                          \
    X(cuLinkCreate_v2)                                                                                       \
    X(cuLinkDestroy)                                                                                         \
    X(cuMemcpyDtoH_v2)                                                                                       \
    X(cuModuleGetGlobal_v2)                                                                                  \
    X(cuModuleUnload)                                                                                        \
    X(cuOccupancyMaxActiveBlocksPerMultiprocessor)                                                           \
    X(cuOccupancyMaxPotentialClusterSize)                                                                    \
    X(cuStreamGetCtx)                                                                                        \
    X(cuStreamGetGreenCtx)                                                                                   \
    X(cuStreamSynchronize)                                                                                   \
    X(cuTensorMapEncodeIm2col)                                                                               \
    X(cuTensorMapEncodeTiled)

#define HANDLE(X)                                                                                            \
    X(cuKernelGetFunction)                                                                                   \
    X(cuLibraryGetKernel)                                                                                    \
    X(cuLibraryLoadData)                                                                                     \
    X(cuLibraryLoadFromFile)                                                                                 \
    X(cuModuleGetFunction)                                                                                   \
    X(cuModuleLoadData)                                                                                      \
    X(cuModuleLoadDataEx)                                                                                    \
    X(cuModuleLoadFatBinary)

#define DO_NOTHING(name)                                                                                     \
    int name(void);                                                                                          \
    int name(void)                                                                                           \
    {                                                                                                        \
        return 0;                                                                                            \
    }

#define GIVE_HANDLE(name)                                                                                    \
    int name(void **handle);                                                                                 \
    int name(void **handle)                                                                                  \
    {                                                                                                        \
        static char nothing;                                                                                 \
        *handle = &nothing;                                                                                  \
        return 0;                                                                                            \
    }

NOTHING(DO_NOTHING)
HANDLE(GIVE_HANDLE)
