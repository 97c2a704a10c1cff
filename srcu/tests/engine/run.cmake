# Runs every test of PROGRAM with FAULTS: those whose names begin with "wrong_" must fail, the others must not. Fast domains once
# more on a kernel without membarrier, and what is named after it with no memory.
execute_process(COMMAND ${PROGRAM} list OUTPUT_VARIABLE LISTED COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" LINES "${LISTED}")

function(run NAME EXECUTIONS MODEL WITH)
  execute_process(COMMAND ${PROGRAM} run ${NAME} --executions ${EXECUTIONS} --seed 1 --model ${MODEL} --faults ${WITH}
    RESULT_VARIABLE STATUS OUTPUT_VARIABLE SAID ERROR_VARIABLE SAID)
  set(EXPECTED 0)
  if(NAME MATCHES "^wrong_")
    set(EXPECTED 1)
  endif()
  if(NOT STATUS EQUAL EXPECTED)
    message(SEND_ERROR "${NAME} (${MODEL}, ${WITH}): exit ${STATUS} where ${EXPECTED} is right\n${SAID}")
  endif()
endfunction()

foreach(LINE ${LINES})
  string(REGEX REPLACE "\t.*" "" NAME "${LINE}")
  run(${NAME} 600 cpp ${FAULTS})
  run(${NAME} 300 tso ${FAULTS})
  if(NAME MATCHES "^fast")
    run(${NAME} 200 cpp ${FAULTS},no-membarrier)
  elseif(NAME MATCHES "^no_memory")
    run(${NAME} 600 cpp ${FAULTS},no-memory)
  endif()
endforeach()
