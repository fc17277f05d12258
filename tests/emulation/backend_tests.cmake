# The tests of the backend and the model once more, on the device cuda in emulation.
set(BACKEND ${CMAKE_SOURCE_DIR}/tests/backend)
set(MODEL ${CMAKE_SOURCE_DIR}/tests/model)

df_emulated_test(test_backend_emulated SOURCES ${BACKEND}/test_backend.c LIBS dinoft_backend)
df_emulated_test(test_operations_emulated SOURCES ${BACKEND}/test_operations.c LIBS dinoft_backend m ORDERS backward random:1)
# Our own convolutions, which are taken where there is no cuDNN.
foreach(ORDER forward backward random:1)
    string(REPLACE ":" "_" SUFFIX _${ORDER})
    string(REPLACE "_forward" "" SUFFIX ${SUFFIX})
    df_emulated_again(test_conv_without_cudnn${SUFFIX} "DF_EMULATION_MACHINE=no-cudnn;DF_EMULATION_ORDER=${ORDER}"
        test_operations_emulated conv_)
endforeach()
# The same bits in whatever order threads and blocks take turns: each run leaves what it found, in a file.
foreach(NAME test_operations_emulated test_conv_without_cudnn)
    if(DINOFT_SANITIZE)
        break()
    endif()
    foreach(ORDER "" _backward _random_1)
        set(DIGESTS${ORDER} ${CMAKE_BINARY_DIR}/tests/${NAME}${ORDER}.digests)
        set_property(TEST ${NAME}${ORDER} APPEND PROPERTY ENVIRONMENT "DINOFT_TEST_DIGESTS=${DIGESTS${ORDER}}")
        set_tests_properties(${NAME}${ORDER} PROPERTIES FIXTURES_SETUP ${NAME}_digests)
    endforeach()
    foreach(ORDER _backward _random_1)
        add_test(NAME ${NAME}_same_bits${ORDER} COMMAND ${CMAKE_COMMAND} -E compare_files ${DIGESTS} ${DIGESTS${ORDER}})
        set_tests_properties(${NAME}_same_bits${ORDER} PROPERTIES LABELS emulation FIXTURES_REQUIRED ${NAME}_digests)
    endforeach()
endforeach()
foreach(OPERATION linear attention)
    df_emulated_test(test_${OPERATION}_emulated SOURCES ${BACKEND}/test_${OPERATION}.c LIBS dinoft_backend)
endforeach()
# A build without cuDNN's headers.
df_test_program(test_operations_built_without_cudnn SOURCES ${BACKEND}/test_operations.c LIBS dinoft_backend m)
df_emulated_program(test_operations_built_without_cudnn dinoft_kernels_emulated dinoft_backend_cuda_without_cudnn)
df_emulated_again(test_built_without_cudnn "" test_operations_built_without_cudnn conv_ attention_)
foreach(OPERATION activation layernorm rope nearest batchnorm upsample_loss adamw gradient graph convert)
    df_emulated_test(test_${OPERATION}_emulated
        SOURCES ${BACKEND}/test_${OPERATION}.c ${BACKEND}/device.c LIBS dinoft_backend m)
endforeach()
df_emulated_test(test_training_losses_emulated SOURCES ${BACKEND}/test_training_losses.c ${BACKEND}/device.c
    LIBS dinoft_backend test_support m)
foreach(SUBJECT features training heads bf16 plan recompute lora set_size segmenter optimizer profile)
    df_emulated_test(test_${SUBJECT}_emulated SOURCES ${MODEL}/test_${SUBJECT}.c LIBS dinoft_model test_support m)
endforeach()
df_emulated_test(test_captured_steps SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_captured_steps.c LIBS dinoft_model m)
df_emulated_test(test_feed_emulated SOURCES ${CMAKE_SOURCE_DIR}/tests/pipeline/test_feed.c
    LIBS dinoft_train test_support m)

df_emulated_test(test_evaluate_emulated SOURCES ${CMAKE_SOURCE_DIR}/tests/evaluation/test_evaluate.c ${CMAKE_SOURCE_DIR}/tests/data/scratch_images.c
    LIBS dinoft_evaluation test_support m)
df_emulated_test(test_reference_miou_emulated SOURCES ${CMAKE_SOURCE_DIR}/tests/evaluation/test_reference_miou.c
    LIBS dinoft_evaluation test_support m)

# The program, with the emulated device beside the CPU, for what goes through its commands.
add_executable(dinoft_emulated ${CMAKE_SOURCE_DIR}/src/main.c)
target_link_libraries(dinoft_emulated PRIVATE dinoft_commands)
df_emulated_program(dinoft_emulated dinoft_kernels_emulated dinoft_backend_cuda_emulated)
set_target_properties(dinoft_emulated PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

df_emulated_test(test_selftest_emulated SOURCES ${CMAKE_SOURCE_DIR}/tests/selftest/test_selftest.c LIBS dinoft_commands)
df_emulated_test(test_backend_opening SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_backend_opening.c LIBS dinoft_model)
df_emulated_test(test_gemm_autotune SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_gemm_autotune.c LIBS dinoft_backend)
df_emulated_test(test_attention_cudnn SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_attention_cudnn.c LIBS dinoft_backend m)
df_emulated_test(test_attention_plans SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_attention_plans.c LIBS dinoft_backend m)
df_emulated_test(test_gemm_fallback SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_gemm_fallback.c LIBS dinoft_backend m)
# The products' cases where cuBLASLt refuses them.
foreach(REFUSED unaligned epilogue narrow all "all,late")
    string(REPLACE "," "_" SUFFIX ${REFUSED})
    df_emulated_again(test_linear_refused_${SUFFIX} DF_EMULATION_CUBLASLT=${REFUSED} test_operations_emulated linear)
endforeach()
# Not with the sanitizers: what they look for is the same here.
if(NOT DINOFT_SANITIZE)
    # Kernels that ask for more shared memory than all have, where a block may have 99 KB: capabilities 8.6, 8.9 and 12.0.
    df_emulated_again(test_operations_of_99_KB DF_EMULATION_CAPABILITY=8.6
        test_operations_emulated attention add_probabilities upsample)
    # Tolerances of products of bfloat16, where sums are as bad as any tensor core's.
    df_emulated_again(test_operations_truncated DF_EMULATION_SUMS=truncated test_operations_emulated attention linear)
    foreach(SUBJECT attention_cudnn gemm_fallback features_emulated bf16_emulated)
        df_emulated_again(test_${SUBJECT}_truncated DF_EMULATION_SUMS=truncated test_${SUBJECT})
    endforeach()
    # Products that cuBLASLt refuses now and then: each shape walks the fallbacks in its own way.
    foreach(SEED 1 2 3)
        df_emulated_again(test_linear_refused_random_${SEED} DF_EMULATION_CUBLASLT=random:${SEED} test_operations_emulated linear)
    endforeach()
    df_emulated_again(test_features_refused_random DF_EMULATION_CUBLASLT=random:4 test_features_emulated)
endif()
