// audit verify | show | head | key | transcript | verify-transcript: on the file of the log, with or without a running
// signer; `ask-head` asks a running one.
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "adapters/files/audit_file.h"
#include "app/audit_memory.h"
#include "app/audit_trail.h"
#include "app/command.h"
#include "app/data_dir.h"
#include "app/dynamodb_tables.h"
#include "app/slashing_backend.h"
#include "app/transcript_file.h"
#include "base/iso_time.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct LogOptions {
  StoreOptions store;
  std::string file;
};

Result<std::string> path_of(const LogOptions& options) {
  if (!options.file.empty()) {
    return options.file;
  }
  CC_ASSIGN(const Config config, load_store_config(options.store));
  return audit_path(config.data_dir);
}

Result<std::set<audit::CheckpointPublicKey>> keys_of(const std::vector<std::string>& texts) {
  std::set<audit::CheckpointPublicKey> out;
  for (const std::string& text : texts) {
    audit::CheckpointPublicKey key{};
    if (!from_hex_exact(text, key)) {
      return fail(ErrorKind::usage, "--checkpoint-key is 64 hexadecimal digits, as `audit key` prints them");
    }
    out.insert(key);
  }
  return out;
}

json::array keys_json(const std::set<audit::CheckpointPublicKey>& keys) {
  json::array out;
  for (const audit::CheckpointPublicKey& key : keys) {
    out.emplace_back(to_hex(key));
  }
  return out;
}

// Reads a whole log through a verifier, and hands each line on. Errors: audit_log_invalid when the file that was named
// is something else; the log of a data directory is then one that was written over.
Result<void> verify_file(
    const LogOptions& options, const std::string& path, audit::Verifier& verifier,
    const std::function<void(std::string_view)>& line = [](std::string_view) {}) {
  bool empty = true;
  bool is_log = false;
  CC_ASSIGN(const std::uint64_t torn, files::read_lines(path, [&](std::string_view text) {
              empty = false;
              is_log = is_log || audit::decode(text).has_value();
              verifier.line(text);
              line(text);
              return true;
            }));
  if (!options.file.empty() && !is_log && (!empty || torn != 0)) {
    return fail(ErrorKind::audit_log_invalid, path + " is no audit log: no line of it is an entry");
  }
  verifier.finish(torn);
  return {};
}

tl::unexpected<Error> does_not_hold(const std::string& path, const audit::Verifier& verifier) {
  const std::size_t count = verifier.faults().size();
  return fail(ErrorKind::audit_log_broken, path + ": " + verifier.faults().front().detail +
                                               (count > 1 ? " (and " + std::to_string(count - 1) + " more)" : ""));
}

// Heads that the log must hold, and who knows them.
struct KnownHeads {
  std::vector<audit::Head> heads;
  json::array by;

  void add(const char* who, const audit::Head& head) {
    by.push_back(json::object{{"by", who}, {"head", audit::text_of(head)}});
    if (std::ranges::find(heads, head) == heads.end()) {
      heads.push_back(head);
    }
  }
};

// What this user's tools remember of the log; they know it by the id in its first entry.
Result<std::vector<audit::Head>> remembered_by_user(const std::string& path) {
  std::optional<audit::LogId> log;
  CC_TRY(files::read_lines(path, [&log](std::string_view line) {
    if (const Result<audit::Entry> first = audit::decode(line)) {
      log = first->log;
    }
    return false;
  }));
  return log ? remembered_of(*log) : std::vector<audit::Head>();
}

// The head in the signer state. A state that cannot be asked is told, and keeps nobody from looking at the log.
Result<void> add_head_in_state(const StoreOptions& store, KnownHeads& known) {
  CC_ASSIGN(const Config config, load_store_config(store));
  const auto head = head_in_state(config);
  if (!head) {
    advise("The signer state cannot be asked for the head that it remembers: " + head.error().message);
  } else if (!*head || (*head)->number == 0) {
    advise("The signer state remembers no head of an audit log.");
  } else {
    known.add("signer_state", **head);
  }
  return {};
}

void advise_on_end(const LogOptions& options, const KnownHeads& known, const std::vector<audit::Head>& remembered) {
  if (!known.heads.empty()) {
    return;
  }
  advise("The end of this log was compared with nothing: entries cut off behind its last one would not be seen.");
  for (const audit::Head& head : remembered) {
    advise("This user's tools remember a head of it: name it with --expect-head " + audit::text_of(head));
  }
  advise(options.file.empty()
             ? "Name a head that somebody remembers with --expect-head NUMBER:HEX."
             : "Name a head that somebody remembers with --expect-head NUMBER:HEX, or the signer whose "
               "state knows one with --config or --data-dir.");
}

struct VerifyOptions {
  LogOptions log;
  std::vector<std::string> heads, keys;
};
Result<void> run_verify(const VerifyOptions& options) {
  KnownHeads known;
  for (const std::string& text : options.heads) {
    CC_ASSIGN(const audit::Head head, audit::parse_head(text));
    known.add("caller", head);
  }
  audit::Expectations expected;
  CC_ASSIGN(expected.keys, keys_of(options.keys));
  CC_ASSIGN(const std::string path, path_of(options.log));
  // What is remembered is read before the log: a signer that runs writes the other way round. A file by itself may be
  // an older copy; of that nothing is expected that was not named.
  CC_ASSIGN(const std::vector<audit::Head> remembered, remembered_by_user(path));
  const StoreOptions& store = options.log.store;
  if (options.log.file.empty() || !store.config.empty() || !store.data_dir.empty()) {
    CC_TRY(add_head_in_state(store, known));
    for (const audit::Head& head : remembered) {
      known.add("this_user", head);
    }
  }
  expected.heads = known.heads;
  audit::Verifier verifier(std::move(expected));
  CC_TRY(verify_file(options.log, path, verifier));
  json::array faults;
  for (const audit::Fault& fault : verifier.faults()) {
    faults.push_back(
        json::object{{"kind", audit::name(fault.kind)}, {"number", fault.number}, {"detail", fault.detail}});
  }
  const bool good = verifier.faults().empty();
  print_reply(json::object{{"status", good ? "ok" : "faulty"},
                           {"entries", verifier.head().number},
                           {"head", audit::text_of(verifier.head())},
                           {"log", verifier.log() ? json::value(to_hex(*verifier.log())) : json::value(nullptr)},
                           {"checkpoints", verifier.checkpoints()},
                           {"signed_up_to", verifier.signed_up_to()},
                           {"unsigned_tail", verifier.unsigned_tail()},
                           {"checkpoint_keys", keys_json(verifier.keys())},
                           {"compared_with", known.by},
                           {"faults", std::move(faults)}},
              store.output);
  advise_on_end(options.log, known, remembered);
  if (!good) {
    return does_not_hold(path, verifier);
  }
  if (!options.keys.empty() && verifier.unsigned_tail() != 0) {
    advise("The last " + std::to_string(verifier.unsigned_tail()) +
           " entries stand behind the last checkpoint: nobody has signed them yet.");
  }
  if (verifier.checkpoints() != 0 && options.keys.empty()) {
    advise("The checkpoints agree with each other; name their key with --checkpoint-key to know whose they are.");
  }
  return {};
}

// One line for people: "12 2026-11-24T19:00:00Z unseal done by operator:alice, …".
std::string sentence(const audit::Entry& entry, std::string_view line) {
  std::string out = std::to_string(entry.number) + " " + iso_time(entry.time) + " " +
                    std::string(audit::name(entry.what.event)) + " " + std::string(audit::name(entry.what.outcome)) +
                    " by " + entry.what.by.text();
  const json::value members = json::parse(std::string(line));
  for (const auto& [name, value] : members.as_object()) {
    if (name != "n" && name != "time" && name != "event" && name != "outcome" && name != "by" && name != "head") {
      out +=
          " " + std::string(name) + "=" + (value.is_string() ? std::string(value.as_string()) : json::serialize(value));
    }
  }
  return out;
}

struct RangeOptions {
  LogOptions log;
  std::string from = "1", to, event, out;
};
struct Range {
  std::uint64_t from = 1, to = 0;
};
Result<Range> range_of(const RangeOptions& options) {
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  Range out;
  CC_ASSIGN(out.from, parse_count(options.from, "--from", kMost));
  if (!options.to.empty()) {
    CC_ASSIGN(out.to, parse_count(options.to, "--to", kMost));
  }
  if (out.from == 0 || (!options.to.empty() && out.to < out.from)) {
    return fail(ErrorKind::usage, "--from is at least 1, and --to is not below it");
  }
  return out;
}

Result<void> run_show(const RangeOptions& options) {
  CC_ASSIGN(const Range range, range_of(options));
  if (!options.event.empty() && !audit::event_named(options.event)) {
    return fail(ErrorKind::usage, "--event " + options.event + " is not an event of the audit log");
  }
  CC_ASSIGN(const std::string path, path_of(options.log));
  audit::Verifier verifier;
  const bool text = options.log.store.output == "text";
  json::array entries;
  CC_TRY(verify_file(options.log, path, verifier, [&](std::string_view line) {
    const auto& entry = verifier.entry();
    if (!entry || entry->number < range.from || (range.to != 0 && entry->number > range.to) ||
        (!options.event.empty() && audit::name(entry->what.event) != options.event)) {
      return;
    }
    if (text) {
      std::cout << sentence(*entry, line) << "\n";
    } else {
      entries.push_back(json::parse(std::string(line)));
    }
  }));
  std::cout << std::flush;
  if (!text) {
    print_reply(json::object{{"entries", std::move(entries)}}, options.log.store.output);
  }
  return verifier.faults().empty() ? Result<void>() : Result<void>(does_not_hold(path, verifier));
}

struct AskOptions {
  SignerOptions signer;
};
Result<void> ask_head(const AskOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_TRY(ask_one(options.signer, {.method = "GET", .path = "/api/v1/audit/head", .token = std::move(token)}));
  return {};
}

Result<void> run_head(const LogOptions& options) {
  CC_ASSIGN(const std::string path, path_of(options));
  audit::Verifier verifier;
  CC_TRY(verify_file(options, path, verifier));
  if (!verifier.faults().empty()) {
    return does_not_hold(path, verifier);
  }
  print_reply(json::object{{"log", verifier.log() ? json::value(to_hex(*verifier.log())) : json::value(nullptr)},
                           {"number", verifier.head().number},
                           {"head", to_hex(verifier.head().value)}},
              options.store.output);
  return {};
}

Result<void> run_key(const LogOptions& options) {
  CC_ASSIGN(const std::string path, path_of(options));
  audit::Verifier verifier;
  CC_TRY(verify_file(options, path, verifier));
  print_reply(json::object{{"checkpoint_keys", keys_json(verifier.keys())}, {"checkpoints", verifier.checkpoints()}},
              options.store.output);
  if (verifier.keys().empty()) {
    advise("No checkpoint yet: the first one is made when the chamber opens.");
  }
  return verifier.faults().empty() ? Result<void>() : Result<void>(does_not_hold(path, verifier));
}

Result<void> run_transcript(const RangeOptions& options) {
  CC_ASSIGN(const Range range, range_of(options));
  CC_ASSIGN(const std::string path, path_of(options.log));
  audit::Verifier verifier;
  audit::TranscriptBuilder builder(range.from, range.to);
  CC_TRY(verify_file(options.log, path, verifier, [&builder](std::string_view line) { builder.line(line); }));
  if (!verifier.faults().empty()) {
    return does_not_hold(path, verifier);
  }
  CC_ASSIGN(const audit::Transcript transcript, builder.finish());
  print_reply(transcript_json(transcript), "json");
  advise(
      "Whoever holds the checkpoint key checks it with `audit verify-transcript FILE --checkpoint-key KEY`. It shows " +
      std::to_string(transcript.entries.size()) + " entries whole, names of operators and addresses included.");
  return {};
}

struct CheckOptions {
  std::string file, output = "json";
  std::vector<std::string> keys;
};
Result<void> run_check(const CheckOptions& options) {
  CC_ASSIGN(const auto keys, keys_of(options.keys));
  std::ifstream in(options.file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return fail(ErrorKind::usage, options.file + " cannot be read");
  }
  CC_ASSIGN(const audit::Transcript transcript, parse_transcript(options.file, text.str()));
  CC_ASSIGN(const std::vector<audit::Entry> entries, audit::check(transcript, keys));
  print_reply(json::object{{"status", "ok"},
                           {"log", to_hex(transcript.log)},
                           {"from", entries.front().number},
                           {"to", entries.back().number}},
              options.output);
  return {};
}

struct AnewOptions {
  StoreOptions store;
  std::string remembered;
};
Result<void> run_begin_anew(const AnewOptions& options) {
  CC_ASSIGN(Config config, load_store_config(options.store));
  CC_TRY(resolve_database_secrets(config, process_environment()));
  CC_ASSIGN(const DataDir lock, DataDir::lock_existing(config.data_dir));
  CC_ASSIGN(const StateAndKeys stores, open_state_and_keys(config));
  audit::Head named;
  if (!options.remembered.empty()) {
    CC_ASSIGN(named, audit::parse_head(options.remembered));
  }
  const SystemClock clock;
  SystemRandom random;
  CC_TRY(AuditTrail::begin_anew(config, *stores.state, named, clock, random));
  print_reply(json::object{{"status", "begun"}, {"given_up", options.remembered}}, options.store.output);
  advise("Operators' tools will say that this is another log: compare what they remember with the one you kept.");
  return {};
}

void add_log_options(CLI::App& command, LogOptions& options) {
  add_store_options(command, options.store);
  command.add_option("--file", options.file, "The file of the log itself, in place of a signer's audit.log");
}

void add_range_options(CLI::App& command, RangeOptions& options) {
  command.add_option("--from", options.from, "First entry")->capture_default_str();
  command.add_option("--to", options.to, "Last entry; the end of the log without");
}

void add_key_option(CLI::App& command, std::vector<std::string>& keys, const std::string& help) {
  command.add_option("--checkpoint-key", keys, help)->expected(1)->take_all();
}

}  // namespace

void add_audit_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("audit", "The audit log: check it, read it, show a piece of it to others");
  group->require_subcommand(1);

  const auto verify = std::make_shared<VerifyOptions>();
  CLI::App* command = add_command(*group, chosen, "verify",
                                  "Find every entry that was altered, removed, reordered or cut off, without a signer",
                                  verify, &run_verify);
  add_log_options(*command, verify->log);
  command
      ->add_option("--expect-head", verify->heads, "NUMBER:HEX, a head that somebody remembers; several may be given")
      ->expected(1)
      ->take_all();
  add_key_option(*command, verify->keys, "The key that checkpoints must be signed with; several may be given");

  const auto show = std::make_shared<RangeOptions>();
  command = add_command(*group, chosen, "show", "Print entries", show, &run_show);
  add_log_options(*command, show->log);
  add_range_options(*command, *show);
  command->add_option("--event", show->event, "Only this kind of event");

  const auto head = std::make_shared<LogOptions>();
  add_log_options(*add_command(*group, chosen, "head", "Print the head of the log in a file", head, &run_head), *head);

  const auto ask = std::make_shared<AskOptions>();
  command = add_command(*group, chosen, "ask-head", "Ask a signer for the head of its log and its checkpoint key", ask,
                        &ask_head);
  add_signer_options(*command, ask->signer);
  add_auth_option(*command, ask->signer);

  const auto key = std::make_shared<LogOptions>();
  add_log_options(
      *add_command(*group, chosen, "key", "Print the public keys of the checkpoints in a file", key, &run_key), *key);

  const auto anew = std::make_shared<AnewOptions>();
  command = add_command(*group, chosen, "begin-anew",
                        "Give up a log that no longer holds, after its file was moved away; the signer must be stopped",
                        anew, &run_begin_anew);
  add_store_options(*command, anew->store);
  command->add_option("--remembered", anew->remembered,
                      "NUMBER:HEX, the head given up; without it the command names it");

  const auto transcript = std::make_shared<RangeOptions>();
  command = add_command(*group, chosen, "transcript",
                        "Print entries with all that an outsider needs to check them by the checkpoint key", transcript,
                        &run_transcript);
  add_log_options(*command, transcript->log);
  add_range_options(*command, *transcript);

  const auto check = std::make_shared<CheckOptions>();
  command = add_command(*group, chosen, "verify-transcript", "Check such a transcript by the checkpoint key alone",
                        check, &run_check);
  command->add_option("file", check->file, "The transcript")->required();
  add_key_option(*command, check->keys, "The key of the signer's checkpoints; several may be given");
  command->get_option("--checkpoint-key")->required();
  add_output_option(*command, check->output);
}

}  // namespace cc::app
