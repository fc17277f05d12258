# The host side of the CUDA backend, for the library and for the emulation's tests.
set(DINOFT_CUDA_SOURCES "")
foreach(NAME activation agreement attention attention_cudnn attention_graph backend_cuda batches choices conv cuda_check cudnn_handle facts
    gemm gemm_choice gemm_plan layernorm libraries library_search linear loss matmul memory norm_batch optimizer pairs recording resize_nearest rope tokens views)
    list(APPEND DINOFT_CUDA_SOURCES ${CMAKE_CURRENT_LIST_DIR}/${NAME}.c)
endforeach()
