// The table of one message: for each window, the odd multiples of H(m) that its signed digit can name, affine. Public
// data, built in variable time. Internal to crypto; the layout is in docs/spec/same-message-signing.md, "Tables".
#pragma once

#include <blst.h>

#include <vector>

#include "crypto/same_message.h"
#include "crypto/same_message_pass.h"

namespace cc::crypto::same_message {

Windows windows_of(WindowLayout layout);

// Entry first_entry[j] + i is (2i + 1) * 2^offset[j] * message.
std::vector<blst_p2_affine> odd_multiples(const blst_p2& message, const Windows& windows);

}  // namespace cc::crypto::same_message
