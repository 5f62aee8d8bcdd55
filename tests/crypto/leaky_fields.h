// The portable field of the batch signers with one planted leak each, for the constant-time tests to find.
#pragma once

#include "crypto/field_blst.h"

namespace cc::crypto::test_leaks {

// The entry is read at the secret index.
struct LeakyLookUp : same_message::BlstField {
  static void select(Element& x, Element& y, const Entry* entries, std::size_t /*count*/, const std::uint64_t* index) {
    x = entries[index[0]].x;
    y = entries[index[0]].y;
  }
};

// The sign is a branch.
struct LeakySign : same_message::BlstField {
  static void negate_where(Element& value, const std::uint64_t* flags) {
    if (flags[0] != 0) {
      blst_fp2_cneg(&value, &value, true);
    }
  }
};

}  // namespace cc::crypto::test_leaks
