// Checking one value against its row of the table, and storing it.
#include <algorithm>
#include <charconv>

#include "app/config_table.h"

namespace cc::app {
namespace {

tl::unexpected<Error> wrong(const std::string& where, const ConfigKey& key, const std::string& what) {
  return fail(ErrorKind::config_invalid, where + ": " + std::string(key.path) + " " + what);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…'" : "'");
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) {
    out += (out.empty() ? "" : ", ") + std::string(word);
  }
  return out;
}

Result<std::uint64_t> number(const ConfigKey& key, const std::string& text, bool quoted, const std::string& where) {
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (quoted || !digits) {
    return wrong(where, key, "must be a whole number without quotes, not " + in_quotes(text));
  }
  if (text.size() > 1 && text.front() == '0') {
    return wrong(where, key,
                 "must be written without leading zeros (some readers take " + in_quotes(text) + " as octal)");
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < key.minimum || value > key.maximum) {
    return wrong(where, key,
                 "must be between " + std::to_string(key.minimum) + " and " + std::to_string(key.maximum) + ", not " +
                     in_quotes(text));
  }
  return value;
}

Result<bool> boolean(const ConfigKey& key, const std::string& text, bool quoted, const std::string& where) {
  if (!quoted && (text == "true" || text == "false")) {
    return text == "true";
  }
  return wrong(where, key, "must be true or false (without quotes), not " + in_quotes(text));
}

struct Storing {
  Config& config;
  const FoundKey& found;
  const RawValue& value;
  const std::string& where;

  const ConfigKey& key() const { return *found.key; }
  const std::string& text() const { return value.items.front(); }

  Result<void> operator()(Slot<std::string> slot) const {
    const std::vector<std::string_view> choices = key().choices();
    if (!choices.empty() && std::ranges::find(choices, text()) == choices.end()) {
      return wrong(where, key(), "must be one of: " + joined(choices) + "; not " + in_quotes(text()));
    }
    slot(config, found.name) = text();
    return {};
  }
  Result<void> operator()(Slot<std::uint64_t> slot) const {
    CC_ASSIGN(slot(config, found.name), number(key(), text(), value.quoted, where));
    return {};
  }
  Result<void> operator()(Slot<bool> slot) const {
    CC_ASSIGN(slot(config, found.name), boolean(key(), text(), value.quoted, where));
    return {};
  }
  Result<void> operator()(Slot<TextList> slot) const {
    slot(config, found.name) = value.items;
    return {};
  }
  Result<void> operator()(Slot<std::optional<TextList>> slot) const {
    slot(config, found.name) = value.items;
    return {};
  }
  Result<void> operator()(Slot<SecretBytes> slot) const {
    slot(config, found.name) = SecretBytes::copy_of(std::string_view(text()));
    return {};
  }
};

}  // namespace

Result<void> store_value(Config& config, const FoundKey& found, const RawValue& value, const std::string& where) {
  const ConfigKey& key = *found.key;
  if (key.is_list() && !value.list) {
    return wrong(where, key, "must be a list");
  }
  if (!key.is_list() && (value.list || value.items.size() != 1)) {
    return wrong(where, key, "must be one value, not a list");
  }
  CC_TRY(std::visit(Storing{config, found, value, where}, key.slot));
  config.given.insert(std::string(key.path));
  return {};
}

RawValue value_of_text(const ConfigKey& key, std::string_view text) {
  RawValue out;
  out.list = key.is_list();
  if (!out.list) {
    out.items.emplace_back(text);
    return out;
  }
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const auto first = item.find_first_not_of(' ');
    if (first != std::string_view::npos) {
      out.items.emplace_back(item.substr(first, item.find_last_not_of(' ') - first + 1));
    }
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

Result<void> apply_defaults(Config& config) {
  for (const ConfigKey& key : config_table()) {
    if (!key.has_name() && !key.path.starts_with("unauthenticated_policy.")) {
      CC_TRY(store_value(config, {&key, {}}, value_of_text(key, key.standard), "built-in default"));
    }
  }
  config.given.clear();
  return {};
}

}  // namespace cc::app
