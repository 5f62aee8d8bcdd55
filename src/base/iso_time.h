// A time as people and JSON read it.
#pragma once

#include <cstdint>
#include <string>

namespace cc {

// Seconds since 1970-01-01 UTC as ISO 8601 has them: "2026-11-24T19:00:00Z".
std::string iso_time(std::uint64_t unix_seconds);

}  // namespace cc
