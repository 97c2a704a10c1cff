include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/srcuTargets.cmake)

# The archive is made of C++ without its run-time library. CMake has noted the language only: programs in C would be
# linked by the C++ compiler, and projects that know no C++ not at all.
get_target_property(srcu_CONFIGURATIONS srcu::srcu_static IMPORTED_CONFIGURATIONS)
foreach(srcu_CONFIGURATION IN LISTS srcu_CONFIGURATIONS)
  set_property(TARGET srcu::srcu_static PROPERTY IMPORTED_LINK_INTERFACE_LANGUAGES_${srcu_CONFIGURATION} C)
endforeach()
unset(srcu_CONFIGURATIONS)
unset(srcu_CONFIGURATION)
