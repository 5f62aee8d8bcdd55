// backup create | verify | restore: the whole state of a stopped signer in one file that describes itself. Without the
// KEKs (and the operators) it opens nothing; KEKs are never in it. What is restored signs nothing before somebody said
// from where on it may: the history in a backup ends where the backup was made.
#include "app/command_backup.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

#include "adapters/files/new_files.h"
#include "adapters/sqlite/key_store.h"
#include "adapters/sqlite/slashing_store.h"
#include "adapters/sqlite/snapshot.h"
#include "adapters/sqlite/state_store.h"
#include "app/audit_trail.h"
#include "app/backup_file.h"
#include "app/data_dir.h"
#include "app/kek_services.h"
#include "app/version.h"
#include "base/clock.h"
#include "guard/pairing.h"
#include "seal/lock_kms.h"
#include "seal/record_keys.h"

namespace cc::app {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr const char* kRecordPart = "seal-record";
constexpr const char* kStatePart = "state.sqlite";
constexpr const char* kKeysPart = "keys.sqlite";
constexpr const char* kSlashingPart = "slashing.sqlite";

Result<seal::SealRecord> record_in(ByteView document) {
  CC_ASSIGN(seal::StoredRecord stored, seal::decode(document));
  auto* record = std::get_if<seal::SealRecord>(&stored);
  return record == nullptr ? fail(ErrorKind::not_initialized, "the seal record is a tombstone: there is no chamber")
                           : Result<seal::SealRecord>(std::move(*record));
}

json::object describe(const backup::Manifest& manifest) {
  json::array parts;
  for (const backup::Part& part : manifest.parts) {
    parts.push_back(json::object{{"name", part.name}, {"size", part.size}, {"sha256", to_hex(part.digest)}});
  }
  return json::object{
      {"program", manifest.program}, {"created_at", manifest.created_at},         {"chamber", to_hex(manifest.chamber)},
      {"epoch", manifest.epoch},     {"master_key", to_hex(manifest.master_key)}, {"parts", std::move(parts)}};
}

struct CreateOptions {
  StoreOptions store;
  std::string output;
};

tl::unexpected<Error> no_chamber() {
  return fail(ErrorKind::not_initialized, "there is no chamber here: is --config or --data-dir the signer's own?");
}

// The seal record as a file of its own, so that a backup can be read without a database.
Result<seal::SealRecord> export_record(const Config& config, const std::string& into) {
  CC_ASSIGN(const auto state,
            sqlite::SqliteStateStore::open(config.signer_state.path, sqlite::OpenMode::existing_only));
  CC_ASSIGN(const auto document, state->read(seal::kSealRecordDocument));
  if (!document) {
    return no_chamber();
  }
  CC_ASSIGN(files::NewFile file, files::NewFile::create(into));
  CC_TRY(file.write(document->content));
  CC_TRY(file.finish());
  return record_in(document->content);
}

// Where a disk is not mounted its folder is often missing: made here, the backup would lie on the signer's own disk.
Result<void> need_folder_of(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  std::error_code ignored;
  return folder.empty() || fs::is_directory(folder, ignored)
             ? Result<void>()
             : fail(ErrorKind::usage, folder.string() +
                                          " is no folder: mount the disk that it should be on, or make "
                                          "the folder, and run the command again");
}

// In an existing folder that is no signer's nothing is made, not even the lock.
Result<void> need_state(const Config& config) {
  std::error_code ignored;
  return fs::is_directory(config.data_dir, ignored) && !fs::exists(config.signer_state.path, ignored)
             ? Result<void>(no_chamber())
             : Result<void>();
}

Result<void> run_create(const CreateOptions& options) {
  if (fs::exists(options.output)) {
    return fail(ErrorKind::usage, options.output + " exists already: name a new file");
  }
  CC_TRY(need_folder_of(options.output));
  CC_ASSIGN(const Config config, load_store_config(options.store));
  CC_TRY(need_state(config));
  // A running signer would sign on while the copies are made.
  CC_ASSIGN(const DataDir lock, DataDir::lock_existing(config.data_dir));
  CC_ASSIGN(const files::FreshFolder scratch, files::FreshFolder::beside(options.output));
  CC_ASSIGN(const seal::SealRecord record, export_record(config, scratch.file(kRecordPart)));
  std::vector<std::pair<std::string, std::string>> databases{{kStatePart, config.signer_state.path},
                                                             {kKeysPart, config.sealed_keys_path}};
  const bool own_history = config.anti_slashing.backend == "sqlite";
  if (own_history) {
    databases.emplace_back(kSlashingPart, config.anti_slashing.path);
  }
  std::vector<std::string> files{scratch.file(kRecordPart)};
  for (const auto& [name, path] : databases) {
    CC_TRY(sqlite::copy_database(path, scratch.file(name)));
    files.push_back(scratch.file(name));
  }
  // It goes on in the restored folder: the state in the backup remembers its head.
  if (const std::string log = audit_path(config.data_dir); fs::exists(log)) {
    files.push_back(log);
  }
  backup::Manifest manifest{std::string(kVersion), SystemClock().unix_seconds(), record.core.chamber,
                            record.core.epoch,     record.core.master_key,       {}};
  for (const std::string& file : files) {
    CC_ASSIGN(backup::Part part, part_of(fs::path(file).filename().string(), file));
    manifest.parts.push_back(std::move(part));
  }
  CC_TRY(write_backup(options.output, manifest, files));
  print_reply(describe(manifest), options.store.output);
  advise("KEKs are not in it: local:// ones need a copy of their own, kept elsewhere. Nor is the configuration." +
         std::string(own_history ? "" : " The slashing history lies in PostgreSQL: back that up with its own tools."));
  return {};
}

struct VerifyOptions {
  StoreOptions store;
  std::string file;
  bool with_keks = false;
};

Result<void> check_record(BackupReader& reader, seal::SealRecord& record) {
  CC_ASSIGN(const Bytes document, reader.small_part(kRecordPart));
  CC_ASSIGN(record, record_in(document));
  const backup::Manifest& manifest = reader.manifest();
  if (record.core.chamber != manifest.chamber || record.core.epoch != manifest.epoch ||
      record.core.master_key != manifest.master_key) {
    return fail(ErrorKind::record_malformed,
                "the backup's head and its seal record speak of different chambers or epochs");
  }
  return {};
}

// As far as the KEKs alone go: with operators up to the proof of the members part, without them to the master key.
Result<std::string> open_with_keks(const Config& config, const seal::SealRecord& record) {
  SystemClock clock;
  SystemRandom random;
  CC_ASSIGN(const auto keks, KekServices::make(config, process_environment(), clock, random));
  const seal::Core& core = record.core;
  CC_ASSIGN(const Secret<32> lock_key, seal::open_kms_lock(*keks, core.chamber, core.kms(), core.retired_locks));
  CC_ASSIGN(const SecretBytes bytes, seal::open_content(lock_key, core.chamber, core.kms().header, core.content));
  CC_ASSIGN(const seal::KmsContent content, seal::decode_kms_content(bytes));
  CC_TRY(seal::check_members(content.pepper, record));
  if (core.operators() != nullptr) {
    return "kms_lock_opens";
  }
  CC_ASSIGN(const seal::MasterKeys keys, seal::decode_master_keys(content.inner));
  CC_TRY(seal::check_core(keys, record));
  return "master_key_proven";
}

Result<void> run_verify(const VerifyOptions& options) {
  CC_ASSIGN(BackupReader reader, BackupReader::open(options.file));
  CC_TRY(reader.read_parts([](const backup::Part&, ByteView) { return Result<void>(); }));
  seal::SealRecord record;
  CC_TRY(check_record(reader, record));
  json::object reply = describe(reader.manifest());
  reply["status"] = "whole";
  if (options.with_keks) {
    CC_ASSIGN(const Config config, load_store_config(options.store));
    CC_ASSIGN(const std::string opened, open_with_keks(config, record));
    reply["keks"] = opened;
  }
  print_reply(reply, options.store.output);
  return {};
}

struct RestoreOptions {
  std::string file, data_dir;
  std::string output = "json";
};

Result<void> write_parts(BackupReader& reader, const files::FreshFolder& folder) {
  std::optional<files::NewFile> file;
  std::string at;
  CC_TRY(reader.read_parts([&](const backup::Part& part, ByteView piece) -> Result<void> {
    if (part.name == kRecordPart) {
      return {};
    }
    if (part.name != at) {
      if (file) {
        CC_TRY(file->finish());
      }
      CC_ASSIGN(files::NewFile next, files::NewFile::create(folder.file(part.name)));
      file.emplace(std::move(next));
      at = part.name;
    }
    return file->write(piece);
  }));
  return file ? file->finish() : Result<void>();
}

Result<void> only_known_parts(const backup::Manifest& manifest) {
  const std::string log = fs::path(audit_path({})).filename().string();
  for (const backup::Part& part : manifest.parts) {
    if (part.name != kRecordPart && part.name != kStatePart && part.name != kKeysPart && part.name != kSlashingPart &&
        part.name != log) {
      return fail(ErrorKind::record_malformed,
                  "the backup has a part " + part.name + ", which this program does not know: a newer one wrote it");
    }
  }
  return {};
}

// Who the restored slashing store says it is; empty without one (history in PostgreSQL is not part of a backup).
Result<std::optional<guard::StoreIdentity>> restored_history(const files::FreshFolder& folder) {
  const std::string path = folder.file(kSlashingPart);
  if (!fs::exists(path)) {
    return std::nullopt;
  }
  SystemRandom random;
  CC_ASSIGN(const auto store, sqlite::SqliteSlashingStore::open(path, sqlite::OpenMode::existing_only, random));
  CC_ASSIGN(guard::StoreIdentity identity, store->identity());
  return identity;
}

// The state remembers a later run than the slashing store restored beside it, however the two stood when the backup was
// made: the signer then says slashing_store_mismatch and signs nothing until `slashing adopt` has set a floor.
Result<void> forbid_signing(const files::FreshFolder& folder, ByteView seal_record) {
  CC_ASSIGN(const std::optional<guard::StoreIdentity> history, restored_history(folder));
  CC_ASSIGN(const auto state, sqlite::SqliteStateStore::open(folder.file(kStatePart), sqlite::OpenMode::existing_only));
  CC_ASSIGN(const auto record, state->read(seal::kSealRecordDocument));
  if (!record || !std::ranges::equal(record->content, seal_record)) {
    return fail(ErrorKind::record_malformed, "the backup's state and its seal record are not of one signer");
  }
  CC_ASSIGN(const auto document, state->read(guard::kCheckpointDocument));
  guard::Checkpoint checkpoint;
  if (document) {
    CC_ASSIGN(checkpoint, guard::decode_checkpoint(document->content));
  } else if (history) {
    checkpoint = guard::checkpoint_of(*history);
  } else {
    return {};
  }
  checkpoint.run = std::max(checkpoint.run, history ? history->run : 0) + 1;
  CC_TRY(state->write(guard::kCheckpointDocument, document ? document->revision : 0, guard::encode(checkpoint)));
  const guard::Pairing pairing = guard::pair(checkpoint, guard::StoreFound::present, history, true);
  if (history && guard::may_sign(pairing)) {
    return fail(ErrorKind::internal, "the restored signer would sign at once; nothing was restored");
  }
  // Nobody else can have opened what has no name yet, so its lock file need not stay.
  std::error_code none;
  fs::remove(folder.file(std::string(kSlashingPart) + ".lock"), none);
  return {};
}

// Without a slash at its end and with its folders named, so that something can stand beside it.
std::string absolute_name(const std::string& path) {
  std::error_code error;
  const fs::path out = fs::weakly_canonical(fs::absolute(path, error), error);
  return (out.has_filename() ? out : out.parent_path()).string();
}

Result<void> run_restore(const RestoreOptions& options) {
  std::error_code error;
  const std::string data_dir = absolute_name(options.data_dir);
  if (fs::exists(data_dir, error) && !fs::is_empty(data_dir, error)) {
    return fail(ErrorKind::usage, options.data_dir + " is not empty: a backup goes into a new folder");
  }
  CC_ASSIGN(BackupReader reader, BackupReader::open(options.file));
  CC_TRY(only_known_parts(reader.manifest()));
  // Whole before anything is written.
  CC_TRY(reader.read_parts([](const backup::Part&, ByteView) { return Result<void>(); }));
  seal::SealRecord record;
  CC_TRY(check_record(reader, record));
  CC_ASSIGN(const Bytes document, reader.small_part(kRecordPart));
  // Complete under another name first, so that no half restored folder can be started.
  CC_ASSIGN(files::FreshFolder working, files::FreshFolder::beside(data_dir));
  CC_TRY(write_parts(reader, working));
  CC_TRY(forbid_signing(working, document));
  CC_TRY(working.becomes(data_dir));
  json::object reply = describe(reader.manifest());
  reply["status"] = "restored";
  reply["data_dir"] = options.data_dir;
  print_reply(reply, options.output);
  advise(
      "Nothing is signed yet. The history in the backup ends where it was made: stop every other signer of these keys, "
      "run `slashing adopt` with watermarks above everything that may have been signed since, and import newer history "
      "if there is any (`slashing import`).");
  return {};
}

}  // namespace

void add_backup_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("backup", "The whole state of a stopped signer in one file");
  group->require_subcommand(1);

  const auto create = std::make_shared<CreateOptions>();
  CLI::App* command =
      add_command(*group, chosen, "create", "Write a backup; the signer must be stopped", create, &run_create);
  add_store_options(*command, create->store);
  command->add_option("file", create->output, "Where to, a new file")->required();

  const auto verify = std::make_shared<VerifyOptions>();
  command = add_command(*group, chosen, "verify", "Check that a backup is whole", verify, &run_verify);
  add_store_options(*command, verify->store);
  command->add_option("file", verify->file, "The backup")->required();
  command->add_flag("--with-keks", verify->with_keks, "Also open it as far as the KEKs of --config go");

  const auto restore = std::make_shared<RestoreOptions>();
  command = add_command(*group, chosen, "restore", "Put a backup into a new data directory", restore, &run_restore);
  command->add_option("file", restore->file, "The backup")->required();
  command->add_option("--data-dir", restore->data_dir, "A folder that does not exist, or is empty")->required();
  add_output_option(*command, restore->output);
}

}  // namespace cc::app
