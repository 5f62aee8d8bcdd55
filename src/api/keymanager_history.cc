#include "api/keymanager_history.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/hash.h"

namespace cc::api {
namespace {

Result<guard::SlashingStore*> store_of(const Context& context) {
  if (context.slashing == nullptr) {
    return fail(ErrorKind::internal, "there is no slashing store");
  }
  return context.slashing;
}

std::size_t records_of(const guard::Interchange& file) {
  std::size_t out = 0;
  for (const guard::InterchangeEntry& entry : file.data) {
    out += entry.blocks.size() + entry.attestations.size();
  }
  return out;
}

// Key by key, so that memory holds one validator's whole history at most. Nothing when there are too many records.
Result<std::optional<guard::Interchange>> export_some(guard::SlashingTransaction& tx,
                                                      const std::vector<BlsPublicKey>& keys, guard::ExportForm form,
                                                      std::size_t most) {
  guard::Interchange out;
  std::size_t records = 0;
  for (const BlsPublicKey& key : keys) {
    CC_ASSIGN(guard::Interchange one, guard::export_interchange(tx, form, {key}));
    records += records_of(one);
    if (records > most && form == guard::ExportForm::complete) {
      return std::nullopt;
    }
    out.genesis_validators_root = one.genesis_validators_root;
    std::move(one.data.begin(), one.data.end(), std::back_inserter(out.data));
  }
  return out;
}

Result<guard::Interchange> export_all(guard::SlashingTransaction& tx, const std::vector<BlsPublicKey>& keys,
                                      std::size_t most) {
  CC_ASSIGN(const std::optional<Root> network, tx.genesis_validators_root());
  guard::Interchange none;
  none.genesis_validators_root = network.value_or(Root{});
  if (!network || keys.empty()) {
    return none;
  }
  CC_ASSIGN(std::optional<guard::Interchange> whole, export_some(tx, keys, guard::ExportForm::complete, most));
  if (!whole) {
    log::info("the history of the deleted keys is long: answered in its minimal form", {{"keys", keys.size()}});
    CC_ASSIGN(whole, export_some(tx, keys, guard::ExportForm::minimal, most));
  }
  return *std::move(whole);
}

}  // namespace

Result<ArrivingHistory> ArrivingHistory::read(Context& context, std::string_view text) {
  CC_ASSIGN(guard::SlashingStore* const store, store_of(context));
  ArrivingHistory out(context);
  auto file = guard::parse_interchange(text);
  if (!file) {
    return fail(file.error().kind, "slashing_protection: " + file.error().message + "; no key was imported");
  }
  out.file_ = *std::move(file);
  out.digest_ = crypto::sha256(bytes_of(text));
  CC_TRY(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const std::optional<Root> known, tx.genesis_validators_root());
    if (known && *known != out.file_.genesis_validators_root) {
      return fail(ErrorKind::network_mismatch, "slashing_protection is of the network with genesis validators root " +
                                                   to_0x(out.file_.genesis_validators_root) +
                                                   ", this signer serves the one with " + to_0x(*known) +
                                                   "; no key was imported");
    }
    return {};
  }));
  return out;
}

Result<void> ArrivingHistory::apply(const std::vector<BlsPublicKey>& keys) const {
  CC_ASSIGN(guard::SlashingStore* const store, store_of(*context_));
  const std::set<BlsPublicKey> wanted(keys.begin(), keys.end());
  guard::Interchange own;
  own.genesis_validators_root = file_.genesis_validators_root;
  std::copy_if(file_.data.begin(), file_.data.end(), std::back_inserter(own.data),
               [&](const guard::InterchangeEntry& entry) { return wanted.contains(entry.key); });
  if (own.data.size() < file_.data.size()) {
    log::warn("slashing_protection also speaks of keys that were not imported with it; that part was left out",
              {{"entries", file_.data.size() - own.data.size()}});
  }
  if (own.data.empty()) {
    return {};
  }
  return store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const guard::ImportCounts counts, guard::import_interchange(tx, own, context_->strategy));
    const std::uint64_t now = context_->clock == nullptr ? 0 : context_->clock->unix_seconds();
    return tx.add_origin({guard::OriginKind::keymanager, "POST /eth/v1/keystores", digest_, now, counts.validators,
                          counts.blocks, counts.attestations});
  });
}

Result<LeavingHistory> LeavingHistory::take(Context& context, const std::vector<BlsPublicKey>& keys) {
  CC_ASSIGN(guard::SlashingStore* const store, store_of(context));
  LeavingHistory out;
  CC_TRY(store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    for (const BlsPublicKey& key : keys) {
      CC_ASSIGN(const std::optional<guard::ValidatorRow> row, tx.validator(key, false));
      if (!row) {
        continue;
      }
      out.known.insert(key);
      if (row->permit != guard::Permit::retired) {
        CC_TRY(guard::withdraw(tx, key));
      }
    }
    CC_ASSIGN(const guard::Interchange file,
              export_all(tx, {out.known.begin(), out.known.end()}, context.options.most_records_in_answer));
    out.interchange = guard::write_interchange(file);
    return {};
  }));
  return out;
}

}  // namespace cc::api
