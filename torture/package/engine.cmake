# The controlled engine for projects outside: srcutorture_engine_test(), srcutorture_engine_plugin() and what they link.
if(NOT TARGET srcutorture_engine)
  return()
endif()

# Apart from the engine itself, all of which is linked: of these only what is used.
add_library(srcutorture_engine_parts STATIC $<TARGET_OBJECTS:harness_engine_memory> $<TARGET_OBJECTS:harness_base>
  $<TARGET_OBJECTS:harness_supervise>)
target_link_libraries(srcutorture_engine_parts PUBLIC Threads::Threads fmt::fmt ${CMAKE_DL_LIBS})
set_target_properties(srcutorture_engine_parts PROPERTIES LINKER_LANGUAGE CXX)

foreach(PART srcutorture_engine srcutorture_engine_main)
  add_library(${PART}_packaged STATIC $<TARGET_OBJECTS:${PART}>)
  set_target_properties(${PART}_packaged PROPERTIES EXPORT_NAME ${PART} OUTPUT_NAME ${PART} LINKER_LANGUAGE CXX)
endforeach()
target_link_libraries(srcutorture_engine_packaged PUBLIC srcutorture_ops srcutorture_engine_parts)

install(TARGETS srcutorture-engine srcutorture-engine-narrow)
install(TARGETS engine_litmus)  # the gate, for whoever believes no engine unseen
install(TARGETS srcutorture_engine_packaged srcutorture_engine_main_packaged srcutorture_engine_parts EXPORT srcutorture)
set(ENGINE ${PROJECT_SOURCE_DIR}/harness/engine)
install(FILES ${ENGINE}/test.hpp ${ENGINE}/env.hpp ../engine/plugin_tests.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/srcutorture/engine)
install(FILES ${ENGINE}/engine_test.cmake ../engine/engine_plugin.cmake DESTINATION ${PACKAGE_DIR})
install(FILES ../engine/plugin_tests.cpp DESTINATION ${SHARE_DIR}/engine)
