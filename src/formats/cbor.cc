#include "formats/cbor.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "formats/unicode.h"

namespace cc::cbor {
namespace {

constexpr unsigned kUint = 0;
constexpr unsigned kBytes = 2;
constexpr unsigned kText = 3;
constexpr unsigned kArray = 4;
constexpr unsigned kMap = 5;
constexpr std::uint8_t kFalse = 0xf4;
constexpr std::uint8_t kTrue = 0xf5;
constexpr std::uint8_t kNull = 0xf6;

struct Head {
  std::array<std::uint8_t, 9> bytes{};
  std::size_t size = 0;
  ByteView view() const { return ByteView(bytes).first(size); }
};

// The shortest head for the value, as deterministic encoding demands.
Head encode_head(unsigned major, std::uint64_t value) {
  Head out;
  const auto type = static_cast<std::uint8_t>(major << 5);
  if (value < 24) {
    out.bytes[0] = static_cast<std::uint8_t>(type | value);
    out.size = 1;
    return out;
  }
  std::size_t length = 1;
  std::uint8_t info = 24;
  while (length < 8 && value >> (8 * length) != 0) {
    length *= 2;
    ++info;
  }
  out.bytes[0] = type | info;
  for (std::size_t i = 0; i < length; ++i) {
    out.bytes[1 + i] = static_cast<std::uint8_t>(value >> (8 * (length - 1 - i)));
  }
  out.size = 1 + length;
  return out;
}

}  // namespace

void Writer::head(unsigned major, std::uint64_t value) {
  constexpr std::size_t kUsualDocumentBytes = 512;
  if (out_.capacity() == 0) {
    out_.reserve(kUsualDocumentBytes);
  }
  append(out_, encode_head(major, value).view());
}

Writer& Writer::uint(std::uint64_t value) {
  head(kUint, value);
  return *this;
}

Writer& Writer::bytes(ByteView value) {
  head(kBytes, value.size());
  append(out_, value);
  return *this;
}

Writer& Writer::text(std::string_view value) {
  head(kText, value.size());
  append(out_, bytes_of(value));
  return *this;
}

Writer& Writer::array(std::uint64_t items) {
  head(kArray, items);
  return *this;
}

Writer& Writer::map(std::uint64_t pairs) {
  head(kMap, pairs);
  return *this;
}

Writer& Writer::boolean(bool value) {
  out_.push_back(value ? kTrue : kFalse);
  return *this;
}

Writer& Writer::null() {
  out_.push_back(kNull);
  return *this;
}

void SecretWriter::put(ByteView bytes) {
  if (bytes.size() > out_.size() - used_) {
    std::abort();  // the capacity is a constant of the caller's format: too small is a programming fault
  }
  std::ranges::copy(bytes, expose_secret_bytes(out_).begin() + static_cast<std::ptrdiff_t>(used_));
  used_ += bytes.size();
}

void SecretWriter::head(unsigned major, std::uint64_t value) {
  Head bytes = encode_head(major, value);
  put(bytes.view());
  wipe(bytes.bytes);
}

SecretWriter& SecretWriter::uint(std::uint64_t value) {
  head(kUint, value);
  return *this;
}

SecretWriter& SecretWriter::bytes(ByteView value) {
  head(kBytes, value.size());
  put(value);
  return *this;
}

SecretWriter& SecretWriter::array(std::uint64_t items) {
  head(kArray, items);
  return *this;
}

SecretWriter& SecretWriter::map(std::uint64_t pairs) {
  head(kMap, pairs);
  return *this;
}

SecretBytes SecretWriter::take() {
  const std::size_t written = std::exchange(used_, 0);
  if (written == out_.size()) {
    return std::move(out_);
  }
  SecretBytes exact = SecretBytes::copy_of(expose_secret_bytes(std::as_const(out_)).first(written));
  out_.wipe();
  return exact;
}

tl::unexpected<Error> Reader::damaged(std::string_view what) const {
  return fail(ErrorKind::record_malformed, std::string(what) + " at byte " + std::to_string(at_));
}

Result<std::uint64_t> Reader::head(unsigned major) {
  if (at_ == input_.size()) {
    return damaged("the record ends too early");
  }
  const std::uint8_t first = input_[at_];
  if (first >> 5 != major) {
    return damaged("unexpected CBOR type");
  }
  const unsigned info = first & 31U;
  if (info < 24) {
    ++at_;
    return info;
  }
  if (info > 27) {
    return damaged("indefinite or reserved CBOR length");
  }
  const std::size_t length = std::size_t{1} << (info - 24);
  if (input_.size() - at_ - 1 < length) {
    return damaged("the record ends too early");
  }
  std::uint64_t value = 0;
  for (const std::uint8_t byte : input_.subspan(at_ + 1, length)) {
    value = value << 8 | byte;
  }
  const std::uint64_t smallest = length == 1 ? 24 : std::uint64_t{1} << (4 * length);
  if (value < smallest) {
    return damaged("a CBOR number is not in its shortest form");
  }
  at_ += 1 + length;
  return value;
}

Result<std::uint64_t> Reader::uint() { return head(kUint); }

Result<ByteView> Reader::bytes() {
  const std::size_t start = at_;
  CC_ASSIGN(const std::uint64_t size, head(kBytes));
  if (size > input_.size() - at_) {
    at_ = start;
    return damaged("a byte string is longer than the record");
  }
  const ByteView out = input_.subspan(at_, size);
  at_ += size;
  return out;
}

Result<ByteView> Reader::bytes(std::size_t size) {
  const std::size_t start = at_;
  CC_ASSIGN(const ByteView out, bytes());
  if (out.size() != size) {
    at_ = start;
    return damaged("expected " + std::to_string(size) + " bytes, found " + std::to_string(out.size()) + ",");
  }
  return out;
}

Result<std::string> Reader::text() {
  const std::size_t start = at_;
  CC_ASSIGN(const std::uint64_t size, head(kText));
  if (size > input_.size() - at_) {
    at_ = start;
    return damaged("a text is longer than the record");
  }
  const ByteView raw = input_.subspan(at_, size);
  std::string out(raw.begin(), raw.end());
  if (!unicode::is_utf8(out)) {
    at_ = start;
    return damaged("a text is not UTF-8");
  }
  at_ += size;
  return out;
}

// Every item takes at least one byte, so a count beyond the bytes left is damage; a caller may reserve by the count.
Result<std::uint64_t> Reader::array() {
  const std::size_t start = at_;
  CC_ASSIGN(const std::uint64_t items, head(kArray));
  if (items > input_.size() - at_) {
    at_ = start;
    return damaged("an array has more items than the record has bytes");
  }
  return items;
}

Result<std::uint64_t> Reader::map() {
  const std::size_t start = at_;
  CC_ASSIGN(const std::uint64_t pairs, head(kMap));
  if (pairs > (input_.size() - at_) / 2) {
    at_ = start;
    return damaged("a map has more entries than the record has bytes");
  }
  return pairs;
}

Result<void> Reader::key(std::uint64_t expected) {
  const std::size_t start = at_;
  CC_ASSIGN(const std::uint64_t found, head(kUint));
  if (found != expected) {
    at_ = start;
    return damaged("expected map key " + std::to_string(expected));
  }
  return {};
}

Result<bool> Reader::boolean() {
  if (at_ == input_.size() || (input_[at_] != kFalse && input_[at_] != kTrue)) {
    return damaged("expected a boolean");
  }
  return input_[at_++] == kTrue;
}

Result<bool> Reader::null_next() {
  if (at_ == input_.size()) {
    return damaged("the record ends too early");
  }
  if (input_[at_] != kNull) {
    return false;
  }
  ++at_;
  return true;
}

Result<std::uint64_t> Reader::uint_at(std::uint64_t key_number) {
  CC_TRY(key(key_number));
  return uint();
}

Result<void> Reader::bytes_at(std::uint64_t key_number, std::span<std::uint8_t> out) {
  CC_TRY(key(key_number));
  CC_ASSIGN(const ByteView found, bytes(out.size()));
  std::ranges::copy(found, out.begin());
  return {};
}

Result<void> Reader::end() const {
  if (at_ != input_.size()) {
    return damaged("bytes left over");
  }
  return {};
}

}  // namespace cc::cbor
