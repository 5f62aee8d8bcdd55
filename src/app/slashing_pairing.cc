#include "app/slashing_pairing.h"

#include "base/log.h"

namespace cc::app {
namespace {

constexpr int kAttempts = 20;  // while other signers write it too

Result<std::optional<guard::Checkpoint>> remembered_by(seal::StateStore& state) {
  CC_ASSIGN(const auto document, state.read(guard::kCheckpointDocument));
  if (!document) {
    return std::nullopt;
  }
  CC_ASSIGN(const guard::Checkpoint checkpoint, guard::decode_checkpoint(document->content));
  return checkpoint;
}

}  // namespace

Result<void> CheckpointWriter::write(bool may_lower) {
  CC_ASSIGN(const guard::StoreIdentity identity, slashing_.identity());
  const guard::Checkpoint now = guard::checkpoint_of(identity);
  if (written_ == now) {
    return {};
  }
  for (int attempt = 1;; ++attempt) {
    CC_ASSIGN(const auto document, state_.read(guard::kCheckpointDocument));
    if (document && !may_lower) {
      CC_ASSIGN(const guard::Checkpoint there, guard::decode_checkpoint(document->content));
      if (there.id == now.id && there.run >= now.run && there.commits >= now.commits) {
        break;  // another signer knows more
      }
    }
    const auto written =
        state_.write(guard::kCheckpointDocument, document ? document->revision : 0, guard::encode(now));
    if (written) {
      break;
    }
    if (written.error().kind != ErrorKind::record_conflict || attempt == kAttempts) {
      return fail(written.error());
    }
  }
  written_ = now;
  return {};
}

Result<SlashingOpening> find_slashing_store(seal::StateStore& state, const SlashingBackend& backend, bool traces) {
  SlashingOpening out;
  CC_ASSIGN(out.remembered, remembered_by(state));
  auto store = backend.open(false);
  auto found = guard::StoreFound::present;
  if (store) {
    out.store = *std::move(store);
    CC_ASSIGN(out.identity, out.store->identity());
  } else if (store.error().kind == ErrorKind::not_found) {
    found = guard::StoreFound::missing;
  } else {
    return fail(std::move(store).error());
  }
  out.pairing = guard::pair(out.remembered, found, out.identity, traces,
                            backend.shared ? guard::Sharing::several_signers : guard::Sharing::one_signer);
  return out;
}

Result<SlashingOpening> open_slashing_store(seal::StateStore& state, const SlashingBackend& backend, bool traces) {
  CC_ASSIGN(SlashingOpening out, find_slashing_store(state, backend, traces));
  if (out.pairing == guard::Pairing::create) {
    CC_ASSIGN(out.store, backend.open(true));
    log::info("slashing store created", {{"path", backend.place}});
    out.pairing = guard::Pairing::name;
  }
  if (out.pairing == guard::Pairing::join) {
    log::info("joining the slashing store that other signers use", {{"path", backend.place}});
  }
  if (out.pairing == guard::Pairing::name || out.pairing == guard::Pairing::join) {
    CC_TRY(CheckpointWriter(state, *out.store).write());
    out.pairing = guard::Pairing::proceed;
  }
  if (guard::may_sign(out.pairing)) {
    CC_ASSIGN(out.identity, out.store->begin_run());
    CC_TRY(CheckpointWriter(state, *out.store).write());
  }
  return out;
}

}  // namespace cc::app
