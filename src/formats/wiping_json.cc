#include "formats/wiping_json.h"

#include "base/secret.h"

namespace cc::json {

WipingResource::~WipingResource() {
  for (const auto& [block, shape] : blocks_) {
    release(block, shape);
  }
}

void WipingResource::release(void* block, const Shape& shape) {
  wipe(std::span(static_cast<std::uint8_t*>(block), shape.size));
  ::operator delete(block, shape.size, shape.alignment);
}

void* WipingResource::do_allocate(std::size_t size, std::size_t alignment) {
  const Shape shape{size, std::align_val_t(alignment)};
  void* const block = ::operator new(size, shape.alignment);
  blocks_.emplace(block, shape);
  return block;
}

void WipingResource::do_deallocate(void* block, std::size_t size, std::size_t alignment) {
  blocks_.erase(block);
  release(block, {size, std::align_val_t(alignment)});
}

}  // namespace cc::json
