#include "guard/interchange.h"

namespace cc::guard {
namespace {

// Only digits and hexadecimal are written, so nothing needs escaping.
void member(std::string& out, const char* name, const std::string& value) {
  out += '"';
  out += name;
  out += "\": \"";
  out += value;
  out += '"';
}

void root_member(std::string& out, const std::optional<Root>& root) {
  if (root) {
    out += ", ";
    member(out, "signing_root", to_0x(*root));
  }
}

void write_blocks(std::string& out, const std::vector<SignedBlock>& blocks) {
  const char* between = "";
  for (const SignedBlock& block : blocks) {
    out += between;
    out += '{';
    member(out, "slot", std::to_string(block.slot.value));
    root_member(out, block.signing_root);
    out += '}';
    between = ", ";
  }
}

void write_votes(std::string& out, const std::vector<SignedAttestation>& votes) {
  const char* between = "";
  for (const SignedAttestation& vote : votes) {
    out += between;
    out += '{';
    member(out, "source_epoch", std::to_string(vote.source.value));
    out += ", ";
    member(out, "target_epoch", std::to_string(vote.target.value));
    root_member(out, vote.signing_root);
    out += '}';
    between = ", ";
  }
}

}  // namespace

std::string write_interchange(const Interchange& interchange) {
  std::string out = "{\"metadata\": {";
  member(out, "interchange_format_version", "5");
  out += ", ";
  member(out, "genesis_validators_root", to_0x(interchange.genesis_validators_root));
  out += "},\n \"data\": [";
  const char* between = "\n  ";
  for (const InterchangeEntry& entry : interchange.data) {
    out += between;
    out += '{';
    member(out, "pubkey", to_0x(entry.key));
    out += ", \"signed_blocks\": [";
    write_blocks(out, entry.blocks);
    out += "], \"signed_attestations\": [";
    write_votes(out, entry.attestations);
    out += "]}";
    between = ",\n  ";
  }
  out += "]}\n";
  return out;
}

}  // namespace cc::guard
