// Memory for parsed JSON documents that hold secrets: every block is wiped before it goes back to the heap, at the
// latest when the resource dies (the parser forgets the member names of a document that breaks off).
//
// Not thread-safe; one per document, which it outlives.
#pragma once

#include <boost/json/memory_resource.hpp>
#include <new>
#include <unordered_map>

namespace cc::json {

class WipingResource final : public boost::json::memory_resource {
 public:
  WipingResource() = default;
  WipingResource(const WipingResource&) = delete;
  WipingResource& operator=(const WipingResource&) = delete;
  ~WipingResource() override;

 private:
  struct Shape {
    std::size_t size;
    std::align_val_t alignment;
  };
  static void release(void* block, const Shape& shape);
  void* do_allocate(std::size_t size, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t size, std::size_t alignment) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }

  std::unordered_map<void*, Shape> blocks_;
};

}  // namespace cc::json
