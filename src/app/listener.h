// What joins the chamber to the keys and to the sign path: loads the ring when it opens, wipes it when it closes, and
// decides when the pipeline's gate stands open.
//
// The gate is open when no seal record exists (keys from files and from memory then sign without a chamber) or when the
// chamber is open; after a seal it stays shut until the chamber opens again or says anew whether a record exists
// (resume). Threads: any; calls are serialised, and a call that shuts the gate waits for the signatures under way.
// Secrets that pass: the master keys, borrowed for the length of opened().
#pragma once

#include <mutex>

#include "app/key_file_loader.h"
#include "app/key_pair_check.h"
#include "keys/key_service.h"
#include "seal/ports.h"
#include "signing/pipeline.h"

namespace cc::app {

class OpeningListener final : public seal::ChamberListener {
 public:
  // All outlive the listener.
  OpeningListener(keys::KeyService& keys, KeyFileLoader& files, signing::Pipeline& pipeline, KeyPairCheck& pairs)
      : keys_(keys), files_(files), pipeline_(pipeline), pairs_(pairs) {}

  Result<std::uint64_t> opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                               const StillWanted& still_wanted) override;
  Result<seal::Resealed> reseal(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                std::size_t most) override;
  void closing() override;
  void record_exists(bool exists) override;

 private:
  keys::KeyService& keys_;
  KeyFileLoader& files_;
  signing::Pipeline& pipeline_;
  KeyPairCheck& pairs_;
  std::mutex mutex_;
  bool open_ = false;
};

}  // namespace cc::app
