// slashing status | export | import | watermark | adopt: work on the stores in --config themselves. A running server
// keeps them locked, so each of these refuses while one runs.
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/command_slashing.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "guard/history.h"
#include "guard/interchange.h"
#include "guard/rules.h"

namespace cc::app {
namespace {

namespace json = boost::json;

std::string_view pairing_word(guard::Pairing pairing) {
  switch (pairing) {
    case guard::Pairing::create:
    case guard::Pairing::name:
      return "new";
    case guard::Pairing::join:
      return "shared";
    case guard::Pairing::proceed:
      return "ours";
    case guard::Pairing::missing:
      return "missing";
    case guard::Pairing::empty:
      return "empty";
    case guard::Pairing::foreign:
      return "foreign";
    case guard::Pairing::behind:
      return "behind";
  }
  return "unknown";
}

constexpr std::size_t kOriginsShown = 100;

json::object origin_json(const guard::Origin& note) {
  return {{"kind", guard::name(note.kind)},
          {"source", note.source},
          {"sha256", note.digest ? json::value(to_hex(*note.digest)) : json::value(nullptr)},
          {"unix_seconds", note.at},
          {"validators", note.validators},
          {"blocks", note.blocks},
          {"attestations", note.attestations}};
}

struct StatusOptions {
  StoreOptions store;
};
Result<void> run_status(const StatusOptions& options) {
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store));
  SlashingOpening& found = stores.slashing;
  if (found.pairing == guard::Pairing::create) {
    return fail(stores.need_own_store().error());
  }
  json::object reply{{"store", pairing_word(found.pairing)}, {"path", stores.backend.place}};
  if (found.store) {
    std::size_t validators = 0;
    std::optional<Root> root;
    json::array origins;
    CC_TRY(stores.look([&](guard::SlashingTransaction& tx) -> Result<void> {
      CC_ASSIGN(const auto keys, tx.validators());
      CC_ASSIGN(root, tx.genesis_validators_root());
      validators = keys.size();
      CC_ASSIGN(const auto notes, tx.origins(kOriginsShown));
      for (const guard::Origin& note : notes) {
        origins.push_back(origin_json(note));
      }
      return {};
    }));
    reply["origins"] = std::move(origins);
    reply["validators"] = validators;
    reply["genesis_validators_root"] = root ? json::value(to_0x(*root)) : json::value(nullptr);
    reply["transactions"] = found.identity->commits;
    reply["openings"] = found.identity->run;
  }
  print_reply(reply, options.store.output);
  return {};
}

// An older file in its place stays as it is until the new one is whole.
Result<void> write_whole(const std::string& path, const std::string& text) {
  const std::string draft = path + ".part";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  const bool opened = file.is_open();
  file << text << std::flush;
  file.close();
  std::error_code error;
  if (file) {
    std::filesystem::rename(draft, path, error);
  }
  if (!file || error) {
    if (opened) {
      std::error_code ignored;
      std::filesystem::remove(draft, ignored);
    }
    return fail(ErrorKind::usage, path + " cannot be written: check the folder and the free space");
  }
  return {};
}

struct ExportOptions {
  StoreOptions store;
  std::string out;
  bool minimal = false;
  std::vector<std::string> public_keys;
};
Result<void> run_export(const ExportOptions& options) {
  CC_ASSIGN(const auto only, public_keys_of(options.public_keys));
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store));
  CC_TRY(stores.need_own_store());
  std::string text;
  std::size_t validators = 0;
  CC_TRY(stores.look([&](guard::SlashingTransaction& tx) -> Result<void> {
    const auto form = options.minimal ? guard::ExportForm::minimal : guard::ExportForm::complete;
    CC_ASSIGN(const guard::Interchange interchange, guard::export_interchange(tx, form, only));
    validators = interchange.data.size();
    text = guard::write_interchange(interchange);
    return {};
  }));
  if (options.out.empty()) {
    std::cout << text << std::endl;
  } else {
    CC_TRY(write_whole(options.out, text));
  }
  if (validators < only.size()) {
    advise(std::to_string(only.size() - validators) + " of the validators named are not known to this store.");
  }
  advise("Validators exported: " + std::to_string(validators) +
         ". Import the file only where these keys do not sign any more.");
  return {};
}

struct ImportOptions {
  StoreOptions store;
  std::string file, note;
  bool complete_history = false;
};
Result<void> run_import(const ImportOptions& options) {
  std::ifstream in(options.file, std::ios::binary);
  std::ostringstream text;
  if (!in || (in.peek() != std::ifstream::traits_type::eof() && !(text << in.rdbuf())) || in.bad()) {
    return fail(ErrorKind::usage, options.file + " cannot be read");
  }
  CC_ASSIGN(const guard::Interchange interchange, guard::parse_interchange(text.view()));
  const Root digest = crypto::sha256(bytes_of(text.view()));
  CC_ASSIGN(OfflineStores stores,
            OfflineStores::open(options.store, audit::Event::slashing_import, OfflineStores::Stores::may_be_new));
  const bool made_now = stores.slashing.pairing == guard::Pairing::create;
  CC_TRY(stores.settle_first_use());
  guard::ImportCounts counts;
  CC_TRY(stores.slashing.store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(counts, guard::import_interchange(tx, interchange, strategy_of(stores.config),
                                                options.complete_history ? guard::Gap::open : guard::Gap::closed));
    const std::string name = std::filesystem::path(options.file).filename().string();
    return tx.add_origin({guard::OriginKind::import, options.note.empty() ? name : options.note + " (" + name + ")",
                          digest, SystemClock().unix_seconds(), counts.validators, counts.blocks, counts.attestations});
  }));
  stores.told.digest = digest;
  stores.told.count = counts.validators;
  CC_TRY(stores.remember());
  if (made_now) {
    advise("A new slashing store was made: " + stores.backend.place +
           ". If this signer ran before, --config or --data-dir is wrong.");
  }
  print_reply(json::object{{"status", "imported"},
                           {"validators", counts.validators},
                           {"blocks", counts.blocks},
                           {"attestations", counts.attestations}},
              options.store.output);
  return {};
}

struct FloorOptions {
  StoreOptions store;
  std::string block_slot, source_epoch, target_epoch;
  std::vector<std::string> public_keys;
};
Result<guard::Watermarks> floor_of(const FloorOptions& options) {
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  guard::Watermarks out;
  if (!options.block_slot.empty()) {
    CC_ASSIGN(const std::uint64_t slot, parse_count(options.block_slot, "--block-slot", kMost));
    out.block_slot = Slot{slot};
  }
  if (!options.source_epoch.empty()) {
    CC_ASSIGN(const std::uint64_t epoch, parse_count(options.source_epoch, "--source-epoch", kMost));
    out.source_epoch = Epoch{epoch};
  }
  if (!options.target_epoch.empty()) {
    CC_ASSIGN(const std::uint64_t epoch, parse_count(options.target_epoch, "--target-epoch", kMost));
    out.target_epoch = Epoch{epoch};
  }
  return out;
}
json::object floor_json(const guard::Watermarks& floor) {
  json::object out;
  if (floor.block_slot) {
    out["block_slot"] = std::to_string(floor.block_slot->value);
  }
  if (floor.source_epoch) {
    out["source_epoch"] = std::to_string(floor.source_epoch->value);
  }
  if (floor.target_epoch) {
    out["target_epoch"] = std::to_string(floor.target_epoch->value);
  }
  return out;
}

std::optional<audit::Remark> floor_remark(const guard::Watermarks& floor) {
  std::string text;
  for (const auto& [name, value] : floor_json(floor)) {
    text += (text.empty() ? "" : ", ") + std::string(name.data(), name.size()) + " " +
            std::string(value.as_string().data(), value.as_string().size());
  }
  return audit::Remark::of(text);
}

Result<void> run_watermark(const FloorOptions& options) {
  CC_ASSIGN(const guard::Watermarks floor, floor_of(options));
  if (!floor.block_slot && !floor.source_epoch && !floor.target_epoch) {
    return fail(ErrorKind::usage, "name at least one of --block-slot, --source-epoch and --target-epoch");
  }
  CC_ASSIGN(const auto only, public_keys_of(options.public_keys));
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store, audit::Event::slashing_watermark));
  CC_TRY(stores.need_own_store());
  std::size_t raised = 0;
  CC_TRY(stores.slashing.store->transact([&](guard::SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(const auto all, tx.validators());
    const auto& chosen = only.empty() ? all : only;
    for (const BlsPublicKey& key : chosen) {
      CC_TRY(guard::raise_watermarks(tx, key, floor));
    }
    raised = chosen.size();
    return {};
  }));
  stores.told.count = raised;
  stores.told.remark = floor_remark(floor);
  CC_TRY(stores.remember());
  print_reply(json::object{{"status", "raised"}, {"validators", raised}, {"floor", floor_json(floor)}},
              options.store.output);
  return {};
}

Result<void> run_adopt(const FloorOptions& options) {
  CC_ASSIGN(const guard::Watermarks floor, floor_of(options));
  CC_ASSIGN(OfflineStores stores, OfflineStores::open(options.store, audit::Event::slashing_adopt));
  const std::string_view before = pairing_word(stores.slashing.pairing);
  stores.told.remark = floor_remark(floor);
  CC_ASSIGN(const std::size_t validators, stores.adopt(floor));
  log::warn("slashing store adopted", {{"path", stores.backend.place},
                                       {"was", before},
                                       {"block_slot", options.block_slot},
                                       {"source_epoch", options.source_epoch},
                                       {"target_epoch", options.target_epoch}});
  print_reply(
      json::object{{"status", "adopted"}, {"was", before}, {"validators", validators}, {"floor", floor_json(floor)}},
      options.store.output);
  return {};
}

}  // namespace

Result<std::vector<BlsPublicKey>> public_keys_of(const std::vector<std::string>& texts) {
  std::vector<BlsPublicKey> out(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!from_hex_exact(texts[i], out[i])) {
      return fail(ErrorKind::usage, "'" + texts[i] + "' is not a public key: 0x and 96 hexadecimal digits");
    }
  }
  return out;
}

void add_slashing_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("slashing", "The slashing protection store of a stopped signer");
  group->require_subcommand(1);

  const auto status = std::make_shared<StatusOptions>();
  add_store_options(*add_command(*group, chosen, "status", "Whether the store is the one this signer signed with",
                                 status, &run_status),
                    status->store);

  const auto exporting = std::make_shared<ExportOptions>();
  CLI::App* command = add_command(*group, chosen, "export", "Write the history as EIP-3076 interchange (version 5)",
                                  exporting, &run_export);
  add_store_options(*command, exporting->store);
  command->add_option("--out", exporting->out, "File to write; stdout without");
  command->add_flag("--minimal", exporting->minimal, "Only the highest marks of each validator");
  add_pubkey_option(*command, exporting->public_keys, "Only these validators");

  const auto importing = std::make_shared<ImportOptions>();
  command = add_command(*group, chosen, "import", "Merge an EIP-3076 interchange file into the history", importing,
                        &run_import);
  add_store_options(*command, importing->store);
  command->add_option("file", importing->file, "Interchange file")->required();
  command->add_option("--note", importing->note, "Where the file came from; `slashing status` shows it");
  command->add_flag("--complete-history", importing->complete_history,
                    "The file holds everything that was signed elsewhere: keep signing below its lowest record");

  const auto add_floor = [](CLI::App& to, FloorOptions& options, bool required) {
    add_store_options(to, options.store);
    to.add_option("--block-slot", options.block_slot, "Nothing at or below this slot is signed")->required(required);
    to.add_option("--source-epoch", options.source_epoch, "No attestation with a lower source epoch")
        ->required(required);
    to.add_option("--target-epoch", options.target_epoch, "No attestation with a target epoch at or below this")
        ->required(required);
  };
  const auto watermark = std::make_shared<FloorOptions>();
  command = add_command(*group, chosen, "watermark", "Raise watermarks; they never fall", watermark, &run_watermark);
  add_floor(*command, *watermark, false);
  add_pubkey_option(*command, watermark->public_keys, "Only these validators");

  const auto adopt = std::make_shared<FloorOptions>();
  command =
      add_command(*group, chosen, "adopt",
                  "Take the store found (or a new one) as this signer's own, with watermarks above all that may have "
                  "been signed",
                  adopt, &run_adopt);
  add_floor(*command, *adopt, true);
  add_slashing_history_commands(*group, chosen);
}

}  // namespace cc::app
