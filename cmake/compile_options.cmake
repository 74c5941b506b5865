add_library(imssa_options INTERFACE)
add_library(imssa::options ALIAS imssa_options)

target_compile_options(imssa_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  # 64-byte vectors are only passed between inlined functions, so their calling convention does not matter.
  -Wno-psabi
  # GCC 12 warns inside its own AVX-512 intrinsics (GCC bug 105593).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>
  # Every rounding is defined by IEEE operations: no silent fused multiply-adds, so that all
  # units that share a formula agree to the bit. Fused operations are written out (models/common/lanes.h).
  -ffp-contract=off
  -fno-math-errno -fno-trapping-math)
if(IMSSA_WARNINGS_AS_ERRORS)
  target_compile_options(imssa_options INTERFACE -Werror)
endif()
if(IMSSA_MARCH)
  target_compile_options(imssa_options INTERFACE -march=${IMSSA_MARCH})
endif()
target_include_directories(imssa_options INTERFACE ${PROJECT_SOURCE_DIR})

# imssa_library(name sources... DEPENDS targets...): a library imssa_<name> with the alias imssa::<name>.
function(imssa_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(imssa_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(imssa::${name} ALIAS imssa_${name})
  target_link_libraries(imssa_${name} PUBLIC imssa::options ${ARG_DEPENDS})
endfunction()

# imssa_test(name label sources... DEPENDS targets...): a GoogleTest program; each TEST is a ctest of its own.
# Tests labelled "systemc" bring their own sc_main (libsystemc owns main) and run one process a test.
function(imssa_test name label)
  cmake_parse_arguments(ARG "" "TIMEOUT" "DEPENDS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE imssa::options ${ARG_DEPENDS} GTest::gtest GTest::gmock)
  if(label STREQUAL "systemc")
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/sc_main_gtest.cpp)
    target_link_libraries(${name} PRIVATE SystemC::systemc)
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${label} TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "SYSTEMC_DISABLE_COPYRIGHT_MESSAGE=1")
endfunction()
