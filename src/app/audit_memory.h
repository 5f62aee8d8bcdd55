// What operators' tools remember of each signer's audit log: the last head they saw, in a small file of the user's. The
// next answer must be a log that grew out of it; one that was cut, rewritten or replaced is told loudly on stderr, and
// the old head stays remembered until a person takes it away.
//
// Nothing here fails a command. No secret passes: heads are hashes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/chain.h"

namespace cc::app {

class SignerClient;

struct RememberedHead {
  std::string log;  // 32 hexadecimal digits
  audit::Head head;
  friend bool operator==(const RememberedHead&, const RememberedHead&) = default;
};
// "LOG:NUMBER:HEX", as the X-Audit-Head header has it.
std::optional<RememberedHead> parse_remembered(std::string_view text);

// $XDG_STATE_HOME/containment-chamber/audit-heads, else below $HOME/.local/state; empty when neither is set.
std::string audit_memory_path();

// What this user's tools remember of the log with that id, of whatever signers; each head once.
std::vector<audit::Head> remembered_of(const audit::LogId& log);

// Compares the header's head with the one remembered for this signer, asks the signer for the hashes in between, and
// remembers the new one.
void hold_against_memory(const SignerClient& client, std::string_view header);

}  // namespace cc::app
