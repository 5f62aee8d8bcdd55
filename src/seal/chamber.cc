#include "seal/chamber.h"

#include <new>

#include "seal/machine.h"

namespace cc::seal {
namespace {

// No exception leaves the room: locked memory and containers may run out.
template <class Work>
auto guarded(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::locked_memory,
                "memory for secrets ran out; raise the memory-lock limit (ulimit -l) or free memory, then try again");
  } catch (const std::exception&) {
    return fail(ErrorKind::internal, "the ceremony failed inside; nothing was announced that was not stored");
  }
}

}  // namespace

Chamber::Chamber(Ports ports, ChamberOptions options) : machine_(std::make_unique<Machine>(ports, options)) {}
Chamber::~Chamber() = default;

Result<void> Chamber::boot() {
  return guarded([&] { return machine_->boot(); });
}
Result<void> Chamber::run_kms_step() {
  return guarded([&] { return machine_->run_kms_step(); });
}
void Chamber::tick() { machine_->tick(); }
Result<void> Chamber::poll() {
  return guarded([&] { return machine_->poll(); });
}
Status Chamber::status() const { return machine_->status(); }
bool Chamber::may_sign() const { return machine_->may_sign(); }
std::optional<std::string> Chamber::setup_token() const { return machine_->setup_token(); }

Result<InitReply> Chamber::init(const InitRequest& request, const SecretBytes& setup_token) {
  return guarded([&] { return machine_->init(request, setup_token); });
}
Result<void> Chamber::init_reset(const SecretBytes& setup_token) {
  return guarded([&] { return machine_->init_reset(setup_token); });
}
Result<RegisterReply> Chamber::register_operator(const std::string& operator_name,
                                                 const SecretBytes& registration_token,
                                                 const std::string& credential_id, const CredentialSecret& credential) {
  return guarded(
      [&] { return machine_->register_operator(operator_name, registration_token, credential_id, credential); });
}
Result<UnsealReply> Chamber::unseal(const std::string& operator_name, const CredentialSecret& credential,
                                    const std::string& source) {
  return guarded([&] { return machine_->unseal(operator_name, credential, source); });
}
Result<UnsealReply> Chamber::unseal_reset(const std::string& operator_name, const CredentialSecret& credential,
                                          const std::string& source) {
  return guarded([&] { return machine_->unseal_reset(operator_name, credential, source); });
}
Result<UnsealReply> Chamber::unseal_reset_authorised() {
  return guarded([&] { return machine_->unseal_reset_authorised(); });
}
Result<void> Chamber::seal(const std::string& reason, bool hold, bool all) {
  return guarded([&] { return machine_->seal(reason, hold, all); });
}
Result<void> Chamber::resume() {
  return guarded([&] { return machine_->resume(); });
}
Result<std::vector<std::string>> Chamber::credential_ids(const std::string& operator_name) const {
  return guarded([&] { return machine_->credential_ids(operator_name); });
}
Result<std::vector<NamedChallenge>> Chamber::challenges(const std::string& operator_name) {
  return guarded([&] { return machine_->challenges(operator_name); });
}
Result<void> Chamber::add_credential(const std::string& operator_name, const NamedCredential& existing,
                                     const NamedCredential& added, const std::string& source) {
  return guarded([&] { return machine_->add_credential(operator_name, existing, added, source); });
}
Result<void> Chamber::remove_credential(const std::string& operator_name, const NamedCredential& existing,
                                        const std::string& removed_id, const std::string& source) {
  return guarded([&] { return machine_->remove_credential(operator_name, existing, removed_id, source); });
}

Result<RotationReply> Chamber::rotate_kms(const KmsSetRequest& request) {
  return guarded([&] { return machine_->rotate_kms(request); });
}
Result<RotationReply> Chamber::rotate_unseal(const OperatorSetRequest& request) {
  return guarded([&] { return machine_->rotate_unseal(request); });
}
Result<RotationReply> Chamber::rotate_to_unseal(const OperatorSetRequest& request) {
  return guarded([&] { return machine_->rotate_to_unseal(request); });
}
Result<RotationReply> Chamber::rotate_to_kms_only() {
  return guarded([&] { return machine_->rotate_to_kms_only(); });
}
Result<RotationReply> Chamber::rotate_master() {
  return guarded([&] { return machine_->rotate_master(); });
}
Result<bool> Chamber::work_on_master_key() {
  return guarded([&] { return machine_->work_on_master_key(); });
}
Result<void> Chamber::rotate_cancel() {
  return guarded([&] { return machine_->rotate_cancel(); });
}
Result<ApproveReply> Chamber::approve(const std::string& operator_name, const CredentialSecret& credential,
                                      const std::string& rotation, const std::string& source) {
  return guarded([&] { return machine_->approve(operator_name, credential, rotation, source); });
}
Result<UnsealReply> Chamber::rehearse(const std::string& operator_name, const CredentialSecret& credential,
                                      const std::string& source) {
  return guarded([&] { return machine_->rehearse(operator_name, credential, source); });
}
Result<DrillReply> Chamber::drill(const std::string& operator_name, const CredentialSecret& credential,
                                  const std::string& source) {
  return guarded([&] { return machine_->drill(operator_name, credential, source); });
}
void Chamber::probe_keks() { machine_->probe_keks(); }

}  // namespace cc::seal
