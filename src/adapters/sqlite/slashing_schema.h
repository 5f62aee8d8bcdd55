// The tables of the slashing store, and how numbers of 64 bits lie in them (docs/spec/sqlite.md).
#pragma once

#include <cstdint>
#include <optional>

#include "adapters/sqlite/database.h"
#include "base/chain.h"

namespace cc::sqlite {

extern const Schema kSlashingSchema;

// Slots and epochs use all 64 bits and SQLite's integers are signed: the top bit is flipped, which keeps the order.
constexpr std::int64_t stored_number(std::uint64_t value) { return static_cast<std::int64_t>(value ^ (1ULL << 63)); }
constexpr std::uint64_t number_from(std::int64_t stored) { return static_cast<std::uint64_t>(stored) ^ (1ULL << 63); }

template <class Number>
std::optional<std::int64_t> stored_number(const std::optional<Number>& value) {
  return value ? std::optional<std::int64_t>(stored_number(value->value)) : std::nullopt;
}
template <class Number>
std::optional<Number> number_at(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional<Number>(Number{number_from(row.integer(column))});
}

}  // namespace cc::sqlite
