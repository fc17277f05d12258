# What `cmake --install` puts under the prefix: the program, the scripts that download things, manual pages, completions.
#
# Nothing that is installed holds the prefix: the program and the scripts find their neighbours from their own place, so an
# installed tree can be moved. cmake/package.cmake makes packages of the same files.
include(GNUInstallDirs)

# Beside the program of a package lie the libraries that it brings along. DT_RPATH, the older kind, holds for what those
# libraries need in turn, too.
set_target_properties(dinoft PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/dinoft")
target_link_options(dinoft PRIVATE LINKER:--disable-new-dtags)

install(TARGETS dinoft RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${DINOFT_SHARE}/ DESTINATION ${CMAKE_INSTALL_DATADIR})
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# dinoft-get-weights and its like: a line of shell each, which starts the script of share/dinoft/scripts.
set(SCRIPTS ${CMAKE_INSTALL_DATADIR}/dinoft/scripts)
install(FILES scripts/fetching.py scripts/download.sh DESTINATION ${SCRIPTS})
foreach(FILE get_weights.py get_frost.py get_voc.sh get_ade20k.sh)
    get_filename_component(NAME ${FILE} NAME_WE)
    string(REPLACE "_" "-" NAME "dinoft-${NAME}")
    set(INTERPRETER bash)
    if(FILE MATCHES "\\.py$")
        set(INTERPRETER python3)
    endif()
    file(RELATIVE_PATH SCRIPT /${CMAKE_INSTALL_BINDIR} /${SCRIPTS}/${FILE})
    configure_file(cmake/script.sh.in ${CMAKE_BINARY_DIR}/generated/bin/${NAME} @ONLY)
    install(PROGRAMS scripts/${FILE} DESTINATION ${SCRIPTS})
    install(PROGRAMS ${CMAKE_BINARY_DIR}/generated/bin/${NAME} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()
