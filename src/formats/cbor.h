// Deterministic CBOR (RFC 8949 section 4.2.1), the subset our stored formats use: unsigned integers, byte strings,
// text, arrays, maps with ascending unsigned keys, null and booleans. The reader accepts only what the writer writes,
// so decode∘encode is the identity and accepted input re-encodes to itself.
//
// Both work in place: nothing is copied to the ordinary heap, so secret content can be written to and read from locked
// memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace cc::cbor {

class Writer {
 public:
  Writer& uint(std::uint64_t value);
  Writer& bytes(ByteView value);
  Writer& text(std::string_view value);
  Writer& array(std::uint64_t items);  // followed by that many items
  Writer& map(std::uint64_t pairs);    // followed by that many key, value pairs, keys ascending
  Writer& key(std::uint64_t value) { return uint(value); }
  Writer& boolean(bool value);
  Writer& null();

  Bytes take() { return std::move(out_); }
  const Bytes& view() const { return out_; }

 private:
  void head(unsigned major, std::uint64_t value);
  Bytes out_;
};

// Writes into locked memory; the capacity is fixed at construction and checked by assertion.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t capacity) : out_(capacity) {}
  SecretWriter& uint(std::uint64_t value);
  SecretWriter& bytes(ByteView value);
  SecretWriter& array(std::uint64_t items);
  SecretWriter& map(std::uint64_t pairs);
  SecretWriter& key(std::uint64_t value) { return uint(value); }
  // Exactly the bytes written.
  SecretBytes take();

 private:
  void head(unsigned major, std::uint64_t value);
  void put(ByteView bytes);
  SecretBytes out_;
  std::size_t used_ = 0;
};

// A pull reader over bytes that outlive it. Every method's error is record_malformed naming the offset.
class Reader {
 public:
  explicit Reader(ByteView input) : input_(input) {}
  Result<std::uint64_t> uint();
  Result<ByteView> bytes();
  // Exactly `size` bytes.
  Result<ByteView> bytes(std::size_t size);
  // Valid UTF-8.
  Result<std::string> text();
  Result<std::uint64_t> array();
  Result<std::uint64_t> map();
  // The next map key must be exactly this one.
  Result<void> key(std::uint64_t expected);
  Result<bool> boolean();
  // Consumes a null when there is one.
  Result<bool> null_next();
  // Map entries of a fixed layout: the key, then an unsigned integer, or exactly the bytes of `out`.
  Result<std::uint64_t> uint_at(std::uint64_t key);
  Result<void> bytes_at(std::uint64_t key, std::span<std::uint8_t> out);
  // Errors unless all input was read.
  Result<void> end() const;
  std::size_t offset() const { return at_; }

 private:
  Result<std::uint64_t> head(unsigned major);
  tl::unexpected<Error> damaged(std::string_view what) const;
  ByteView input_;
  std::size_t at_ = 0;
};

}  // namespace cc::cbor
