# Manual pages and completions, which the built program writes from its tables of commands and options. They lie below
# share/ of the build as they are to be installed below a prefix's share/.
set(DINOFT_SHARE "${CMAKE_BINARY_DIR}/share")
set(DINOFT_DOCUMENTS # and beside dinoft.1, which is written last, a page for each command
    "${DINOFT_SHARE}/man/man1/dinoft.1"
    "${DINOFT_SHARE}/bash-completion/completions/dinoft"
    "${DINOFT_SHARE}/zsh/site-functions/_dinoft"
    "${DINOFT_SHARE}/fish/vendor_completions.d/dinoft.fish")
set(DINOFT_WRITER "${CMAKE_SOURCE_DIR}/cmake/write_documents.cmake")
add_custom_command(OUTPUT ${DINOFT_DOCUMENTS}
    COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:dinoft>" "-DSHARE=${DINOFT_SHARE}" -P "${DINOFT_WRITER}"
    DEPENDS dinoft "${DINOFT_WRITER}"
    COMMENT "Writing manual pages and completions"
    VERBATIM)
add_custom_target(documents ALL DEPENDS ${DINOFT_DOCUMENTS})
