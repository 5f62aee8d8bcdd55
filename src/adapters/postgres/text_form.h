// Values in PostgreSQL's text form, as parameters and results carry them. Numbers of 64 bits are stored with the top
// bit flipped, which keeps their order in a signed column (docs/spec/postgres.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/chain.h"

namespace cc::postgres {

// A parameter; empty means NULL.
using Value = std::optional<std::string>;
using Values = std::vector<Value>;

constexpr std::int64_t stored_number(std::uint64_t value) { return static_cast<std::int64_t>(value ^ (1ULL << 63)); }
constexpr std::uint64_t number_from(std::int64_t stored) { return static_cast<std::uint64_t>(stored) ^ (1ULL << 63); }

inline std::string text_of(std::int64_t value) { return std::to_string(value); }
inline std::string text_of(ByteView bytes) { return "\\x" + to_hex(bytes); }
template <class Number>
Value text_of(const std::optional<Number>& value) {
  return value ? Value(text_of(stored_number(value->value))) : std::nullopt;
}
// An absent root is stored as an empty one, so that it is part of the primary key like any other.
inline std::string text_of(const std::optional<Root>& root) { return root ? text_of(ByteView(*root)) : "\\x"; }

// One array parameter, filled element by element.
class Array {
 public:
  void add(std::int64_t value) { next() += text_of(value); }
  void add(bool value) { next() += value ? "t" : "f"; }
  void add_word(std::string_view word) { next() += word; }
  void add(ByteView bytes) { next() += "\"\\\\x" + to_hex(bytes) + '"'; }
  void add(const std::optional<Root>& root) { add(root ? ByteView(*root) : ByteView()); }
  template <class Number>
  void add_number(const std::optional<Number>& value) {
    next() += value ? text_of(stored_number(value->value)) : "NULL";
  }
  Value value() const { return "{" + text_ + "}"; }

 private:
  std::string& next() {
    if (!std::exchange(empty_, false)) {
      text_ += ',';
    }
    return text_;
  }
  std::string text_;
  bool empty_ = true;
};

}  // namespace cc::postgres
