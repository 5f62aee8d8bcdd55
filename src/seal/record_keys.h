// What proves a seal record: check value, MACs, digests, and the sealed contents of its locks. Pure functions.
// Secrets: master keys, lock keys and the pepper pass through here. Every comparison is in constant time.
#pragma once

#include "seal/record.h"

namespace cc::seal {

// HMAC under HKDF(MK, "kcv") of the chamber id: tells a wrong master key.
crypto::Digest key_check_value(const Secret<32>& master_key, const ChamberId& chamber);
// HMAC under HKDF(MK, "record") of the encoded core: tells a tampered record.
crypto::Digest record_mac(const Secret<32>& master_key, const Core& core);
// HMAC under HKDF(pepper, "members") of the headers of the locks that the members part speaks of, and of that part: an
// altered operator name or threshold is found before any passphrase is tried.
crypto::Digest members_mac(const Secret<32>& pepper, const Core& core, const Members& members);

// SHA-256 of the core without what is staged: one digest per epoch.
crypto::Digest epoch_digest(const Core& core);

// What an approval is for: SHA-256 of the epoch digest and of what is staged. Zero when nothing is staged.
crypto::Digest rotation_digest(const Core& core);

// Errors: wrong_master_key, record_tampered.
Result<void> check_core(const MasterKeys& keys, const SealRecord& record);
// Errors: record_tampered.
Result<void> check_members(const Secret<32>& pepper, const SealRecord& record);

// The content of the KMS lock: what lies inside (the sealed content of the operators lock, or the master keys
// themselves in kms_only) and the pepper.
struct KmsContent {
  SecretBytes inner;
  Secret<32> pepper;
};
SecretBytes encode_kms_content(const KmsContent& content);
Result<KmsContent> decode_kms_content(const SecretBytes& bytes);
SecretBytes encode_master_keys(const MasterKeys& keys);
// Errors: record_malformed.
Result<MasterKeys> decode_master_keys(const SecretBytes& bytes);

}  // namespace cc::seal
