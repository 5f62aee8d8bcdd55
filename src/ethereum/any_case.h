// Names that a request may write in any case: signing types and most fork names. ASCII only, independent of the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace cc::ethereum {

// Whether `text`, in upper case, is `upper_case`.
inline bool is_in_any_case(std::string_view text, std::string_view upper_case) {
  return std::equal(text.begin(), text.end(), upper_case.begin(), upper_case.end(), [](char given, char upper) {
    return (given >= 'a' && given <= 'z' ? static_cast<char>(given - 'a' + 'A') : given) == upper;
  });
}

}  // namespace cc::ethereum
