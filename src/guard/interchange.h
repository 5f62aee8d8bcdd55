// EIP-3076 slashing protection interchange, format version 5: reading, writing, import and export.
//
// An import happens whole or not at all: it runs in the caller's one transaction, and any error leaves the store as it
// was. What was imported or exported never permits a message that the other side would have refused as slashable, with
// the one exception docs/spec/slashing-store.md names. Pure code; thread rule: that of the transaction. No secret
// passes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guard/rules.h"
#include "guard/slashing_store.h"

namespace cc::guard {

struct InterchangeEntry {
  BlsPublicKey key{};
  std::vector<SignedBlock> blocks;
  std::vector<SignedAttestation> attestations;
};
struct Interchange {
  Root genesis_validators_root{};
  std::vector<InterchangeEntry> data;  // one public key may stand in several entries
};

inline constexpr std::size_t kLargestInterchange = 256UL * 1024 * 1024;

// Reads without building a document tree: memory grows with the records alone. Members the format does not know are
// passed over; a repeated or missing member, a number that is no string or above 2^64-1, and trailing text are refused.
// Errors: interchange_invalid naming the place, as in `data[3].signed_blocks[0].slot`.
Result<Interchange> parse_interchange(std::string_view json);
// One line per validator; null roots left out; lower-case 0x hexadecimal.
std::string write_interchange(const Interchange& interchange);

struct ImportCounts {
  std::size_t validators = 0, blocks = 0, attestations = 0;  // distinct keys, and records read
};
// What to make of slots and epochs below the lowest record of a file, where this store has older history of its own.
// The exporter may have signed there and left it out, as the minimal form does.
enum class Gap {
  closed,  // nothing below the file's lowest record is signed any more
  open,    // the file is known to hold everything that was signed (EIP-3076's complete database)
};
// Complete: every record joins the history, null roots kept, and a validator without a low watermark takes the lowest
// imported slot, source and target; one with a watermark keeps it only with Gap::open. Minimal: the watermarks rise to
// the highest imported. Watermarks never fall. A retired key stays retired. Errors: network_mismatch, and those of the
// store.
Result<ImportCounts> import_interchange(SlashingTransaction& tx, const Interchange& interchange, Strategy strategy,
                                        Gap gap = Gap::closed);

enum class ExportForm {
  complete,  // the history above the low watermarks, and the watermarks as records without root
  minimal,   // one block and one attestation per validator: its highest marks
};
// Every validator, or only those named that the store knows. Errors: not_found when the store has no genesis root yet.
Result<Interchange> export_interchange(SlashingTransaction& tx, ExportForm form, const std::vector<BlsPublicKey>& only);

}  // namespace cc::guard
