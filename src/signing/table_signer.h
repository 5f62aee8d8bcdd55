// The signer that makes signatures together: many keys over one root by crypto/same_message.h, several requests over
// different roots by crypto/distinct_messages.h, everything else one by one through blst. What fails its check is
// signed again by blst, logged as an error and counted; that counter stays 0 on a sound machine.
//
// Threads: sign() from several workers at once; each call takes a scratch of its own.
// Secrets: a scratch holds key-derived values in locked memory during one call and is wiped before the call ends.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "crypto/distinct_messages.h"
#include "metrics/metrics.h"
#include "signing/group_signer.h"
#include "signing/message_cache.h"
#include "signing/scratch_pool.h"

namespace cc::signing {

struct TableSignerOptions {
  std::size_t messages = 32;  // kept with their tables, at most 192 KiB each
  // Groups of at least this size pay for a table of their own; from two keys on a group uses one that is there.
  std::size_t least_group = 4;
  // Fewer requests over different roots than this are signed one by one.
  std::size_t least_distinct = 4;
  std::size_t single_messages = 64;  // kept of those that came alone; without tables
  bool vector_kernel = true;         // where the machine has one and its self-test holds
  metrics::Registry* metrics = nullptr;
  crypto::Declassified declassified = nullptr;  // test seam
};

class TableSigner final : public GroupSigner {
 public:
  explicit TableSigner(TableSignerOptions options = {});
  ~TableSigner() override;
  void sign(const Root& root, std::span<const keys::RingKey* const> keys, std::span<BlsSignature> signatures) override;
  void sign_each(std::span<const SingleRequest> requests) override;
  void prepare(const Root& root) override { single(root)->hashed(); }

  struct Counters {
    std::uint64_t from_tables = 0, distinct = 0, one_by_one = 0, fallbacks = 0;
  };
  Counters counters() const;
  crypto::SigningKernel kernel() const { return kernel_; }

 private:
  using Group = std::vector<crypto::SameMessageKey>;
  using Messages = std::vector<std::shared_ptr<CachedMessage>>;

  std::shared_ptr<const crypto::SameMessageTable> table_for(CachedMessage& message, std::size_t keys) const;
  bool sign_by_table(const crypto::SameMessageTable& table, const Group& group, std::span<BlsSignature> made);
  // Signs what a table can, marks it done, returns how many.
  std::size_t sign_together(CachedMessage& message, std::span<const keys::RingKey* const> keys,
                            std::span<BlsSignature> signatures, std::vector<bool>& done);
  // A message that comes alone: the one with the table if it has one.
  std::shared_ptr<CachedMessage> single(const Root& root);
  bool sign_distinct(std::span<const SingleRequest> requests, const Messages& messages);
  void report_wrong(std::size_t signatures);
  void count(const Counters& more);

  const TableSignerOptions options_;
  const crypto::SigningKernel kernel_;
  MessageCache cache_;
  MessageCache singles_;  // apart, so that they push no table out
  ScratchPool<crypto::SameMessageScratch> scratches_;
  ScratchPool<crypto::DistinctScratch> distinct_scratches_;
  mutable std::mutex mutex_;
  Counters counters_;
};

}  // namespace cc::signing
