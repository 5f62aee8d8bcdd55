// chamber.allowed_keks: which KEKs a new lock may use. Locks that exist still open with theirs.
#pragma once

#include <string>
#include <vector>

#include "seal/ports.h"

namespace cc::app {

// `*` stands for any run of characters, also none.
bool matches_pattern(std::string_view pattern, std::string_view text);

// Passes everything on; prepare() and wrap(), which new locks alone need, first check the canonical name. Errors:
// kek_not_allowed.
class AllowedKeks final : public seal::KekService {
 public:
  // No pattern: any KEK. `inner` outlives this.
  // `local_state`: the seal record lies on this machine; else local:// KEKs are refused, which other replicas do not
  // have.
  AllowedKeks(seal::KekService& inner, std::vector<std::string> patterns, bool local_state = true)
      : inner_(inner), patterns_(std::move(patterns)), local_state_(local_state) {}
  Result<std::string> canonical_name(const std::string& name) const override { return inner_.canonical_name(name); }
  Result<void> prepare(const std::string& name) override;
  Result<Bytes> wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) override {
    CC_TRY(check(name));
    return inner_.wrap(name, context, share);
  }
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) override {
    return inner_.unwrap(name, context, wrapped);
  }
  void unwrap_until(const std::vector<seal::WrappedShare>& shares, const TakeShare& take) override {
    inner_.unwrap_until(shares, take);
  }

 private:
  Result<void> check(const std::string& name) const;

  seal::KekService& inner_;
  std::vector<std::string> patterns_;
  bool local_state_;
};

}  // namespace cc::app
