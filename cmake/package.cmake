# Packages by `cpack`: a .deb for the Debian on which it is built, and a .tar.gz that brings its libraries along and runs
# from any folder. scripts/make_wheel.py makes a wheel of the second. cmake/package_files.cmake does what differs.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME dinoft)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGE_CONTACT "The dinoft authors <dinoft@invalid>") # dpkg wants an address: this kind leads nowhere (RFC 2606)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "fine-tune DINOv2 and DINOv3 for semantic segmentation")
set(CPACK_PACKAGE_DESCRIPTION "A native program that trains LoRA and a decoder on the DINOv2 and DINOv3
vision transformers, evaluates the models on Pascal VOC, ADE20K or your own
images, measures their robustness to image corruptions and shows what they
see.")
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" SYSTEM)
set(CPACK_PACKAGE_FILE_NAME dinoft-${PROJECT_VERSION}-${SYSTEM})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/package_files.cmake)

# The libraries of two releases of Debian differ: the package says for which it is.
set(RELEASE unknown)
if(EXISTS /etc/os-release)
    file(STRINGS /etc/os-release RELEASE REGEX "^VERSION_CODENAME=")
    string(REPLACE "VERSION_CODENAME=" "" RELEASE "${RELEASE}")
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "1~${RELEASE}")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3, curl | wget") # of the scripts that download
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-pip")            # of those that take files out of wheels

include(CPack)
