// Makes libcurl and OpenSSL wipe what they free: both keep copies of headers, bodies and keys in ordinary memory.
#pragma once

#include <cstddef>

namespace cc::http {

// The first call of main(), before anything else of either library and before the second thread. False when one of them
// already holds memory and refuses.
bool install_wiping_allocators();

// Overwrites all of a live block from malloc(), its slack included; null is nothing.
void wipe_heap_block(void* block);

}  // namespace cc::http
