// The one definition of every configuration key.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.h"

namespace cc::app {

// Where a value goes. The second argument is the name that stood for `*` in the path.
template <class T>
using Slot = T& (*)(Config&, const std::string&);
using TextList = std::vector<std::string>;
using AnySlot = std::variant<Slot<std::string>, Slot<std::uint64_t>, Slot<bool>, Slot<TextList>,
                             Slot<std::optional<TextList>>, Slot<SecretBytes>>;

struct ConfigKey {
  std::string_view path;  // parts joined by dots; the part `*` stands for a name the user chooses
  AnySlot slot;
  std::string_view standard;  // the default as one would write it; lists are comma-separated
  std::string_view help;
  std::string_view standard_note = "";  // for people, when the default depends on the machine
  std::uint64_t minimum = 0, maximum = 0;
  std::string_view choices_list = "";    // comma-separated; empty: any text
  std::string_view old_paths_list = "";  // comma-separated

  std::vector<std::string_view> choices() const;
  std::vector<std::string_view> old_paths() const;

  std::string_view type() const;
  bool is_list() const;
  bool is_boolean() const { return std::holds_alternative<Slot<bool>>(slot); }
  bool is_secret() const { return std::holds_alternative<Slot<SecretBytes>>(slot); }
  bool has_name() const { return path.find('*') != std::string_view::npos; }
  // "--server-listen-port", "CONTAINMENT_SERVER__LISTEN_PORT".
  std::string flag() const;
  std::string variable() const;
};

std::span<const ConfigKey> config_table();
std::vector<ConfigKey> tls_keys();  // its rows in config_keys_tls.cc
// The rows of anti_slashing.postgres (config_keys_postgres.cc).
std::vector<ConfigKey> postgres_keys();
std::vector<ConfigKey> dynamodb_keys();  // config_keys_dynamodb.cc
std::vector<ConfigKey> access_keys();    // config_keys_access.cc

using Parts = std::vector<std::string>;
Parts split_path(std::string_view path);
std::string join_path(const Parts& parts);

struct FoundKey {
  const ConfigKey* key = nullptr;
  std::string name;  // what stood for `*`
};
// The key of a path, by its present or an old spelling.
std::optional<FoundKey> find_key(const Parts& path);
// Whether keys lie below this path.
bool is_section(const Parts& path);
// The known path that looks most like this one.
std::string nearest_path(const Parts& path);

// A value as a source gives it.
struct RawValue {
  bool list = false;
  bool quoted = false;  // text by the writer's own word: never a number or a boolean
  TextList items;       // one when it is no list
};
// Checks the value and stores it. `where` opens the error message.
Result<void> store_value(Config& config, const FoundKey& found, const RawValue& value, const std::string& where);
// A value from a place that only knows text (environment, flags): lists are comma-separated.
RawValue value_of_text(const ConfigKey& key, std::string_view text);

// The sources, each over what is there already.
Result<void> apply_defaults(Config& config);
Result<void> apply_yaml(Config& config, const std::string& text, const std::string& file_name);
Result<void> apply_environment(Config& config, const Environment& environment);
Result<void> apply_flags(Config& config, const std::vector<FlagValue>& flags);

}  // namespace cc::app
