// local://NAME: a KEK in a file, for development and for machines without a cloud (DESIGN section 11).
//
// <dir>/NAME, 64 bytes, mode 0600:  "cc-local-kek-v1\n" ‖ 32 random bytes ‖ first 16 bytes of SHA-256 of the 48 before.
// Wrapped share: 1 (version) ‖ 8-byte key id ‖ 12-byte nonce ‖ AES-256-GCM ciphertext ‖ tag, the context as AAD.
//
// A file appears under its name only whole and flushed, is made by prepare() alone and never changed or deleted here.
// Whoever reads the file can unwrap: keep it apart from the data it protects.
//
// Thread-safe. Secrets: the KEK (read from its file for each call and wiped), shares.
#pragma once

#include <filesystem>
#include <mutex>

#include "base/random.h"
#include "seal/kek_name.h"
#include "seal/ports.h"

namespace cc::localkek {

class LocalKekService final : public seal::KekService {
 public:
  LocalKekService(std::filesystem::path directory, Random& random)
      : directory_(std::move(directory)), random_(random) {}

  // Well-formed names of other schemes are accepted here and answered `unsupported` by every other call.
  Result<std::string> canonical_name(const std::string& name) const override;
  // Makes directory (0700) and key file when missing, and proves that the file can be used.
  Result<void> prepare(const std::string& name) override;
  Result<Bytes> wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) override;
  // Errors: kms_missing (no file), kms_denied (permissions), kms_mismatch (damaged file, another key, another context),
  // kms_unreachable (the disk fails).
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) override;

 private:
  Result<std::filesystem::path> file_of(const std::string& name) const;
  Result<void> create(const std::filesystem::path& file);

  std::filesystem::path directory_;
  Random& random_;
  std::mutex creating_;
};

}  // namespace cc::localkek
