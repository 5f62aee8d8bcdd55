// How the values of the slashing store come out of its rows.
#pragma once

#include <optional>

#include "adapters/postgres/connection.h"
#include "adapters/postgres/text_form.h"
#include "guard/slashing_store.h"

namespace cc::postgres {

inline std::optional<Root> root_at(const Rows& rows, int row, int column) {
  const Bytes bytes = rows.bytes(row, column);
  return bytes.empty() ? std::nullopt : std::optional<Root>(to_array<32>(bytes));
}
template <class Number>
std::optional<Number> number_at(const Rows& rows, int row, int column) {
  return rows.is_null(row, column) ? std::nullopt
                                   : std::optional<Number>(Number{number_from(rows.integer(row, column))});
}
inline guard::SignedAttestation vote_at(const Rows& rows, int row, int column) {
  return {Epoch{number_from(rows.integer(row, column))}, Epoch{number_from(rows.integer(row, column + 1))},
          root_at(rows, row, column + 2)};
}

inline BlsPublicKey key_at(const Rows& rows, int row, int column) { return to_array<48>(rows.bytes(row, column)); }

}  // namespace cc::postgres
