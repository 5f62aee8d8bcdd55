// Runs independent, costly steps (key derivation, keystore decryption) on a few threads.
#pragma once

#include <cstddef>
#include <functional>

namespace cc::keys {

// step(0) … step(count - 1), in no order, on at most `most_threads` threads and never more than there are cores.
// Returns when all ended. A step that returns false stops the rest; so does a std::bad_alloc, which is thrown again
// here. Returns whether every step ran.
bool run_parallel(std::size_t count, std::size_t most_threads, const std::function<bool(std::size_t)>& step);

}  // namespace cc::keys
