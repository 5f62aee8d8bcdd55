// KeyService: keys that come of a mnemonic, a fresh one or one that somebody kept; and the encrypted copy of a fresh
// one.
#include <algorithm>

#include "base/parallel.h"
#include "formats/age_file.h"
#include "formats/mnemonic.h"
#include "keys/key_service_parts.h"

namespace cc::keys {
namespace {

constexpr std::uint64_t kIndices = std::uint64_t{1} << 31U;  // EIP-2334: beyond lies what is not allowed

// The words as BIP-39 wants them, each behind one space; the ending of a line is dropped.
SecretBytes tidy(const SecretBytes& text) {
  const auto from = expose_secret_bytes(text);
  SecretBytes out(from.size());
  const auto to = expose_secret_bytes(out);
  std::size_t size = 0;
  bool gap = false;
  for (const std::uint8_t byte : from) {
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
      gap = size > 0;
      continue;
    }
    if (gap) {
      to[size++] = ' ';
      gap = false;
    }
    to[size++] = byte;
  }
  return SecretBytes::copy_of(to.first(size));
}

// What an age tool prints: the words and the end of the line.
Result<Bytes> encrypted(const std::vector<age::Recipient>& recipients, const SecretBytes& words, Random& random) {
  SecretBytes line(words.size() + 1);
  const auto to = expose_secret_bytes(line);
  std::ranges::copy(expose_secret_bytes(words), to.begin());
  to.back() = '\n';
  return age::encrypt(recipients, expose_secret_bytes(line), random);
}

}  // namespace

Result<std::vector<KeyService::Candidate>> KeyService::derive_all(const OpenPtr& open, const SecretBytes& words,
                                                                  const MnemonicRange& range) const {
  if (range.count == 0 || range.count > kLargestGenerate) {
    return fail(ErrorKind::malformed_request, "count must be 1 to " + std::to_string(kLargestGenerate));
  }
  if (range.first + range.count > kIndices) {
    return fail(ErrorKind::malformed_request, "an index is below " + std::to_string(kIndices));
  }
  CC_ASSIGN(SecretBytes seed, mnemonic::to_seed(words, SecretBytes()));
  CC_ASSIGN(const crypto::BlsSecretKey branch, mnemonic::validator_branch(seed));
  seed.wipe();
  std::vector<Candidate> candidates(range.count);
  const bool whole = run_parallel(range.count, range.count, [&](std::size_t i) {
    candidates[i].secret = mnemonic::validator_key(branch, range.first + static_cast<std::uint32_t>(i));
    candidates[i].result.public_key = candidates[i].secret->public_key();
    return still(open);
  });
  return whole ? Result<std::vector<Candidate>>(std::move(candidates)) : sealed_error();
}

Result<std::vector<KeyResult>> KeyService::generate(std::size_t count) {
  CC_ASSIGN(Generated made, generate(count, {}));
  return std::move(made.keys);
}

Result<Generated> KeyService::generate(std::size_t count, const std::vector<age::Recipient>& recipients) {
  return without_exceptions([&]() -> Result<Generated> {
    const OpenPtr open = opened();
    if (!open) {
      return sealed_error();
    }
    SecretBytes words = mnemonic::generate(random_);
    Generated out;
    if (!recipients.empty()) {
      CC_ASSIGN(out.backup, encrypted(recipients, words, random_));
    }
    CC_ASSIGN(std::vector<Candidate> candidates, derive_all(open, words, {0, count}));
    words.wipe();
    CC_TRY(commit(open, candidates, KeyOutcome::generated, nullptr, out.backup));
    for (Candidate& candidate : candidates) {
      out.keys.push_back(std::move(candidate.result));
    }
    return out;
  });
}

Result<std::vector<KeyResult>> KeyService::restore(const SecretBytes& words, const MnemonicRange& range,
                                                   const BeforeImport& before) {
  return without_exceptions([&]() -> Result<std::vector<KeyResult>> {
    const OpenPtr open = opened();
    if (!open) {
      return sealed_error();
    }
    const SecretBytes tidied = tidy(words);
    CC_TRY(mnemonic::check(tidied));
    CC_ASSIGN(std::vector<Candidate> candidates, derive_all(open, tidied, range));
    CC_TRY(commit(open, candidates, KeyOutcome::restored, before));
    std::vector<KeyResult> out;
    out.reserve(candidates.size());
    for (Candidate& candidate : candidates) {
      out.push_back(std::move(candidate.result));
    }
    return out;
  });
}

Result<std::optional<Bytes>> KeyService::backup_of(const BlsPublicKey& key) {
  return without_exceptions([&]() -> Result<std::optional<Bytes>> {
    const OpenPtr open = opened();
    if (!open) {
      return sealed_error();
    }
    CC_ASSIGN(const std::optional<StoredKey> stored, store_.find(key));
    if (!stored) {
      return fail(ErrorKind::unknown_key, "the key store does not hold this key");
    }
    CC_ASSIGN(KeyRecord record, open->prove(*stored));
    return std::move(record.backup);
  });
}

}  // namespace cc::keys
