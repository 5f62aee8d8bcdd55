#include "guard/pairing.h"

#include <algorithm>

namespace cc::guard {
namespace {

constexpr std::array<std::uint8_t, 5> kMagic{'C', 'C', 'S', 'P', 1};
constexpr std::size_t kSize = kMagic.size() + 16 + 8 + 8;

std::uint64_t u64_at(ByteView bytes, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    out = out << 8 | bytes[at + i];
  }
  return out;
}

}  // namespace

Checkpoint checkpoint_of(const StoreIdentity& identity) { return {identity.id, identity.run, identity.commits}; }

Bytes encode(const Checkpoint& checkpoint) {
  Bytes out(kMagic.begin(), kMagic.end());
  append(out, checkpoint.id);
  append_u64_be(out, checkpoint.run);
  append_u64_be(out, checkpoint.commits);
  return out;
}

Result<Checkpoint> decode_checkpoint(ByteView bytes) {
  if (bytes.size() != kSize || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return fail(ErrorKind::record_malformed,
                "the remembered slashing checkpoint is damaged: restore the signer state from a backup");
  }
  return Checkpoint{to_array<16>(bytes.subspan(5, 16)), u64_at(bytes, 21), u64_at(bytes, 29)};
}

Pairing pair(const std::optional<Checkpoint>& remembered, StoreFound found,
             const std::optional<StoreIdentity>& identity, bool traces, Sharing sharing) {
  // A store nobody signed with or named yet is as good as an empty file.
  const bool untouched = identity && identity->commits == 0 && identity->run == 0 && !identity->chamber;
  const bool known = identity && remembered && identity->id == remembered->id;
  if (found == StoreFound::missing) {
    return remembered || traces ? Pairing::missing : Pairing::create;
  }
  if (found == StoreFound::empty || !identity || (untouched && !known)) {
    if (remembered || traces) {
      return Pairing::empty;
    }
    return untouched ? Pairing::name : Pairing::create;
  }
  if (!known) {
    if (sharing == Sharing::several_signers && !remembered && !traces) {
      return Pairing::join;
    }
    return Pairing::foreign;
  }
  return identity->commits < remembered->commits || identity->run < remembered->run ? Pairing::behind
                                                                                    : Pairing::proceed;
}

Error explain(Pairing mismatch, std::string_view path) {
  std::string what(path);
  switch (mismatch) {
    case Pairing::missing:
      what += " is missing, but this signer has signed with it";
      break;
    case Pairing::empty:
      what += " is empty, but this signer has signed with it";
      break;
    case Pairing::foreign:
      what += " belongs to another signer";
      break;
    case Pairing::behind:
      what += " is older than the one this signer signed with";
      break;
    default:
      what += " does not fit this signer";
      break;
  }
  return {ErrorKind::slashing_store_mismatch, what +
                                                  ". Nothing is signed. Put the right store back and restart, or run "
                                                  "`containment-chamber slashing adopt` with watermarks "
                                                  "above everything that may have been signed"};
}

Result<void> adopt(SlashingTransaction& tx, const Watermarks& floor) { return tx.raise_floor(floor); }

}  // namespace cc::guard
