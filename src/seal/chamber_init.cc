// Init and init-reset.
#include "seal/lock_kms.h"
#include "seal/machine.h"
#include "seal/names.h"

namespace cc::seal {

// A chamber that was built but not stored yet.
struct Chamber::Machine::NewChamber {
  SealRecord record;
  KmsSecrets kms;
  std::optional<MasterKeys> master;  // kms_only; with operators it is wiped once the record is built
  std::vector<std::pair<std::string, SecretBytes>> tokens;
};

namespace {

bool wants_operators(const InitRequest& request) { return request.unseal_threshold != 0 || !request.operators.empty(); }

MasterKeys draw_master_keys(Random& random) {
  MasterKeys keys;
  keys.current = random.array<8>();
  keys.keys.emplace(keys.current, random.secret<32>());
  return keys;
}

}  // namespace

Result<void> Chamber::Machine::check_init(const InitRequest& request) const {
  CC_TRY(check_keks(ports_.keks, request.keks, request.kms_threshold));
  if (!wants_operators(request)) {
    return {};
  }
  return check_operators({request.unseal_threshold, request.operators});
}

Result<void> Chamber::Machine::check_operators(const OperatorSetRequest& request) {
  const std::size_t n = request.operators.size();
  if (n == 0 || n > 255) {
    return fail(ErrorKind::members_invalid, "name 1 to 255 operators (--operators)");
  }
  if (request.threshold == 0 || request.threshold > n) {
    return fail(ErrorKind::threshold_invalid, "the unseal threshold must be 1 to " + std::to_string(n) +
                                                  ", the number of operators, not " +
                                                  std::to_string(request.threshold));
  }
  return check_operator_names(request.operators);
}

// Every share waits for its owner under a token of its own; the lock's key is wiped here.
Result<Chamber::Machine::DealtOperators> Chamber::Machine::deal_operators(const ChamberId& chamber,
                                                                          const Secret<32>& pepper,
                                                                          const OperatorSetRequest& request,
                                                                          const SecretBytes& master_keys) {
  Random& random = ports_.random;
  const Secret<32> lock_key = random.secret<32>();
  LockHeader header{LockKind::operators, 1, random.array<16>(), request.threshold, request.operators};
  CC_ASSIGN(DealtLock dealt, deal(lock_key, chamber, std::move(header), random));
  DealtOperators made;
  made.list.lock = dealt.lock.header.id;
  for (const crypto::Share& share : dealt.shares) {
    const std::string& owner = dealt.lock.header.members[share.index - 1U];
    const MemberName member{chamber, dealt.lock.header.id, share.index, owner};
    Token token = draw_token(kRegistrationTokenPrefix, random);
    const SecretBytes rtss = crypto::to_rtss(share, dealt.lock.header.id, dealt.lock.header.m);
    made.list.entries.push_back({make_pending(pepper, member, token.value, rtss, random), {}, std::nullopt});
    made.tokens.emplace_back(owner, std::move(token.text));
  }
  made.content = seal_content(lock_key, chamber, dealt.lock.header, expose_secret_bytes(master_keys), random);
  CC_ASSIGN(const SecretBytes back, open_content(lock_key, chamber, dealt.lock.header, made.content));
  if (!(back == master_keys)) {
    return fail(ErrorKind::internal, "the new operators lock does not give its content back; nothing was stored");
  }
  made.lock = std::move(dealt.lock);
  return made;
}

Result<Chamber::Machine::NewChamber> Chamber::Machine::build(const InitRequest& request) {
  Random& random = ports_.random;
  NewChamber made;
  Core& core = made.record.core;
  core.chamber = random.array<16>();
  made.kms.lock_key = random.secret<32>();
  made.kms.pepper = random.secret<32>();
  LockHeader header{LockKind::kms, 0, random.array<16>(), request.kms_threshold, request.keks};
  made.kms.lock = header.id;
  CC_ASSIGN(DealtLock dealt, deal(made.kms.lock_key, core.chamber, std::move(header), random));
  CC_TRY(wrap_shares(ports_.keks, core.chamber, dealt, {}));
  core.locks.push_back(std::move(dealt.lock));

  MasterKeys master = draw_master_keys(random);
  core.master_key = master.current;
  made.kms.inner = encode_master_keys(master);
  if (wants_operators(request)) {
    CC_ASSIGN(DealtOperators people, deal_operators(core.chamber, made.kms.pepper,
                                                    {request.unseal_threshold, request.operators}, made.kms.inner));
    made.kms.inner = SecretBytes::copy_of(people.content);
    core.locks.push_back(std::move(people.lock));
    made.record.members.lists.push_back(std::move(people.list));
    made.tokens = std::move(people.tokens);
  }
  const SecretBytes content = encode_kms_content({made.kms.inner.clone(), made.kms.pepper.clone()});
  core.content = seal_content(made.kms.lock_key, core.chamber, core.kms().header, expose_secret_bytes(content), random);
  const Secret<32>& master_key = master.keys.at(master.current);
  core.kcv = key_check_value(master_key, core.chamber);
  made.record.record_mac = record_mac(master_key, core);
  made.record.members_mac = members_mac(made.kms.pepper, core, made.record.members);

  CC_ASSIGN(const StoredRecord back, decode(encode(made.record)));
  if (!(std::get<SealRecord>(back) == made.record)) {
    return fail(ErrorKind::internal, "the new seal record does not read back; nothing was stored");
  }
  if (!wants_operators(request)) {
    made.master = std::move(master);
  }
  return made;
}

// A conflict means that another process wrote first: look again, decide again, and write once more at most.
Result<void> Chamber::Machine::store_new(const NewChamber& made, RecordEvent event) {
  Result<void> stored = commit(made.record);
  if (!stored && stored.error().kind == ErrorKind::record_conflict) {
    CC_TRY(refresh());
    CC_TRY(allow(record_phase(), event));
    stored = commit(made.record);
  }
  return stored;
}

Result<InitReply> Chamber::Machine::init(const InitRequest& request, const SecretBytes& setup_token) {
  const Turn turn(*this);
  CC_TRY(refresh());
  const RecordEvent event = wants_operators(request) ? RecordEvent::init_operators : RecordEvent::init_kms_only;
  CC_TRY(allow(record_phase(), event));
  CC_TRY(allow(process(), ProcessEvent::init));
  CC_TRY(check_setup_token(setup_token));
  CC_TRY(check_init(request));
  CC_ASSIGN(NewChamber made, build(request));
  CC_TRY(store_new(made, event));
  return finish_init(std::move(made));
}

Result<InitReply> Chamber::Machine::finish_init(NewChamber made) {
  InitReply reply;
  if (made.master) {
    if (const auto opened = note(open_chamber(*std::move(made.master))); !opened) {
      return fail(opened.error().kind,
                  "the chamber is initialised and stored but did not open yet: " + opened.error().message);
    }
  } else {
    fire(ProcessEvent::kms_lock_opened);
  }
  kms_ = std::move(made.kms);
  publish();
  const Status now = status();
  reply.state = now.state;
  reply.validators_loaded = now.keys_loaded;
  reply.operator_tokens = std::move(made.tokens);
  return reply;
}

Result<void> Chamber::Machine::init_reset(const SecretBytes& setup_token) {
  const Turn turn(*this);
  CC_TRY(refresh());
  CC_TRY(allow(record_phase(), RecordEvent::init_reset));
  CC_TRY(check_setup_token(setup_token));
  // A chamber that ever opened has left traces: its record is never replaced by a tombstone.
  CC_TRY(check_nothing_lost(true));
  Result<void> stored = commit(Tombstone{record_->core.chamber});
  if (!stored && stored.error().kind == ErrorKind::record_conflict) {
    CC_TRY(refresh());
    CC_TRY(allow(record_phase(), RecordEvent::init_reset));
    stored = commit(Tombstone{record_->core.chamber});
  }
  CC_TRY(stored);
  settle_setup_token(true);
  return {};
}

}  // namespace cc::seal
