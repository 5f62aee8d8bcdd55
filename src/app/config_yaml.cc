// The YAML source: one strict walk. yaml-cpp keeps duplicate keys and reads 010 as 8, so both are judged here.
#include <yaml-cpp/yaml.h>

#include <set>

#include "app/config_table.h"

namespace cc::app {
namespace {

constexpr std::size_t kMaxDepth = 8;

class Walk {
 public:
  Walk(Config& config, const std::string& file) : config_(config), file_(file) {}

  Result<void> section(const YAML::Node& node, const Parts& path) {
    if (node.IsNull()) {
      return {};
    }
    if (!node.IsMap()) {
      return fail(ErrorKind::config_invalid,
                  at(node) + ": " + (path.empty() ? "the file" : join_path(path)) + " must be a section of keys");
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return fail(ErrorKind::config_invalid, at(entry.first) + ": a key must be one word");
      }
      const std::string& name = entry.first.Scalar();
      Parts inner = path;
      inner.push_back(name);
      if (!seen.insert(name).second) {
        return fail(ErrorKind::config_invalid, at(entry.first) + ": " + join_path(inner) + " is given twice");
      }
      CC_TRY(one(entry.first, entry.second, inner));
    }
    return {};
  }

 private:
  std::string at(const YAML::Node& node) const {
    const YAML::Mark mark = node.Mark();
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }

  Result<void> one(const YAML::Node& key_node, const YAML::Node& node, const Parts& path) {
    const auto found = find_key(path);
    if (!found) {
      if (path.size() < kMaxDepth && is_section(path)) {
        if (path.size() == 2 && path.front() == "auth_policies") {
          config_.auth_policies[path.back()];
        }
        return section(node, path);
      }
      return fail(ErrorKind::config_invalid, at(key_node) + ": unknown key " + join_path(path) +
                                                 "; the nearest known one is " + nearest_path(path));
    }
    if (const std::string taken = std::string(found->key->path) + "\n" + found->name; !stored_.insert(taken).second) {
      return fail(ErrorKind::config_invalid,
                  at(key_node) + ": " + std::string(found->key->path) + " is given twice, once under an old spelling");
    }
    RawValue value;
    CC_TRY(read(node, path, value));
    return store_value(config_, *found, value, at(node));
  }

  Result<void> read(const YAML::Node& node, const Parts& path, RawValue& value) const {
    if (node.IsScalar()) {
      value.items.push_back(node.Scalar());
      value.quoted = node.Tag() == "!";
      return {};
    }
    if (!node.IsSequence()) {
      return fail(ErrorKind::config_invalid,
                  at(node) + ": " + join_path(path) + (node.IsNull() ? " has no value" : " takes no keys of its own"));
    }
    value.list = true;
    for (const auto& item : node) {
      if (!item.IsScalar()) {
        return fail(ErrorKind::config_invalid, at(item) + ": " + join_path(path) + " must be a list of words");
      }
      value.items.push_back(item.Scalar());
    }
    return {};
  }

  Config& config_;
  const std::string& file_;
  std::set<std::string> stored_;
};

}  // namespace

Result<void> apply_yaml(Config& config, const std::string& text, const std::string& file_name) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      return fail(ErrorKind::config_invalid, file_name + ": holds more than one YAML document");
    }
    return documents.empty() ? Result<void>{} : Walk(config, file_name).section(documents.front(), {});
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::config_invalid, file_name + ":" + std::to_string(error.mark.line + 1) + ":" +
                                               std::to_string(error.mark.column + 1) + ": " + error.msg);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::config_invalid, file_name + ": needs more memory than there is");
  }
}

}  // namespace cc::app
