# cmake -DGIT=… -DSOURCE=… -DHEADER=… -P revision.cmake: writes HEADER with the revision of the git tree SOURCE.
#
# A header that says so already is left alone, so that nothing is compiled for it.
cmake_minimum_required(VERSION 3.18)
set(REVISION unknown)
if(GIT AND EXISTS "${SOURCE}/.git") # a tree without it may lie in another one, whose revision is not meant
    set(ENV{GIT_OPTIONAL_LOCKS} 0)
    execute_process(COMMAND "${GIT}" describe --always --abbrev=40 --exclude=* "--dirty=, with changes"
        WORKING_DIRECTORY "${SOURCE}" RESULT_VARIABLE STATUS OUTPUT_VARIABLE OUTPUT ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(STATUS EQUAL 0)
        set(REVISION "${OUTPUT}")
    endif()
endif()
file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#define DINOFT_REVISION \"@REVISION@\"\n" @ONLY)
