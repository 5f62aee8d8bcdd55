#include "app/audit_trail.h"

#include <unistd.h>

#include <filesystem>

#include "app/dynamodb_tables.h"
#include "app/signer_id.h"
#include "app/version.h"
#include "audit/verify.h"
#include "base/log.h"

namespace cc::app {
namespace {

using audit::Draft;
using audit::Event;

constexpr const char* kHeadDocument = "audit-head";
// A crash can leave no more than what was written in one go.
constexpr std::size_t kLargestTail = 8UL << 20;

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    out += text + ",";
  }
  return out;
}

// One line per policy, every part behind its length, so that no two sets read the same.
std::string policy_line(const access::PolicyConfig& policy) {
  std::string out;
  const auto add = [&out](std::string_view part) {
    out += std::to_string(part.size()) + ":" + std::string(part) + ";";
  };
  add(policy.name);
  add(policy.allowed_scopes ? joined(*policy.allowed_scopes) : "*");
  add(joined(policy.denied_scopes));
  add(policy.allowed_keys ? joined(*policy.allowed_keys) : "*");
  add(policy.allowed_operations ? joined(*policy.allowed_operations) : "*");
  return out + "\n";
}

Result<std::optional<audit::Head>> head_of(const std::optional<seal::Document>& document) {
  if (!document) {
    return std::nullopt;
  }
  const std::string text(document->content.begin(), document->content.end());
  CC_ASSIGN(const audit::Head head, audit::parse_head(text));
  return head;
}

Result<std::optional<audit::Head>> remembered_by(seal::StateStore& state, const std::string& name) {
  CC_ASSIGN(const auto document, state.read(name));
  return head_of(document);
}

std::string head_document_of(const std::string& signer_id) { return kHeadDocument + ("-" + signer_id); }

// One head in a state that is this signer's alone; else one for each, by the id beside its log.
Result<std::string> head_document(const Config& config, Random& random) {
  if (config.signer_state.backend == "sqlite") {
    return std::string(kHeadDocument);
  }
  CC_ASSIGN(const SignerId id, signer_id(config.data_dir, random));
  std::error_code error;
  if (id.fresh && std::filesystem::file_size(audit_path(config.data_dir), error) > 0 && !error) {
    log::warn("this signer has no id yet: from now on the signer state remembers the head of its audit log",
              {{"id", id.text}});
  }
  return head_document_of(id.text);
}

Draft draft(Event event) {
  Draft out;
  out.event = event;
  return out;
}

// What the file holds, line by line.
struct Found {
  explicit Found(const std::optional<audit::Head>& remembered) : verifier(expected(remembered)) {}
  static audit::Expectations expected(const std::optional<audit::Head>& remembered) {
    audit::Expectations out;
    if (remembered && remembered->number != 0) {
      out.heads.push_back(*remembered);
    }
    return out;
  }

  audit::Verifier verifier;
  std::uint64_t good_bytes = 0;  // up to and with the last line before the first that is none
  bool ended = false;            // a line was no entry
  bool entries_behind = false;   // and whole entries stand behind it: no crash writes that
  std::optional<crypto::Digest> policies;

  void take(std::string_view line) {
    if (ended) {
      entries_behind = entries_behind || audit::decode(line).has_value();
      return;
    }
    if (!audit::decode(line)) {
      ended = true;
      return;
    }
    verifier.line(line);
    good_bytes += line.size() + 1;
    const auto& entry = verifier.entry();
    if (entry && entry->what.event == Event::policies) {
      policies = entry->what.digest;
    }
  }
};

// Why the log may not be continued.
std::optional<Error> broken(const std::string& path, const Found& found) {
  if (found.verifier.faults().empty() && !found.entries_behind) {
    return std::nullopt;
  }
  const std::string what = found.verifier.faults().empty() ? "a damaged line stands before whole entries"
                                                           : found.verifier.faults().front().detail;
  return Error{ErrorKind::store_unavailable,
               "the audit log " + path + " does not hold (" + what +
                   "): run `containment-chamber audit verify`, find "
                   "out who did it, then move the file away, keep it, and run `containment-chamber audit begin-anew`"};
}

}  // namespace

std::string audit_path(const std::string& data_dir) { return data_dir + "/audit.log"; }

Result<std::optional<audit::Head>> head_in_state(const Config& config) {
  std::string name = kHeadDocument;
  if (config.signer_state.backend != "sqlite") {
    CC_ASSIGN(const std::optional<std::string> id, known_signer_id(config.data_dir));
    if (!id) {
      return fail(ErrorKind::not_found, config.data_dir +
                                            " has no signer-id, by which a state that signers share knows the head of "
                                            "this log from those of others");
    }
    name = head_document_of(*id);
  }
  CC_ASSIGN(const auto document, look_up_in_state(config, name));
  return head_of(document);
}

crypto::Digest policies_digest(const Config& config) {
  std::string all;
  for (const auto& [name, policy] : config.auth_policies) {
    all += name + "=" + policy_line(policy);
  }
  if (config.unauthenticated_policy) {
    all += "unauthenticated=" + policy_line(*config.unauthenticated_policy);
  }
  return crypto::sha256({bytes_of("cc/audit/v1/policies\n"), bytes_of(all)});
}

Result<std::unique_ptr<AuditTrail>> AuditTrail::find(const Config& config, seal::StateStore& state, const Clock& clock,
                                                     Random& random, const std::optional<audit::Head>& abandoned) {
  const std::string path = audit_path(config.data_dir);
  CC_ASSIGN(std::string document, head_document(config, random));
  CC_ASSIGN(const std::optional<audit::Head> remembered, remembered_by(state, document));
  CC_ASSIGN(auto file, files::AuditFile::open(path));
  Found found(remembered);
  CC_TRY(file->read([&found](std::string_view line) {
    found.take(line);
    return true;
  }));
  found.verifier.finish();
  std::optional<Error> trouble = broken(path, found);
  const std::uint64_t tail = file->size() - found.good_bytes;
  if (!trouble && tail > kLargestTail) {
    trouble =
        Error{ErrorKind::store_unavailable,
              "the audit log " + path + " ends with " + std::to_string(tail) +
                  " bytes that are no entries; move it away, keep it, and run `containment-chamber audit begin-anew`"};
  }
  std::unique_ptr<AuditTrail> out(new AuditTrail(state, std::move(document), std::move(file)));
  const bool fresh = found.verifier.head().number == 0;
  audit::LogId log = found.verifier.log().value_or(audit::LogId{});
  if (fresh) {
    random.fill(log);
  }
  std::optional<Draft> repaired;
  if (!trouble && tail != 0) {
    CC_ASSIGN(const Bytes bytes, out->file_->bytes_behind(found.good_bytes, kLargestTail));
    repaired = draft(Event::tail_repaired);
    repaired->count = tail;
    repaired->digest = crypto::sha256(bytes);
    CC_TRY(out->file_->cut_behind(found.good_bytes));
    log::warn("the audit log ended in the middle of an entry and was cut to its last whole one",
              {{"path", path}, {"bytes", tail}});
  }
  CC_TRY(trouble ? Result<void>() : out->file_->reserve());
  if (trouble) {
    log::error("the audit log does not hold: ceremonies are refused", {{"reason", trouble->message}});
  }
  out->last_policies_ = found.policies;
  out->remembered_ = remembered.value_or(audit::Head{});
  out->trail_ =
      std::make_unique<audit::Trail>(*out->file_, clock, log, found.verifier.head(), audit::TrailOptions{}, trouble);
  if (!trouble && fresh) {
    Draft begun = draft(Event::log_started);
    if (abandoned) {
      begun.count = abandoned->number;
      begun.digest = abandoned->value;
    }
    CC_TRY(out->trail_->tell(std::move(begun)));
  }
  if (repaired) {
    CC_TRY(out->trail_->tell(*std::move(repaired)));
  }
  return out;
}

Result<void> AuditTrail::begin_anew(const Config& config, seal::StateStore& state, const audit::Head& abandoned,
                                    const Clock& clock, Random& random) {
  const std::string path = audit_path(config.data_dir);
  CC_ASSIGN(const std::string remembering, head_document(config, random));
  CC_ASSIGN(const std::optional<audit::Head> remembered, remembered_by(state, remembering));
  if (!remembered || remembered->number == 0) {
    return fail(ErrorKind::wrong_state, "this signer remembers no audit log: a new one begins by itself at its start");
  }
  if (*remembered != abandoned) {
    return fail(ErrorKind::usage, "this signer remembers " + audit::text_of(*remembered) +
                                      ": once the old file is kept elsewhere, name that head with --remembered");
  }
  std::error_code error;
  if (std::filesystem::exists(path, error) && std::filesystem::file_size(path, error) != 0) {
    return fail(ErrorKind::usage, path + " is there: move it away and keep it, it is the evidence");
  }
  CC_ASSIGN(const auto document, state.read(remembering));
  const std::string none = audit::text_of(audit::Head{});
  CC_TRY(state.write(remembering, document ? document->revision : 0, bytes_of(none)));
  CC_ASSIGN(const auto begun, find(config, state, clock, random, abandoned));
  if (const auto facts = begun->trail_->facts(); facts.trouble) {
    return fail(*facts.trouble);
  }
  log::warn("a new audit log begins; the one before was given up", {{"given_up", audit::text_of(abandoned)}});
  return begun->remember();
}

Result<std::unique_ptr<AuditTrail>> AuditTrail::open(const Config& config, seal::StateStore& state, const Clock& clock,
                                                     Random& random) {
  CC_ASSIGN(auto out, find(config, state, clock, random));
  if (out->trail_->facts().trouble) {
    return out;
  }
  Draft started = draft(Event::started);
  started.subject = audit::Word::of(kVersion);
  if (const auto record = state.read(seal::kSealRecordDocument); record && *record) {
    started.revision = (*record)->revision;
    started.record = crypto::sha256((*record)->content);
  }
  CC_TRY(out->trail_->tell(std::move(started)));
  const crypto::Digest policies = policies_digest(config);
  if (out->last_policies_ != policies) {
    Draft told = draft(Event::policies);
    told.digest = policies;
    told.count = config.auth_policies.size();
    CC_TRY(out->trail_->tell(std::move(told)));
  }
  CC_TRY(out->remember());
  return out;
}

Result<std::unique_ptr<AuditTrail>> AuditTrail::open_offline(const Config& config, seal::StateStore& state,
                                                             const Clock& clock, Random& random) {
  CC_ASSIGN(auto out, find(config, state, clock, random));
  if (const auto facts = out->trail_->facts(); facts.trouble) {
    return fail(*facts.trouble);
  }
  return out;
}

void AuditTrail::describe(const seal::Chamber& chamber, Draft& what) const {
  const seal::Status status = chamber.status();
  what.state = audit::Word::of(seal::name(status.state));
  if (status.epoch != 0) {
    what.epoch = status.epoch;
  }
  if (const auto record = state_.read(seal::kSealRecordDocument); record && *record) {
    what.revision = (*record)->revision;
    what.record = crypto::sha256((*record)->content);
  }
}

void AuditTrail::observe(const seal::Chamber& chamber) {
  const seal::Status status = chamber.status();
  const std::string state(seal::name(status.state));
  const std::string trouble(status.trouble ? facts(status.trouble->kind).code : std::string_view());
  bool new_state = false;
  bool new_trouble = false;
  {
    const std::lock_guard lock(mutex_);
    new_state = std::exchange(told_state_, state) != state;
    new_trouble = std::exchange(told_trouble_, trouble) != trouble && !trouble.empty();
  }
  if (new_state) {
    Draft what = draft(Event::state);
    describe(chamber, what);
    trail_->note(std::move(what));
  }
  if (new_trouble) {
    Draft what = draft(Event::trouble);
    what.code = status.trouble->kind;
    trail_->note(std::move(what));
  }
}

Result<void> AuditTrail::remember() {
  const audit::Head head = trail_->facts().durable;
  const std::lock_guard lock(mutex_);
  if (head == remembered_ || trail_->facts().trouble) {
    return {};
  }
  CC_ASSIGN(const auto document, state_.read(head_document_));
  const std::string text = audit::text_of(head);
  CC_TRY(state_.write(head_document_, document ? document->revision : 0, bytes_of(text)));
  remembered_ = head;
  return {};
}

void AuditTrail::stop() {
  trail_->settle_left_out();  // before the last entry, whose head is remembered
  if (const Result<void> kept = trail_->tell(draft(Event::stopped)); !kept) {
    log::warn("the audit log does not tell that the signer stopped", {{"reason", kept.error().message}});
  }
  if (const Result<void> kept = remember(); !kept) {
    log::warn("the head of the audit log cannot be remembered", {{"reason", kept.error().message}});
  }
}

Result<std::uint64_t> AuditedListener::opened(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                              const StillWanted& still_wanted) {
  CC_ASSIGN(const std::uint64_t loaded, inner_.opened(chamber, keys, still_wanted));
  if (const auto current = keys.keys.find(keys.current); current != keys.keys.end()) {
    trail_.take_key(audit::CheckpointKey::of(current->second, chamber));
  }
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
    last_.emplace(keys.current, keys.keys.size());
  }
  Draft what = draft(Event::opened);
  what.count = loaded;
  trail_.note(std::move(what));
  trail_.checkpoint();
  return loaded;
}

Result<seal::Resealed> AuditedListener::reseal(const seal::ChamberId& chamber, const seal::MasterKeys& keys,
                                               std::size_t most) {
  CC_ASSIGN(seal::Resealed out, inner_.reseal(chamber, keys, most));
  const std::pair now(keys.current, keys.keys.size());
  bool replaced = false;
  {
    const std::lock_guard lock(mutex_);
    replaced = now.second == 1 && last_ && *last_ != now;  // the old one is gone
    last_ = now;
  }
  if (replaced) {
    trail_.note(draft(Event::master_replaced));
  }
  // From here on the log signs with the key of the master key in force.
  const std::lock_guard lock(mutex_);
  if (const auto current = keys.keys.find(keys.current); open_ && current != keys.keys.end()) {
    trail_.take_key(audit::CheckpointKey::of(current->second, chamber));
  }
  return out;
}

void AuditedListener::closing() {
  inner_.closing();
  bool was_open = false;
  {
    const std::lock_guard lock(mutex_);
    was_open = std::exchange(open_, false);
  }
  if (was_open) {
    trail_.note(draft(Event::closed));
    trail_.checkpoint();
  }
  trail_.drop_key();
}

}  // namespace cc::app
