# Run by cpack over the files of one package, in CPACK_TEMPORARY_DIRECTORY, before they are packed.
cmake_minimum_required(VERSION 3.19)
include(${CMAKE_CURRENT_LIST_DIR}/bring_libraries.cmake)
set(FOLDER "${CPACK_TEMPORARY_DIRECTORY}")

if(CPACK_GENERATOR STREQUAL "TGZ")
    bring_libraries("${FOLDER}/lib/dinoft" "${FOLDER}/share/doc/dinoft/licences" "${FOLDER}/bin/dinoft")
elseif(CPACK_GENERATOR STREQUAL "DEB")
    file(RPATH_REMOVE FILE "${FOLDER}/usr/bin/dinoft") # the libraries are the system's
    file(RENAME "${FOLDER}/usr/share/zsh/site-functions" "${FOLDER}/usr/share/zsh/vendor-completions") # where Debian's zsh looks
    file(GLOB PAGES "${FOLDER}/usr/share/man/man1/*.1")
    foreach(PAGE ${PAGES})
        execute_process(COMMAND gzip -9n "${PAGE}" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
endif()
