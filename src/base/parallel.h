// Independent steps on a few threads: costly ones (key derivation, keystore decryption), or ones that wait (requests).
#pragma once

#include <cstddef>
#include <functional>

namespace cc {

// step(0) … step(count - 1), in no order, on at most `most_threads` threads, the caller's among them. Returns when all
// ended. A step that returns false stops the rest; so does a std::bad_alloc, which is thrown again here; no step may
// throw anything else. Returns whether every step ran.
bool run_side_by_side(std::size_t count, std::size_t most_threads, const std::function<bool(std::size_t)>& step);
// The same for steps that compute: never more threads than there are cores.
bool run_parallel(std::size_t count, std::size_t most_threads, const std::function<bool(std::size_t)>& step);

}  // namespace cc
