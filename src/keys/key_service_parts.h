// What the source files of KeyService share; nobody else includes it.
#pragma once

#include <map>
#include <new>

#include "keys/key_service.h"

namespace cc::keys {

// The keys derived from every master key of the open chamber. Dies, wiped, with the last operation that began before
// close().
struct KeyService::Open {
  std::uint64_t session = 0;  // one number from load() to close()
  MasterKeyId current{};
  std::map<MasterKeyId, RecordKeys> keys;

  const RecordKeys& sealing() const { return keys.at(current); }
  // Decodes the record, compares it with the columns of the store and proves its fields. Errors: record_malformed,
  // key_record_tampered, wrong_master_key (one that is not held).
  Result<KeyRecord> prove(const StoredKey& stored) const;
};

struct KeyService::Candidate {
  KeyResult result;
  std::optional<crypto::BlsSecretKey> secret;  // absent once the item is refused
  std::string label;
  bool persist = true;
  bool in_force = false;              // to be permitted and added to the ring
  std::optional<KeyRecord> arriving;  // its stored record, inactive until the permit is durable

  void refuse(std::string why) {
    result.outcome = KeyOutcome::error;
    result.message = std::move(why);
    secret.reset();
    arriving.reset();
    in_force = false;
  }
};

struct KeyService::Entry {
  KeyResult* result = nullptr;
  StoredKey stored;
  KeyRecord record;
  std::optional<crypto::BlsSecretKey> secret;  // when it is to be activated
};

// Decodes a record and compares it with the columns beside it; proves nothing.
Result<KeyRecord> decode_stored(const StoredKey& stored);

inline tl::unexpected<Error> sealed_error() {
  return fail(ErrorKind::signer_sealed, "the chamber is sealed: unseal it, then repeat the request");
}

// No exception leaves the room: memory, locked or not, is the one thing that can run out in it.
template <class Work>
auto without_exceptions(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::locked_memory,
                "memory ran out: raise LimitMEMLOCK / ulimit -l, or handle fewer keys in one request");
  }
}

}  // namespace cc::keys
