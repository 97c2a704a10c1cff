# srcutorture_engine_test(NAME SOURCES a.cpp ... USES lib ... [FAULTS ...]): a program NAME that runs the engine tests in the sources under control.
# SOURCES are the tests and all code that is to be controlled; USES is linked as it is, and is not seen by the engine.
# FAULTS "wake,eintr,...": what --faults is where nobody says, for code that is not made for all of them.
# Also for other projects, after find_package(srcutorture).
include_guard(GLOBAL)

# What makes COMPILER, GNU or Clang, call the engine at each access.
function(srcutorture_engine_flags OUT COMPILER)
  set(FLAGS -fsanitize=thread -g -fno-omit-frame-pointer
      -fno-optimize-sibling-calls)  # or a report would name the caller of the line that it is about
  # Or they become accesses without a call, after the calls were put in: all that bytes.cpp has.
  foreach(NAME memcpy memmove memset memcmp bcmp memchr strlen strnlen strcmp strncmp strchr strrchr strcpy stpcpy strncpy strcat)
    list(APPEND FLAGS -fno-builtin-${NAME})
  endforeach()
  if(COMPILER MATCHES Clang)
    list(APPEND FLAGS "SHELL:-mllvm -tsan-instrument-func-entry-exit=0" "SHELL:-mllvm -tsan-distinguish-volatile=1")
  else()
    # The warning is about fences, which libtsan does not know; the engine does.
    list(APPEND FLAGS -Wno-tsan --param=tsan-instrument-func-entry-exit=0 --param=tsan-distinguish-volatile=1)
  endif()
  set(${OUT} ${FLAGS} PARENT_SCOPE)
endfunction()

# The sources of TARGET will call the engine at each access. Not a link option: libtsan stays out.
function(srcutorture_engine_instrument TARGET)
  srcutorture_engine_flags(FLAGS ${CMAKE_CXX_COMPILER_ID})
  target_compile_options(${TARGET} PRIVATE ${FLAGS})
endfunction()

function(srcutorture_engine_test NAME)
  cmake_parse_arguments(ENGINE "" "FAULTS" "SOURCES;USES" ${ARGN})
  add_executable(${NAME} ${ENGINE_SOURCES})
  srcutorture_engine_instrument(${NAME})
  if(TARGET srcutorture_engine_main)
    set(PREFIX "")
  else()
    set(PREFIX srcutorture::)
  endif()
  # Whole: nothing asks for the definitions that stand in for libc's.
  target_link_libraries(${NAME} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${PREFIX}srcutorture_engine> ${PREFIX}srcutorture_engine_main ${ENGINE_USES})
  if(DEFINED ENGINE_FAULTS)
    file(CONFIGURE OUTPUT ${NAME}_faults.cpp CONTENT "namespace engine { const char* default_faults(); const char* default_faults() { return \"${ENGINE_FAULTS}\"; } }\n")
    target_sources(${NAME} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${NAME}_faults.cpp)
  endif()
  target_link_options(${NAME} PRIVATE -Wl,--build-id)
endfunction()
