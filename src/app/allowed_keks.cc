#include "app/allowed_keks.h"

#include <algorithm>

namespace cc::app {

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      // The last star takes one character more.
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(), [](char c) { return c == '*'; });
}

Result<void> AllowedKeks::check(const std::string& name) const {
  CC_ASSIGN(const std::string canonical, inner_.canonical_name(name));
  const bool allowed =
      patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(),
                                       [&](const std::string& pattern) { return matches_pattern(pattern, canonical); });
  if (!allowed) {
    return fail(ErrorKind::kek_not_allowed, canonical + " matches no pattern of chamber.allowed_keks");
  }
  if (!local_state_ && canonical.starts_with("local://")) {
    return fail(ErrorKind::kek_not_allowed, canonical +
                                                " lies on this machine alone, and the seal record is shared with "
                                                "other replicas: use a KEK that all of them reach");
  }
  return {};
}

Result<void> AllowedKeks::prepare(const std::string& name) {
  CC_TRY(check(name));
  return inner_.prepare(name);
}

}  // namespace cc::app
