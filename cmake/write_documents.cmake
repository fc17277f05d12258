# cmake -DPROGRAM=… -DSHARE=… -P write_documents.cmake: has the program write its manual pages and completions into folders
# of SHARE.
cmake_minimum_required(VERSION 3.18)

# run(WHERE ARGUMENT…): WHERE is execute_process()'s OUTPUT_FILE or OUTPUT_VARIABLE with its value.
macro(run KIND WHERE)
    execute_process(COMMAND "${PROGRAM}" ${ARGN} ${KIND} "${WHERE}" RESULT_VARIABLE STATUS)
    if(NOT STATUS EQUAL 0)
        message(FATAL_ERROR "${PROGRAM} ${ARGN} failed: ${STATUS}")
    endif()
endmacro()

set(PAGES "${SHARE}/man/man1")
file(GLOB OLD_PAGES "${PAGES}/dinoft*.1") # a command may be gone
if(OLD_PAGES)
    file(REMOVE ${OLD_PAGES})
endif()
file(MAKE_DIRECTORY "${PAGES}" "${SHARE}/bash-completion/completions" "${SHARE}/zsh/site-functions"
    "${SHARE}/fish/vendor_completions.d")

run(OUTPUT_VARIABLE TABLES --help_markdown)
string(REGEX MATCHALL "`dinoft [a-z-]+" COMMANDS "${TABLES}")
if(NOT COMMANDS)
    message(FATAL_ERROR "${PROGRAM} --help_markdown lists no commands")
endif()
foreach(COMMAND ${COMMANDS})
    string(REPLACE "`dinoft " "" COMMAND "${COMMAND}")
    run(OUTPUT_FILE "${PAGES}/dinoft-${COMMAND}.1" --help_man ${COMMAND})
endforeach()
run(OUTPUT_FILE "${SHARE}/bash-completion/completions/dinoft" --completion bash)
run(OUTPUT_FILE "${SHARE}/zsh/site-functions/_dinoft" --completion zsh)
run(OUTPUT_FILE "${SHARE}/fish/vendor_completions.d/dinoft.fish" --completion fish)
run(OUTPUT_FILE "${PAGES}/dinoft.1" --help_man)
