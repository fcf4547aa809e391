# parley_registry(NAME FOLDER TYPE HEADER NAMESPACE PREFIX SOURCES)
# One file, one thing: lists the .cpp and .cu files of FOLDER and generates register_NAME(TYPE&), which calls
# PREFIX_STEM(TYPE&) of every file STEM.cpp. The generated source is appended to the list SOURCES.
function(parley_registry name folder type header namespace prefix sources)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp
       ${CMAKE_SOURCE_DIR}/${folder}/*.cu)
  set(declarations "")
  set(calls "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND declarations "void ${prefix}_${stem}(${type}& registry);\n")
    string(APPEND calls "  ${prefix}_${stem}(registry);\n")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/generated/${name}_registry.cpp)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"// Generated from the files of @folder@.
#include \"@header@\"
namespace @namespace@ {
@declarations@
void register_@name@(@type@& registry);
void register_@name@([[maybe_unused]] @type@& registry) {
@calls@}
}  // namespace @namespace@
")
  set(${sources} ${${sources}} ${output} PARENT_SCOPE)
endfunction()

# parley_embed(NAME FILES NAMESPACE SOURCES)
# Generates std::vector<std::pair<std::string_view, std::string_view>> NAMESPACE::embedded_NAME():
# the stem and the text of each file, so that the binary needs no data folder.
function(parley_embed name files namespace sources)
  set(entries "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    file(READ ${file} text)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    # Raw string literals of at most 16 kB each, concatenated by the compiler.
    string(LENGTH "${text}" length)
    set(literal "")
    set(position 0)
    while(position LESS length)
      string(SUBSTRING "${text}" ${position} 12000 part)
      string(APPEND literal "R\"parley(${part})parley\"")
      math(EXPR position "${position} + 12000")
    endwhile()
    string(APPEND entries "    {\"${stem}\", ${literal}},\n")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/generated/embedded_${name}.cpp)
  file(WRITE ${output}.new
"// Generated.
#include <string_view>
#include <utility>
#include <vector>
namespace ${namespace} {
std::vector<std::pair<std::string_view, std::string_view>> embedded_${name}();
std::vector<std::pair<std::string_view, std::string_view>> embedded_${name}() {
  return {
${entries}  };
}
}  // namespace ${namespace}
")
  file(COPY_FILE ${output}.new ${output} ONLY_IF_DIFFERENT)
  set(${sources} ${${sources}} ${output} PARENT_SCOPE)
endfunction()
