// The version that the program names; a test compares it with the build's.
#pragma once

#include <string_view>

namespace cc::app {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace cc::app
