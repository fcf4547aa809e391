#include "tests/cli/schema_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

class Checker {
 public:
  explicit Checker(const Json& root) : root_(root) {}

  std::string fault(const Json& schema, const Json& value, const std::string& path) const {
    if (schema.contains("$ref")) {
      const std::string target = schema["$ref"];
      // Workloads and machines inside a journal have schemas, and tests, of their own.
      if (!target.starts_with('#')) return value.is_object() ? "" : path + ": no object";
      return fault(root_.at(Json::json_pointer(target.substr(1))), value, path);
    }
    if (schema.contains("const") && schema["const"] != value) return path + ": another constant";
    if (schema.contains("enum")) {
      const Json& words = schema["enum"];
      if (std::find(words.begin(), words.end(), value) == words.end())
        return path + ": not allowed";
    }
    if (schema.contains("type") && !has_type(schema["type"], value)) return path + ": wrong type";
    if (schema.contains("minimum") && value < schema["minimum"]) return path + ": too small";
    if (schema.contains("maximum") && value > schema["maximum"]) return path + ": too large";
    if (schema.contains("oneOf")) return alternative_fault(schema["oneOf"], value, path);
    if (value.is_object()) return object_fault(schema, value, path);
    if (value.is_array()) return array_fault(schema, value, path);
    return {};
  }

 private:
  static bool has_type(const Json& types, const Json& value) {
    if (types.is_string()) return is_of_type(value, types);
    return std::any_of(types.begin(), types.end(),
                       [&](const Json& type) { return is_of_type(value, type); });
  }

  std::string alternative_fault(const Json& schemas, const Json& value,
                                const std::string& path) const {
    std::size_t count = 0;
    std::string faults;
    for (const Json& schema : schemas) {
      const std::string found = fault(schema, value, path);
      if (found.empty()) ++count;
      faults += " [" + found + "]";
    }
    if (count == 1) return {};
    return path + ": " + std::to_string(count) + " alternatives hold:" + faults;
  }

  std::string object_fault(const Json& schema, const Json& value, const std::string& path) const {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) return path + ": lacks " + name.dump();
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, item] : value.items()) {
      const std::string where = path + "." + name;
      std::string found;
      if (properties.contains(name)) {
        found = fault(properties[name], item, where);
      } else if (schema.contains("additionalProperties") &&
                 schema["additionalProperties"].is_object()) {
        found = fault(schema["additionalProperties"], item, where);
      } else if (!properties.empty()) {
        found = where + ": not described";
      }
      if (found.empty() && schema.contains("propertyNames")) {
        found = fault(schema["propertyNames"], name, where);
      }
      if (!found.empty()) return found;
    }
    return {};
  }

  std::string array_fault(const Json& schema, const Json& value, const std::string& path) const {
    if (value.size() < schema.value("minItems", std::size_t{0})) return path + ": too short";
    if (value.size() > schema.value("maxItems", value.size())) return path + ": too long";
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string where = path + "[" + std::to_string(i) + "]";
      std::string found;
      if (schema.contains("prefixItems") && i < schema["prefixItems"].size()) {
        found = fault(schema["prefixItems"][i], value[i], where);
      } else if (schema.contains("items")) {
        found = fault(schema["items"], value[i], where);
      }
      if (!found.empty()) return found;
    }
    return {};
  }

  const Json& root_;
};

}  // namespace

std::string schema_fault(const std::string& schema, const std::string& json) {
  const Json root =
      Json::parse(contents(std::string(PARLEY_SOURCE_DIR) + "/workloads/schema/" + schema));
  const Json value = Json::parse(json, nullptr, false);
  if (value.is_discarded()) return "is not JSON";
  return Checker(root).fault(root, value, "$");
}

}  // namespace parley::cli
