// EIP-3076 slashing protection interchange, format version 5: import and export.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guard/slashing_store.h"

namespace cc::guard {

struct InterchangeEntry {
  BlsPublicKey key{};
  std::vector<SignedBlock> blocks;
  std::vector<SignedAttestation> attestations;
};
struct Interchange {
  Root genesis_validators_root{};
  std::vector<InterchangeEntry> data;
};

struct ImportCounts {
  std::size_t validators = 0, blocks = 0, attestations = 0;  // new entries written
};

// Errors: interchange_invalid naming where the file is wrong (version, hex, numbers above 2^63-1, size above 256 MiB).
Result<Interchange> parse_interchange(std::string_view json);
std::string write_interchange(const Interchange& interchange);

// Merges the whole file or nothing, inside the caller's transaction. Entries already known are not doubled; a validator
// without a floor gets the lowest imported slot and epochs as its floor; floors never fall. Errors: network_mismatch.
Result<ImportCounts> import_interchange(SlashingTransaction& tx, const Interchange& interchange);

enum class ExportForm {
  complete,  // everything recorded
  minimal,   // one block and one attestation per validator: its highest marks
};
// Every validator, or only those named. Errors: not_found when the store has no genesis root yet.
Result<Interchange> export_interchange(SlashingTransaction& tx, ExportForm form, const std::vector<BlsPublicKey>& only);

}  // namespace cc::guard
