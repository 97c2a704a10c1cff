# srcutorture_engine_plugin(NAME SOURCES scheme.c ... USES lib ...): a program NAME with engine tests of the scheme whose table SOURCES
# export as srcutorture_ops. USES is linked as it is, and is not seen by the engine. For projects outside, after find_package(srcutorture).
include_guard(GLOBAL)

function(srcutorture_engine_plugin NAME)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;USES" ${ARGN})
  srcutorture_engine_test(${NAME} SOURCES ${PLUGIN_SOURCES} ${SRCUTORTURE_SHARE_DIR}/engine/plugin_tests.cpp USES ${PLUGIN_USES})
  target_compile_features(${NAME} PRIVATE cxx_std_20)
endfunction()
