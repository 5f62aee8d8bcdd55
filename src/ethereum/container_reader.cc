#include "ethereum/container_reader.h"

namespace cc::ethereum {
namespace {

constexpr std::size_t kLargestFixed = 256;                // a logs bloom
constexpr std::size_t kAnyLength = std::size_t{1} << 30;  // MAX_BYTES_PER_TRANSACTION

Result<ssz::Bits> bits_at(JsonValue value, std::uint64_t limit_bits) {
  CC_ASSIGN(Bytes serialized, value.bytes_up_to(static_cast<std::size_t>(limit_bits / 8 + 1)));
  Result<ssz::Bits> bits = ssz::read_bitlist(std::move(serialized), limit_bits);
  return bits ? std::move(bits) : Result<ssz::Bits>(value.wrong(bits.error().message));
}

}  // namespace

Result<Root> bytes_root(JsonValue value, std::size_t size) {
  std::array<std::uint8_t, kLargestFixed> buffer;
  const std::span<std::uint8_t> bytes = std::span(buffer).first(size);
  CC_TRY(value.bytes(bytes));
  return size <= 32 ? ssz::chunk_of(bytes) : ssz::byte_vector_root(bytes);
}

Result<Root> progressive_bytes_root(JsonValue value) {
  CC_ASSIGN(const Bytes bytes, value.bytes_up_to(kAnyLength));
  return ssz::progressive_byte_list_root(bytes);
}

ContainerReader::ContainerReader(JsonValue object) : object_(object) {
  if (const Result<void> ok = object.expect_object(); !ok) {
    fault_ = ok.error();
  }
}

ContainerReader& ContainerReader::u64(std::string_view name, std::uint64_t* copy) {
  return field(name, [copy](JsonValue value) -> Result<Root> {
    CC_ASSIGN(const std::uint64_t number, value.u64());
    if (copy != nullptr) {
      *copy = number;
    }
    return ssz::chunk_of(number);
  });
}

ContainerReader& ContainerReader::u256(std::string_view name) {
  return field(name, [](JsonValue value) -> Result<Root> {
    Root chunk;
    CC_TRY(value.u256_little_endian(chunk));
    return chunk;
  });
}

ContainerReader& ContainerReader::boolean(std::string_view name) {
  return field(name, [](JsonValue value) -> Result<Root> {
    CC_ASSIGN(const bool flag, value.boolean());
    return ssz::chunk_of(flag);
  });
}

ContainerReader& ContainerReader::bytes(std::string_view name, std::size_t size) {
  return field(name, [size](JsonValue value) { return bytes_root(value, size); });
}

ContainerReader& ContainerReader::byte_list(std::string_view name, std::size_t limit_bytes) {
  return field(name, [limit_bytes](JsonValue value) -> Result<Root> {
    CC_ASSIGN(const Bytes bytes, value.bytes_up_to(limit_bytes));
    return ssz::byte_list_root(bytes, limit_bytes);
  });
}

ContainerReader& ContainerReader::progressive_byte_list(std::string_view name) {
  return field(name, progressive_bytes_root);
}

ContainerReader& ContainerReader::bitvector(std::string_view name, std::uint64_t bits) {
  return field(name, [bits](JsonValue value) -> Result<Root> {
    std::array<std::uint8_t, kLargestFixed> buffer;
    const std::span<std::uint8_t> bytes = std::span(buffer).first(static_cast<std::size_t>((bits + 7) / 8));
    CC_TRY(value.bytes(bytes));
    const Result<Root> root = ssz::bitvector_root(bytes, bits);
    return root ? root : Result<Root>(value.wrong(root.error().message));
  });
}

ContainerReader& ContainerReader::bitlist(std::string_view name, std::uint64_t limit_bits) {
  return field(name, [limit_bits](JsonValue value) -> Result<Root> {
    CC_ASSIGN(const ssz::Bits bits, bits_at(value, limit_bits));
    return ssz::bitlist_root(bits, limit_bits);
  });
}

ContainerReader& ContainerReader::progressive_bitlist(std::string_view name, std::uint64_t limit_bits) {
  return field(name, [limit_bits](JsonValue value) -> Result<Root> {
    CC_ASSIGN(const ssz::Bits bits, bits_at(value, limit_bits));
    return ssz::progressive_bitlist_root(bits);
  });
}

ContainerReader& ContainerReader::u64_list(std::string_view name, std::size_t limit) {
  return field(name, [limit](JsonValue value) -> Result<Root> {
    std::vector<std::uint64_t> values;
    values.reserve(value.size());
    CC_TRY(value.each([&](JsonValue element) -> Result<void> {
      if (values.size() == limit) {
        return value.wrong("expected at most " + std::to_string(limit) + " elements");
      }
      CC_ASSIGN(const std::uint64_t number, element.u64());
      values.push_back(number);
      return {};
    }));
    return ssz::u64_list_root(values, limit);
  });
}

ContainerReader& ContainerReader::absent(std::string_view name, std::string_view why) {
  if (!fault_) {
    if (const std::optional<JsonValue> present = object_.optional_member(name)) {
      fault_ = present->wrong(why).value();
    }
  }
  return *this;
}

Result<Root> ContainerReader::root() {
  if (fault_) {
    return fail(*std::move(fault_));
  }
  return ssz::merkleize(std::span(chunks_).first(count_));
}

Result<Root> ContainerReader::progressive_root() {
  if (fault_) {
    return fail(*std::move(fault_));
  }
  return ssz::mix_in_active_fields(ssz::merkleize_progressive(std::span(chunks_).first(count_)), count_);
}

}  // namespace cc::ethereum
