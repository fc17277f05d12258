# The host side of the CUDA backend, for the library and for the emulation's tests.
set(DINOFT_CUDA_SOURCES "")
foreach(NAME
    activation adamw attention attention_cudnn attention_graph autotune_cache backend_cuda batches batchnorm columns
    confusion_matrix conv convert cuda_check cudnn_handle facts gemm gemm_autotune gemm_plan graph image layernorm
    libraries library_search linear matmul memory nearest numeric_check resize_batch rope tokens upsample_loss views)
    list(APPEND DINOFT_CUDA_SOURCES ${CMAKE_CURRENT_LIST_DIR}/${NAME}.c)
endforeach()
