# The host side of the CUDA backend, for the library and for the emulation's tests; DINOFT_CUDA_SOURCES_WITHOUT_CUDNN has it
# for cuDNN's headers missing.
file(GLOB DINOFT_CUDA_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
set(DINOFT_CUDA_SOURCES_WITHOUT_CUDNN ${DINOFT_CUDA_SOURCES})
list(FILTER DINOFT_CUDA_SOURCES EXCLUDE REGEX "/cudnn_absent\\.c$")
list(FILTER DINOFT_CUDA_SOURCES_WITHOUT_CUDNN EXCLUDE REGEX "/(attention_cudnn|attention_graph|attention_plan|attention_trial|conv_cudnn|cudnn_graph|cudnn_handle|cudnn_plan|numeric_check|plan_job|plan_store)\\.c$")
