// File descriptors: connections must never take those that the stores need.
#pragma once

#include <cstdint>

namespace cc::app {

// Raises the soft limit on open files towards what `listeners` times `max_connections` need, and returns how many
// connections each listener may hold under the limit that results: max_connections, or fewer with a warning.
std::uint64_t connections_within_file_limit(std::uint64_t max_connections, std::uint64_t listeners);

}  // namespace cc::app
