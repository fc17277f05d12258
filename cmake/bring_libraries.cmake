# Puts what programs load beside them, for the packages (package_files.cmake) and the bundle for a GPU (bundle_libraries.cmake).

# bring_libraries(LIBRARIES LICENCES PROGRAMS…): everything that the programs load goes into the folder LIBRARIES, but for the C and
# C++ libraries, which belong to the system: those of Debian ask for a newer C library than the program does. The driver is the
# system's too. What a libdinoft_*.so that is there already loads comes along; CUDA_LIBRARIES may be a folder with libraries of CUDA's.
function(bring_libraries LIBRARIES LICENCES)
    file(GLOB OWN "${LIBRARIES}/libdinoft_*.so")
    file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${ARGN} LIBRARIES ${OWN} DIRECTORIES ${CUDA_LIBRARIES}
        RESOLVED_DEPENDENCIES_VAR FOUND UNRESOLVED_DEPENDENCIES_VAR MISSING CONFLICTING_DEPENDENCIES_PREFIX TWICE
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|stdc\\+\\+|gcc_s|cuda)\\.so" "^libdinoft_")
    if(MISSING OR TWICE_FILENAMES)
        message(FATAL_ERROR "${ARGN} need libraries that are missing, or there twice: ${MISSING} ${TWICE_FILENAMES}")
    endif()
    foreach(LIBRARY ${FOUND})
        get_filename_component(NAME "${LIBRARY}" NAME)
        file(REAL_PATH "${LIBRARY}" FILE)
        configure_file("${FILE}" "${LIBRARIES}/${NAME}" COPYONLY)
        bring_licence("${FILE}" "${LICENCES}")
    endforeach()
endfunction()

# The terms under which a library of Debian's may be passed on.
function(bring_licence FILE LICENCES)
    string(REGEX REPLACE "^/usr/lib" "/lib" OTHER "${FILE}") # one folder by two names; dpkg knows each file by one of them
    execute_process(COMMAND dpkg-query --search "${FILE}" "${OTHER}" OUTPUT_VARIABLE OWNER ERROR_QUIET)
    string(REGEX REPLACE ":.*" "" PACKAGE "${OWNER}")
    if(NOT PACKAGE OR NOT EXISTS "/usr/share/doc/${PACKAGE}/copyright")
        message(WARNING "${FILE} is of no Debian package: add its licence before you pass the archive on")
        return()
    endif()
    file(REAL_PATH "/usr/share/doc/${PACKAGE}/copyright" TEXT)
    configure_file("${TEXT}" "${LICENCES}/${PACKAGE}" COPYONLY)
endfunction()
