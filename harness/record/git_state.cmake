# Writes OUT with the git state of SOURCE, at each build, so that results name what was built and not what was once configured.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git describe --always --dirty --tags WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE GIT_STATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT GIT_STATE)
  set(GIT_STATE "no git")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define SRCUTORTURE_GIT_STATE \"@GIT_STATE@\"\n" @ONLY)  # touched only if it changes
