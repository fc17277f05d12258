# Run by cpack over the files of one package, in CPACK_TEMPORARY_DIRECTORY, before they are packed.
cmake_minimum_required(VERSION 3.19)
set(FOLDER "${CPACK_TEMPORARY_DIRECTORY}")

# Everything that the program loads, but for the C and C++ libraries, which belong to the system: those of Debian ask for a
# newer C library than the program does.
function(bring_libraries PROGRAM LIBRARIES)
    file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${PROGRAM}" RESOLVED_DEPENDENCIES_VAR FOUND UNRESOLVED_DEPENDENCIES_VAR MISSING
        CONFLICTING_DEPENDENCIES_PREFIX TWICE
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|stdc\\+\\+|gcc_s)\\.so")
    if(MISSING OR TWICE_FILENAMES)
        message(FATAL_ERROR "${PROGRAM} needs libraries that are missing, or there twice: ${MISSING} ${TWICE_FILENAMES}")
    endif()
    foreach(LIBRARY ${FOUND})
        get_filename_component(NAME "${LIBRARY}" NAME)
        file(REAL_PATH "${LIBRARY}" FILE)
        configure_file("${FILE}" "${LIBRARIES}/${NAME}" COPYONLY)
        bring_licence("${FILE}")
    endforeach()
endfunction()

# The terms under which a library of Debian's may be passed on.
function(bring_licence FILE)
    string(REGEX REPLACE "^/usr/lib" "/lib" OTHER "${FILE}") # one folder by two names; dpkg knows each file by one of them
    execute_process(COMMAND dpkg-query --search "${FILE}" "${OTHER}" OUTPUT_VARIABLE OWNER ERROR_QUIET)
    string(REGEX REPLACE ":.*" "" PACKAGE "${OWNER}")
    if(NOT PACKAGE OR NOT EXISTS "/usr/share/doc/${PACKAGE}/copyright")
        message(WARNING "${FILE} is of no Debian package: add its licence before you pass the archive on")
        return()
    endif()
    file(REAL_PATH "/usr/share/doc/${PACKAGE}/copyright" TEXT)
    configure_file("${TEXT}" "${FOLDER}/share/doc/dinoft/licences/${PACKAGE}" COPYONLY)
endfunction()

if(CPACK_GENERATOR STREQUAL "TGZ")
    bring_libraries("${FOLDER}/bin/dinoft" "${FOLDER}/lib/dinoft")
elseif(CPACK_GENERATOR STREQUAL "DEB")
    file(RPATH_REMOVE FILE "${FOLDER}/usr/bin/dinoft") # the libraries are the system's
    file(RENAME "${FOLDER}/usr/share/zsh/site-functions" "${FOLDER}/usr/share/zsh/vendor-completions") # where Debian's zsh looks
    file(GLOB PAGES "${FOLDER}/usr/share/man/man1/*.1")
    foreach(PAGE ${PAGES})
        execute_process(COMMAND gzip -9n "${PAGE}" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
endif()
