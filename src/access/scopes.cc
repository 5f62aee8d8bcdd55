#include <algorithm>

#include "access/policies.h"
#include "access/scopes.h"

namespace cc::access {
namespace {

constexpr std::array<std::string_view, kScopeCount> kNames{"sign",
                                                           "public_keys",
                                                           "reload",
                                                           "list_keys",
                                                           "import_keystores",
                                                           "delete_keys",
                                                           "chamber_status",
                                                           "chamber_seal",
                                                           "chamber_rotate",
                                                           "chamber_keys_list",
                                                           "chamber_keys_generate",
                                                           "chamber_keys_import",
                                                           "chamber_keys_patch",
                                                           "chamber_keys_delete"};
constexpr std::string_view kWrite = "chamber_keys_write";

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string_view nearest(std::string_view text) {
  std::string_view best = kWrite;
  for (const std::string_view candidate : kNames) {
    best = distance(text, candidate) < distance(text, best) ? candidate : best;
  }
  return best;
}

}  // namespace

std::string_view name(Scope scope) { return kNames.at(static_cast<std::size_t>(scope)); }

std::optional<Scope> scope_named(std::string_view text) {
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<Scope>(found - kNames.begin()));
}

bool is_compatibility(Scope scope) { return scope <= Scope::reload; }

Result<std::set<Scope>> scopes_named(const std::vector<std::string>& names, std::string_view policy) {
  constexpr std::size_t kLongestShown = 64;
  std::set<Scope> out;
  for (const std::string& text : names) {
    if (text == kWrite) {
      out.insert({Scope::chamber_keys_import, Scope::chamber_keys_patch});
      continue;
    }
    const auto scope = scope_named(text);
    if (!scope) {
      return fail(ErrorKind::config_invalid, "Policy " + std::string(policy) + " names the unknown scope \"" +
                                                 text.substr(0, kLongestShown) + "\"; did you mean " +
                                                 std::string(nearest(text.substr(0, kLongestShown))) + "?");
    }
    out.insert(*scope);
  }
  return out;
}

std::set<Scope> every_scope() {
  std::set<Scope> out;
  for (std::size_t i = 0; i < kScopeCount; ++i) {
    out.insert(static_cast<Scope>(i));
  }
  return out;
}

}  // namespace cc::access
