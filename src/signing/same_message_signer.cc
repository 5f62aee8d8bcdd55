#include "signing/same_message_signer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace cc::signing {
namespace {

// By the signatures asked for so far: a finer layout costs less to build, a coarser one less per key.
crypto::WindowLayout layout_for(std::size_t demand) {
  if (demand < 16) {
    return crypto::WindowLayout::w4;
  }
  return demand < 96 ? crypto::WindowLayout::w6 : crypto::WindowLayout::w8;
}

crypto::SigningKernel choose_kernel(bool vector_allowed) {
  using crypto::SigningKernel;
  if (!vector_allowed || !crypto::available(SigningKernel::ifma)) {
    return SigningKernel::portable;
  }
  SystemRandom random;
  if (crypto::kernel_works(SigningKernel::ifma, random)) {
    return SigningKernel::ifma;
  }
  log::error(
      "the vector kernel computes wrongly on this machine: signing with the portable one. Check the hardware, or "
      "set signing.vector_kernel to off");
  return SigningKernel::portable;
}

}  // namespace

// A scratch for one call. None when locked memory has run out.
class SameMessageSigner::ScratchLease {
 public:
  explicit ScratchLease(SameMessageSigner& signer) : signer_(signer) {
    {
      const std::lock_guard lock(signer_.mutex_);
      if (!signer_.scratches_.empty()) {
        scratch_ = std::move(signer_.scratches_.back());
        signer_.scratches_.pop_back();
      }
    }
    if (!scratch_) {
      try {
        scratch_ = std::make_unique<crypto::SameMessageScratch>(signer_.kernel_);
      } catch (const std::bad_alloc&) {
        log::warn("no locked memory for the same-message signer: signing one by one");
      }
    }
  }
  ~ScratchLease() {
    if (scratch_) {
      const std::lock_guard lock(signer_.mutex_);
      signer_.scratches_.push_back(std::move(scratch_));
    }
  }
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;

  crypto::SameMessageScratch* get() { return scratch_.get(); }

 private:
  SameMessageSigner& signer_;
  std::unique_ptr<crypto::SameMessageScratch> scratch_;
};

SameMessageSigner::SameMessageSigner(SameMessageOptions options)
    : options_(options), kernel_(choose_kernel(options.vector_kernel)), cache_(options.messages) {
  log::info("groups of one message are signed together", {{"kernel", crypto::name(kernel_)}});
}
SameMessageSigner::~SameMessageSigner() = default;

SameMessageSigner::Counters SameMessageSigner::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

std::shared_ptr<const crypto::SameMessageTable> SameMessageSigner::table_for(CachedMessage& message,
                                                                             std::size_t keys) const {
  const std::size_t demand = message.demand(keys);
  if (keys < 2) {
    return nullptr;
  }
  const std::shared_ptr<const crypto::SameMessageTable> present = message.table();
  if (keys < options_.least_group || (present && present->layout() >= layout_for(demand))) {
    return present;
  }
  return message.table(layout_for(demand), kernel_);
}

bool SameMessageSigner::sign_by_table(const crypto::SameMessageTable& table, const Group& group,
                                      std::span<BlsSignature> made) {
  ScratchLease scratch(*this);
  if (scratch.get() == nullptr) {
    return false;
  }
  SystemRandom random;
  if (table.sign(group, made, *scratch.get(), random, options_.declassified)) {
    return true;
  }
  log::error(
      "the sum check of a signature batch failed: this machine computes wrongly. The batch is signed again one "
      "by one; check the hardware",
      {{"signatures", static_cast<std::uint64_t>(group.size())}});
  if (options_.metrics != nullptr) {
    options_.metrics->same_message_fallback();
  }
  const std::lock_guard lock(mutex_);
  ++counters_.fallbacks;
  return false;
}

std::size_t SameMessageSigner::sign_together(CachedMessage& message, std::span<const keys::RingKey* const> keys,
                                             std::span<BlsSignature> signatures, std::vector<bool>& done) {
  const auto table = table_for(message, keys.size());
  if (!table) {
    return 0;
  }
  Group group;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i]->recoded.exceptional()) {
      group.push_back({&keys[i]->secret, &keys[i]->recoded});
      places.push_back(i);
    }
  }
  std::vector<BlsSignature> made(group.size());
  if (!sign_by_table(*table, group, made)) {
    return 0;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    signatures[places[i]] = made[i];
    done[places[i]] = true;
  }
  return places.size();
}

void SameMessageSigner::sign(const Root& root, std::span<const keys::RingKey* const> keys,
                             std::span<BlsSignature> signatures) {
  const std::shared_ptr<CachedMessage> message = cache_.find(root);
  std::vector<bool> done(keys.size(), false);
  const std::size_t together = sign_together(*message, keys, signatures, done);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!done[i]) {
      signatures[i] = message->hashed().sign(keys[i]->secret);
    }
  }
  const std::size_t single = keys.size() - together;
  if (options_.metrics != nullptr) {
    options_.metrics->signatures_made(together, single);
  }
  const std::lock_guard lock(mutex_);
  counters_.from_tables += together;
  counters_.one_by_one += single;
}

}  // namespace cc::signing
