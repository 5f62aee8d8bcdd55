#include "http/wiping_allocators.h"

#include <curl/curl.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/secret.h"

// These functions stand in for malloc and free, so they speak malloc's language.
namespace cc::http {
namespace {

void free_wiped(void* block) {
  wipe_heap_block(block);
  std::free(block);
}

// realloc() may move the block and leave the old one as it is.
void* realloc_wiped(void* block, std::size_t size) {
  if (block == nullptr) {
    return std::malloc(size);
  }
  if (size == 0) {
    free_wiped(block);
    return nullptr;
  }
  const std::size_t held = malloc_usable_size(block);
  if (size <= held) {
    return block;
  }
  void* moved = std::malloc(size);
  if (moved != nullptr) {
    std::memcpy(moved, block, std::min(held, size));
    free_wiped(block);
  }
  return moved;
}

void* openssl_malloc(std::size_t size, const char* /*file*/, int /*line*/) { return std::malloc(size); }
void* openssl_realloc(void* block, std::size_t size, const char* /*file*/, int /*line*/) {
  return realloc_wiped(block, size);
}
void openssl_free(void* block, const char* /*file*/, int /*line*/) { free_wiped(block); }

}  // namespace

void wipe_heap_block(void* block) {
  if (block != nullptr) {
    wipe(std::span(static_cast<std::uint8_t*>(block), malloc_usable_size(block)));
  }
}

bool install_wiping_allocators() {
  const bool openssl = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
  const bool curl = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, free_wiped, realloc_wiped, ::strdup,
                                         std::calloc) == CURLE_OK;
  return openssl && curl;
}

}  // namespace cc::http
