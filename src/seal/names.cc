#include "seal/names.h"

#include <algorithm>
#include <set>

namespace cc::seal {
namespace {

constexpr const char* kRule = "1 to 64 characters of A-Z a-z 0-9 . _ -";

bool plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, plain);
}

Result<void> check_operator_names(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_plain_name(names[i])) {
      return fail(ErrorKind::operator_name_invalid,
                  "operator name number " + std::to_string(i + 1) + " is not allowed: use " + kRule);
    }
    if (!seen.insert(names[i]).second) {
      return fail(ErrorKind::operator_name_invalid, "operator " + names[i] + " is named twice");
    }
  }
  return {};
}

Result<void> check_credential_id(std::string_view id) {
  if (!is_plain_name(id)) {
    return fail(ErrorKind::credential_id_invalid, std::string("the credential id is not allowed: use ") + kRule);
  }
  return {};
}

}  // namespace cc::seal
