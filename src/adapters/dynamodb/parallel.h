// Requests side by side: what waits for a network wants more threads than there are cores.
#pragma once

#include <cstddef>
#include <functional>

namespace cc::dynamodb {

// step(0) … step(count - 1), in no order, on at most `most` threads, the caller's among them. Returns when all ended.
// A step must not throw anything but std::bad_alloc, which is thrown again here.
void in_parallel(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& step);

}  // namespace cc::dynamodb
