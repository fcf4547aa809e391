# Simulations are optimised across the files of core and sim, in release builds by g++: 7 to 10 %
# more tasks a second (tests/benchmarks/simulate.cpp, 2026-11-22). The libraries' objects also hold
# ordinary code, with which everything else, tests above all, links as fast as without.

set(is_whole_program OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release"
   AND NOT PARLEY_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT is_whole_program LANGUAGES CXX)
endif()
if(is_whole_program)
  # g++'s linker would use what the objects hold besides.
  target_link_options(parley_flags INTERFACE
                      $<$<NOT:$<BOOL:$<TARGET_PROPERTY:PARLEY_WHOLE_PROGRAM>>>:-fno-lto>)
endif()

function(parley_compile_for_whole_program)
  if(NOT is_whole_program)
    return()
  endif()
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE
                           $<$<COMPILE_LANGUAGE:CXX>:-flto=auto;-ffat-lto-objects>)
  endforeach()
endfunction()

function(parley_link_whole_program target)
  if(NOT is_whole_program)
    return()
  endif()
  set_target_properties(${target} PROPERTIES PARLEY_WHOLE_PROGRAM ON)
  # False alarms in std::string of g++ 12 (gcc.gnu.org/PR105651), told anew when linking.
  target_link_options(${target} PRIVATE -flto=auto -ffp-contract=off -Wno-restrict
                      -Wno-stringop-overflow)
endfunction()
