# Every dependency has its line in docs/dependencies.md.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL 14 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(GTest REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(pcsclite REQUIRED IMPORTED_TARGET libpcsclite)
pkg_check_modules(fido2 REQUIRED IMPORTED_TARGET libfido2)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
if(NOT TARGET yaml-cpp)
  add_library(yaml-cpp ALIAS yaml-cpp::yaml-cpp)
endif()

# Boost.Asio and Beast are compiled once, in src/http/boost_implementation.cc.
add_library(boost_implementation INTERFACE)
target_compile_definitions(boost_implementation INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(boost_implementation INTERFACE Boost::boost Threads::Threads)

# blst: the official crate, wrapped as one static library by cargo (third_party/blst).
set(CC_BLST_DIR ${CMAKE_BINARY_DIR}/blst)
set(CC_BLST_LIB ${CC_BLST_DIR}/release/libcc_blst.a)
set(CC_BLST_INCLUDE ${CC_BLST_DIR}/include)
file(MAKE_DIRECTORY ${CC_BLST_INCLUDE})
if(NOT DEFINED CC_CARGO)
  find_program(CC_CARGO cargo REQUIRED)
endif()
add_custom_command(
  OUTPUT ${CC_BLST_LIB} ${CC_BLST_INCLUDE}/blst.h
  COMMAND ${CMAKE_COMMAND} -E env CC_BLST_INCLUDE=${CC_BLST_INCLUDE} ${CC_CARGO} build --release --locked --quiet
          --manifest-path ${CMAKE_SOURCE_DIR}/third_party/blst/Cargo.toml --target-dir ${CC_BLST_DIR}
  DEPENDS third_party/blst/Cargo.toml third_party/blst/Cargo.lock third_party/blst/build.rs third_party/blst/src/lib.rs
  COMMENT "blst: cargo builds the official crate"
  VERBATIM)
add_custom_target(blst_build DEPENDS ${CC_BLST_LIB})
add_library(blst STATIC IMPORTED GLOBAL)
set_target_properties(blst PROPERTIES IMPORTED_LOCATION ${CC_BLST_LIB})
target_include_directories(blst SYSTEM INTERFACE ${CC_BLST_INCLUDE})
target_link_libraries(blst INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(blst blst_build)
