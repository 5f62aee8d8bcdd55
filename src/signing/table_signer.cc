#include "signing/table_signer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace cc::signing {
namespace {

constexpr const char* kNoLockedMemory = "no locked memory for signing several together: signing one by one";

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

TableSigner::TableSigner(TableSignerOptions options)
    : options_(options),
      kernel_(choose_kernel(options.vector_kernel)),
      cache_(options.messages),
      singles_(options.single_messages) {
  log::info("groups of one message are signed together", {{"kernel", crypto::name(kernel_)}});
}
TableSigner::~TableSigner() = default;

TableSigner::Counters TableSigner::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

std::shared_ptr<const crypto::SameMessageTable> TableSigner::table_for(CachedMessage& message, std::size_t keys) const {
  const std::size_t demand = message.demand(keys);
  if (keys < 2) {
    return nullptr;
  }
  std::shared_ptr<const crypto::SameMessageTable> present = message.table();
  if (keys < options_.least_group || (present && present->layout() >= layout_for(demand))) {
    return present;
  }
  return message.table(layout_for(demand), kernel_);
}

bool TableSigner::sign_by_table(const crypto::SameMessageTable& table, const Group& group,
                                std::span<BlsSignature> made) {
  const auto make = [this] { return std::make_unique<crypto::SameMessageScratch>(kernel_); };
  ScratchPool<crypto::SameMessageScratch>::Lease scratch(scratches_, make);
  if (scratch.get() == nullptr) {
    log::warn(kNoLockedMemory);
    return false;
  }
  SystemRandom random;
  if (table.sign(group, made, *scratch.get(), random, options_.declassified)) {
    return true;
  }
  report_wrong(group.size());
  return false;
}

void TableSigner::report_wrong(std::size_t signatures) {
  log::error(
      "the check of a signature batch failed: this machine computes wrongly. The batch is signed again one by one; "
      "check the hardware",
      {{"signatures", static_cast<std::uint64_t>(signatures)}});
  if (options_.metrics != nullptr) {
    options_.metrics->same_message_fallback();
  }
  const std::lock_guard lock(mutex_);
  ++counters_.fallbacks;
}

std::size_t TableSigner::sign_together(CachedMessage& message, std::span<const keys::RingKey* const> keys,
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

void TableSigner::sign(const Root& root, std::span<const keys::RingKey* const> keys,
                       std::span<BlsSignature> signatures) {
  const std::shared_ptr<CachedMessage> message = cache_.find(root);
  std::vector<bool> done(keys.size(), false);
  const std::size_t together = sign_together(*message, keys, signatures, done);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!done[i]) {
      signatures[i] = message->hashed().sign(keys[i]->secret);
    }
  }
  count({.from_tables = together, .one_by_one = keys.size() - together});
}

std::shared_ptr<CachedMessage> TableSigner::single(const Root& root) {
  std::shared_ptr<CachedMessage> shared = cache_.find_present(root);
  return shared ? shared : singles_.find(root);
}

bool TableSigner::sign_distinct(std::span<const SingleRequest> requests, const Messages& messages) {
  ScratchPool<crypto::DistinctScratch>::Lease scratch(distinct_scratches_, std::make_unique<crypto::DistinctScratch>);
  if (scratch.get() == nullptr) {
    log::warn(kNoLockedMemory);
    return false;
  }
  std::vector<crypto::MessageAndKey> entries;
  entries.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    entries.push_back({&messages[i]->hashed(), &requests[i].key->secret, &requests[i].key->recoded});
  }
  std::vector<BlsSignature> made(requests.size());
  SystemRandom random;
  if (!crypto::sign_distinct(entries, made, *scratch.get(), random, options_.declassified)) {
    report_wrong(requests.size());
    return false;
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    *requests[i].signature = made[i];
  }
  return true;
}

void TableSigner::sign_each(std::span<const SingleRequest> requests) {
  Messages messages;
  messages.reserve(requests.size());
  for (const SingleRequest& request : requests) {
    messages.push_back(single(*request.root));
  }
  if (requests.size() >= options_.least_distinct && sign_distinct(requests, messages)) {
    count({.distinct = requests.size()});
    return;
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    *requests[i].signature = messages[i]->hashed().sign(requests[i].key->secret);
  }
  count({.one_by_one = requests.size()});
}

void TableSigner::count(const Counters& more) {
  if (options_.metrics != nullptr) {
    options_.metrics->signatures_made(more.from_tables + more.distinct, more.one_by_one);
  }
  const std::lock_guard lock(mutex_);
  counters_.from_tables += more.from_tables;
  counters_.distinct += more.distinct;
  counters_.one_by_one += more.one_by_one;
}

}  // namespace cc::signing
