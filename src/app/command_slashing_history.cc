// slashing prune | allow-empty-history, on the store of a stopped signer.
#include <algorithm>
#include <boost/json/object.hpp>

#include "app/command_slashing.h"
#include "app/pruning.h"
#include "app/server_access.h"
#include "base/clock.h"
#include "base/log.h"
#include "guard/history.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct PruneOptions {
  StoreOptions store;
  std::string keep_epochs;
};
Result<void> run_prune(const PruneOptions& options) {
  constexpr std::uint64_t kMost = 10'000'000;
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store, audit::Event::slashing_prune));
  CC_TRY(stores.need_own_store());
  CC_ASSIGN(const ethereum::Network network, make_network(stores.config));
  guard::Keep keep = keep_of(stores.config, network);
  if (!options.keep_epochs.empty()) {
    CC_ASSIGN(keep.epochs, parse_count(options.keep_epochs, "--keep-epochs", kMost));
  }
  if (keep.epochs == 0) {
    return fail(ErrorKind::usage, "--keep-epochs must be at least 1");
  }
  const auto pruned = prune_store(*stores.slashing.store, keep, [] { return false; });
  if (pruned) {
    stores.told.count = pruned->records;
  } else {
    stores.tell_failure(pruned.error());
  }
  // Also after an error: the validators before it are pruned for good.
  CC_TRY(stores.remember());
  if (!pruned) {
    return fail(pruned.error());
  }
  print_reply(json::object{{"status", "pruned"},
                           {"validators", pruned->validators},
                           {"records", pruned->records},
                           {"keep_epochs", keep.epochs}},
              options.store.output);
  return {};
}

struct EmptyHistoryOptions {
  StoreOptions store;
  std::vector<std::string> public_keys;
};
Result<void> run_allow_empty_history(const EmptyHistoryOptions& options) {
  CC_ASSIGN(const auto keys, public_keys_of(options.public_keys));
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store, audit::Event::slashing_empty_history,
                                                      OfflineStores::Stores::may_be_new));
  CC_TRY(stores.settle_first_use());
  CC_TRY(stores.slashing.store->transact([&](guard::SlashingTransaction& tx) {
    return guard::allow_empty_history(tx, keys, "slashing allow-empty-history", SystemClock().unix_seconds());
  }));
  stores.told.count = keys.size();
  stores.told.keys.assign(keys.begin(),
                          keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), audit::kMaxKeys)));
  CC_TRY(stores.remember());
  log::warn("empty slashing history allowed", {{"keys", keys.size()}});
  print_reply(json::object{{"status", "allowed"}, {"validators", keys.size()}}, options.store.output);
  advise("These keys may sign without history now. If one of them signed elsewhere before, import its history first.");
  return {};
}

}  // namespace

void add_pubkey_option(CLI::App& command, std::vector<std::string>& public_keys, const std::string& help) {
  command.add_option("--pubkey,--pubkeys", public_keys, help)->expected(1)->delimiter(',')->take_all();
}

void add_slashing_history_commands(CLI::App& group, Chosen& chosen) {
  const auto prune = std::make_shared<PruneOptions>();
  CLI::App* command =
      add_command(group, chosen, "prune",
                  "Forget old history and raise the watermarks over it; epochs decide, never time", prune, &run_prune);
  add_store_options(*command, prune->store);
  command->add_option("--keep-epochs", prune->keep_epochs,
                      "What stays of each validator: its newest epochs, and at least as many blocks and votes; "
                      "anti_slashing.pruning.keep_epochs without");

  const auto empty = std::make_shared<EmptyHistoryOptions>();
  command = add_command(group, chosen, "allow-empty-history",
                        "Declare that keys never signed before, for anti_slashing.require_history", empty,
                        &run_allow_empty_history);
  add_store_options(*command, empty->store);
  add_pubkey_option(*command, empty->public_keys, "These validators");
  command->get_option("--pubkey")->required();
}

}  // namespace cc::app
