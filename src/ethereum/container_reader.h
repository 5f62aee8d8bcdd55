// Reads the fields of a JSON object in the order of an SSZ container and computes the container's root on the way.
//
// The first fault stops the reading and is what root() answers, so that a container reads as one sentence:
//   ContainerReader(value).u64("epoch").bytes("root", 32).root()
#pragma once

#include <array>
#include <optional>

#include "ethereum/json_fields.h"
#include "ethereum/ssz_merkle.h"

namespace cc::ethereum {

class ContainerReader {
 public:
  explicit ContainerReader(JsonValue object);

  // uint64; `copy`, when given, receives the value.
  ContainerReader& u64(std::string_view name, std::uint64_t* copy = nullptr);
  ContainerReader& u256(std::string_view name);
  ContainerReader& boolean(std::string_view name);
  // Bytes of a fixed length: BytesN, addresses, public keys, signatures.
  ContainerReader& bytes(std::string_view name, std::size_t size);
  ContainerReader& byte_list(std::string_view name, std::size_t limit_bytes);
  ContainerReader& progressive_byte_list(std::string_view name);
  ContainerReader& bitvector(std::string_view name, std::uint64_t bits);
  ContainerReader& bitlist(std::string_view name, std::uint64_t limit_bits);
  // A progressive bitlist has no limit of its own; ours is what a slot can hold.
  ContainerReader& progressive_bitlist(std::string_view name, std::uint64_t limit_bits);
  ContainerReader& u64_list(std::string_view name, std::size_t limit);

  // `read`: JsonValue -> Result<Root>.
  template <class Read>
  ContainerReader& child(std::string_view name, Read&& read) {
    return field(name, [&](JsonValue value) -> Result<Root> { return read(value); });
  }
  template <class Read>
  ContainerReader& list(std::string_view name, std::size_t limit, Read&& read) {
    return field(name, [&](JsonValue value) -> Result<Root> {
      CC_ASSIGN(std::vector<Root> roots, element_roots(value, limit, read));
      return ssz::list_root(roots, limit);
    });
  }
  template <class Read>
  ContainerReader& progressive_list(std::string_view name, Read&& read) {
    return field(name, [&](JsonValue value) -> Result<Root> {
      CC_ASSIGN(std::vector<Root> roots, element_roots(value, value.size(), read));
      return ssz::progressive_list_root(roots);
    });
  }
  // Vector[T, size].
  template <class Read>
  ContainerReader& vector(std::string_view name, std::size_t size, Read&& read) {
    return field(name, [&](JsonValue value) -> Result<Root> {
      CC_ASSIGN(std::vector<Root> roots, element_roots(value, size, read));
      if (roots.size() != size) {
        return value.wrong("expected " + std::to_string(size) + " elements, found " + std::to_string(roots.size()));
      }
      return ssz::merkleize(roots);
    });
  }

  // A property that must not be there for this shape of the message.
  ContainerReader& absent(std::string_view name, std::string_view why);

  // Once, at the end.
  Result<Root> root();
  Result<Root> progressive_root();

 private:
  static constexpr std::size_t kMaxFields = 24;

  template <class Read>
  ContainerReader& field(std::string_view name, Read&& read) {
    if (fault_) {
      return *this;
    }
    const Result<JsonValue> value = object_.member(name);
    if (!value) {
      fault_ = value.error();
      return *this;
    }
    const Result<Root> chunk = read(*value);
    if (!chunk) {
      fault_ = chunk.error();
      return *this;
    }
    chunks_[count_++] = *chunk;
    return *this;
  }

  template <class Read>
  static Result<std::vector<Root>> element_roots(JsonValue array, std::size_t limit, Read&& read) {
    std::vector<Root> roots;
    roots.reserve(array.size());
    CC_TRY(array.each([&](JsonValue element) -> Result<void> {
      if (roots.size() == limit) {
        return array.wrong("expected at most " + std::to_string(limit) + " elements");
      }
      CC_ASSIGN(const Root root, read(element));
      roots.push_back(root);
      return {};
    }));
    return roots;
  }

  JsonValue object_;
  std::array<Root, kMaxFields> chunks_;
  std::size_t count_ = 0;
  std::optional<Error> fault_;
};

// Elements that are byte strings: the root of BytesN, and of a progressive byte list.
Result<Root> bytes_root(JsonValue value, std::size_t size);
Result<Root> progressive_bytes_root(JsonValue value);

}  // namespace cc::ethereum
