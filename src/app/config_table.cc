#include "app/config_table.h"

#include <algorithm>

#include "app/nearest.h"

namespace cc::app {
namespace {

template <class... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Match(Handlers...) -> Match<Handlers...>;

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    out.push_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return out;
}

bool matches(std::string_view pattern, const Parts& path, std::string& name) {
  const Parts parts = split_path(pattern);
  if (parts.size() != path.size()) {
    return false;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "*") {
      name = path[i];
    } else if (parts[i] != path[i]) {
      return false;
    }
  }
  return true;
}

bool lies_below(std::string_view pattern, const Parts& section) {
  Parts parts = split_path(pattern);
  if (parts.size() <= section.size()) {
    return false;
  }
  parts.resize(section.size());
  std::string name;
  return matches(join_path(parts), section, name);
}

}  // namespace

std::string_view ConfigKey::type() const {
  return std::visit(Match{
                        [](Slot<std::string>) { return std::string_view("text"); },
                        [](Slot<std::uint64_t>) { return std::string_view("number"); },
                        [](Slot<bool>) { return std::string_view("true or false"); },
                        [](Slot<TextList>) { return std::string_view("list"); },
                        [](Slot<std::optional<TextList>>) { return std::string_view("list"); },
                        [](Slot<SecretBytes>) { return std::string_view("secret"); },
                    },
                    slot);
}

bool ConfigKey::is_list() const { return type() == "list"; }

std::vector<std::string_view> ConfigKey::choices() const { return words_of(choices_list); }
std::vector<std::string_view> ConfigKey::old_paths() const { return words_of(old_paths_list); }

std::string ConfigKey::flag() const {
  std::string out = "--" + std::string(path);
  std::replace_if(out.begin() + 2, out.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return out;
}

std::string ConfigKey::variable() const {
  std::string out = "CONTAINMENT_";
  for (const char c : path) {
    if (c == '.') {
      out += "__";
    } else {
      out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
  }
  const auto star = out.find('*');
  return star == std::string::npos ? out : out.replace(star, 1, "NAME");
}

Parts split_path(std::string_view path) {
  Parts out;
  while (true) {
    const auto dot = path.find('.');
    out.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) {
      return out;
    }
    path.remove_prefix(dot + 1);
  }
}

std::string join_path(const Parts& parts) {
  std::string out;
  for (const std::string& part : parts) {
    out += (out.empty() ? "" : ".") + part;
  }
  return out;
}

std::optional<FoundKey> find_key(const Parts& path) {
  for (const ConfigKey& key : config_table()) {
    std::string name;
    const bool old =
        std::ranges::any_of(key.old_paths(), [&](std::string_view spelling) { return matches(spelling, path, name); });
    if (old || matches(key.path, path, name)) {
      return FoundKey{&key, name};
    }
  }
  return std::nullopt;
}

bool is_section(const Parts& path) {
  return std::any_of(config_table().begin(), config_table().end(), [&](const ConfigKey& key) {
    return lies_below(key.path, path) ||
           std::ranges::any_of(key.old_paths(), [&](auto spelling) { return lies_below(spelling, path); });
  });
}

std::string nearest_path(const Parts& path) {
  std::vector<std::string> known;
  for (const ConfigKey& key : config_table()) {
    Parts parts = split_path(key.path);
    // A name the user chose costs nothing: compare with it in the star's place.
    for (std::size_t i = 0; i < parts.size() && i < path.size(); ++i) {
      if (parts[i] == "*") {
        parts[i] = path[i];
      }
    }
    known.push_back(join_path(parts));
    while (parts.size() > path.size()) {
      parts.pop_back();
      known.push_back(join_path(parts));
    }
  }
  return nearest(join_path(path), known);
}

}  // namespace cc::app
