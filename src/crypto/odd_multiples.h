// Tables of odd multiples of H(m), affine: of one message for each window of a digit, or of several messages for the
// same small window. Public data, built in variable time. Internal to crypto; the layouts are in
// docs/spec/same-message-signing.md, "Tables", and docs/spec/distinct-messages.md.
#pragma once

#include <blst.h>

#include <span>
#include <vector>

#include "crypto/same_message.h"
#include "crypto/same_message_pass.h"

namespace cc::crypto::same_message {

blst_p2 point_of(const HashedMessage& message);
Windows windows_of(WindowLayout layout);

// Entry first_entry[j] + i is (2i + 1) * 2^offset[j] * message.
std::vector<blst_p2_affine> odd_multiples(const blst_p2& message, const Windows& windows);
// Entry m * 2^(width - 1) + i is (2i + 1) * messages[m].
std::vector<blst_p2_affine> odd_multiples(std::span<const blst_p2> messages, std::size_t width);

}  // namespace cc::crypto::same_message
