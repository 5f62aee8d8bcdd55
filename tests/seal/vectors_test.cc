// The published vectors: every byte of a record from fixed randomness, and a record opened from the published values
// alone.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "seal/chamber_fixture.h"
#include "seal/credential.h"
#include "seal/lock_kms.h"
#include "seal/record_keys.h"
#include "seal/share_text.h"

namespace cc::seal {
namespace {

using Vectors = std::map<std::string, std::string>;

std::string hex(const SecretBytes& bytes) { return to_hex(expose_secret_bytes(bytes)); }
template <std::size_t N>
std::string hex(const Secret<N>& bytes) {
  return to_hex(expose_secret_bytes(bytes));
}

Vectors published() {
  std::ifstream in(std::string(CC_SOURCE_DIR) + "/tests/vectors/seal/seal-record.json");
  std::ostringstream text;
  text << in.rdbuf();
  Vectors out;
  const boost::json::value document = boost::json::parse(text.str());
  for (const auto& [name, value] : document.as_object()) {
    out[name] = std::string(value.as_string());
  }
  return out;
}

// What the KMS lock holds, opened through the KEKs.
struct KmsValues {
  Secret<32> lock_key;
  KmsContent content;
};
KmsValues open_lock(World& world, const Core& core, Vectors& out, const std::string& prefix) {
  for (unsigned i = 1; i <= core.kms().header.n(); ++i) {
    const auto context = share_context(core.chamber, core.kms().header.id, i);
    const auto rtss = world.keks.unwrap(core.kms().header.members[i - 1], context, core.kms().members[i - 1].wrap);
    out[prefix + ".kms_share_" + std::to_string(i)] = hex(*rtss);
    out[prefix + ".kms_verifier_" + std::to_string(i)] = to_hex(core.kms().members[i - 1].verifier);
  }
  Secret<32> lock_key = *open_kms_lock(world.keks, core.chamber, core.kms(), {});
  const SecretBytes content = *open_content(lock_key, core.chamber, core.kms().header, core.content);
  out[prefix + ".kms_lock_key"] = hex(lock_key);
  out[prefix + ".kms_content_key"] = hex(crypto::derive(lock_key, core.chamber, "lock-content", core.kms().header.id));
  out[prefix + ".kms_content"] = hex(content);
  return {std::move(lock_key), *decode_kms_content(content)};
}

void describe(const SealRecord& record, Vectors& out, const std::string& prefix) {
  out[prefix + ".record"] = to_hex(encode(record));
  out[prefix + ".chamber"] = to_hex(record.core.chamber);
  out[prefix + ".core"] = to_hex(encode_core(record.core));
  out[prefix + ".members"] = to_hex(encode_members(record.members));
  out[prefix + ".epoch_digest"] = to_hex(epoch_digest(record.core));
  out[prefix + ".kcv"] = to_hex(record.core.kcv);
  out[prefix + ".record_mac"] = to_hex(record.record_mac);
  out[prefix + ".members_mac"] = to_hex(record.members_mac);
  for (std::size_t i = 0; i < record.core.locks.size(); ++i) {
    out[prefix + ".header_" + std::to_string(i)] = to_hex(encode_header(record.core.locks[i].header));
  }
}

void describe_master(const MasterKeys& keys, const ChamberId& chamber, Vectors& out, const std::string& prefix) {
  const Secret<32>& key = keys.keys.at(keys.current);
  out[prefix + ".mk_id"] = to_hex(keys.current);
  out[prefix + ".master_key"] = hex(key);
  out[prefix + ".master_keys"] = hex(encode_master_keys(keys));
  for (const char* purpose : {"kcv", "record", "keys", "sentinel"}) {
    out[prefix + ".derived_" + purpose] = hex(crypto::derive(key, chamber, purpose));
  }
}

Vectors kms_only_vectors() {
  Vectors out;
  World world("published vectors, kms_only");
  EXPECT_TRUE(init(world, *world.start(), kms_only(2, 3)));
  const SealRecord record = world.record();
  describe(record, out, "kms_only");
  const KmsValues values = open_lock(world, record.core, out, "kms_only");
  out["kms_only.pepper"] = hex(values.content.pepper);
  describe_master(*decode_master_keys(values.content.inner), record.core.chamber, out, "kms_only");
  return out;
}

// In the middle of a change of the master key: two of them behind the lock.
Vectors retiring_vectors() {
  Vectors out;
  World world("published vectors, retiring");
  const auto chamber = world.start();
  EXPECT_TRUE(init(world, *chamber, kms_only(2, 3)));
  EXPECT_TRUE(chamber->rotate_master());
  const SealRecord record = world.record();
  EXPECT_EQ(phase_of(record), RecordPhase::resealing);
  describe(record, out, "retiring");
  const KmsValues values = open_lock(world, record.core, out, "retiring");
  out["retiring.pepper"] = hex(values.content.pepper);
  out["retiring.retiring_mk_id"] = to_hex(*record.core.retiring);
  describe_master(*decode_master_keys(values.content.inner), record.core.chamber, out, "retiring");
  return out;
}

Vectors operator_vectors() {
  Vectors out;
  World world("published vectors, operators");
  const InitRequest request = with_operators(1, {"alice", "bob"});
  const auto chamber = world.start();
  EXPECT_TRUE(init(world, *chamber, request));
  describe(world.record(), out, "registering");
  for (const std::string& name : request.operators) {
    out["registering.token_" + name] = world.tokens[name];
    out["set.passphrase_" + name] = kGoodPassphrase + name;
    EXPECT_TRUE(enroll(world, *chamber, name));
  }
  const SealRecord record = world.record();
  describe(record, out, "set");
  const KmsValues values = open_lock(world, record.core, out, "set");
  const Secret<32>& pepper = values.content.pepper;
  out["set.pepper"] = hex(pepper);
  for (const char* purpose : {"credential", "pending"}) {
    out[std::string("set.derived_") + purpose] =
        hex(crypto::derive(pepper, record.core.chamber, purpose, record.core.operators()->header.id));
  }
  out["set.derived_members"] = hex(crypto::derive(pepper, record.core.chamber, "members"));
  const MemberName alice{record.core.chamber, record.core.operators()->header.id, 1, "alice"};
  const CredentialBlob blob =
      *open_pepper_layer(pepper, alice, "default", record.active_members()->entries[0].credentials[0].box);
  out["set.alice_salt"] = to_hex(blob.salt);
  out["set.alice_commitment"] = to_hex(blob.commitment);
  const auto rtss = *open_credential(blob, alice, "default", *prepare_secret(passphrase_of("alice")));
  out["set.alice_share"] = hex(*rtss);
  ShareCollection shares(record.core.chamber, *record.core.operators());
  crypto::Share share = *read_share(*rtss, record.core.operators()->header, 1, {});
  const SecretBytes text = to_text(share, record.core.operators()->header.id);
  const auto text_bytes = expose_secret_bytes(text);
  out["share_text.alice"] = std::string(text_bytes.begin(), text_bytes.end());
  shares.add(std::move(share));
  const Secret<32> lock_key = *shares.combine();
  out["set.operators_lock_key"] = hex(lock_key);
  const SecretBytes inner = *open_content(lock_key, record.core.chamber, record.core.operators()->header,
                                          expose_secret_bytes(values.content.inner));
  describe_master(*decode_master_keys(inner), record.core.chamber, out, "set");
  out["tombstone.record"] = to_hex(encode(Tombstone{record.core.chamber}));
  return out;
}

TEST(SealVectors, FixedRandomnessGivesThePublishedBytes) {
  Vectors made = kms_only_vectors();
  made.merge(operator_vectors());
  made.merge(retiring_vectors());
  const Vectors expected = published();
  for (const auto& [name, value] : made) {
    const auto found = expected.find(name);
    EXPECT_EQ(found == expected.end() ? "(absent)" : found->second, value) << name;
  }
  EXPECT_EQ(made.size(), expected.size());
}

// As a stranger's program would: from the record, two shares and a passphrase to the master key.
TEST(SealVectors, ThePublishedRecordOpensFromThePublishedValuesAlone) {
  const Vectors v = published();
  const auto record = std::get<SealRecord>(*decode(*from_hex(v.at("set.record"))));
  const Core& core = record.core;
  ShareCollection shares(core.chamber, core.kms());
  for (const unsigned i : {1U, 3U}) {
    const Bytes rtss = *from_hex(v.at("set.kms_share_" + std::to_string(i)));
    shares.add(*read_share(SecretBytes::copy_of(rtss), core.kms().header, i, {}));
  }
  const Secret<32> kms_key = *shares.combine();
  const SecretBytes content = *open_content(kms_key, core.chamber, core.kms().header, core.content);
  const KmsContent inside = *decode_kms_content(content);
  EXPECT_TRUE(check_members(inside.pepper, record));
  const MemberName bob{core.chamber, core.operators()->header.id, 2, "bob"};
  const auto blob =
      open_pepper_layer(inside.pepper, bob, "default", record.active_members()->entries[1].credentials[0].box);
  const auto rtss = *open_credential(*blob, bob, "default", *prepare_secret(passphrase(v.at("set.passphrase_bob"))));
  ShareCollection people(core.chamber, *core.operators());
  people.add(*read_share(*rtss, core.operators()->header, 2, {}));
  const SecretBytes inner =
      *open_content(*people.combine(), core.chamber, core.operators()->header, expose_secret_bytes(inside.inner));
  const MasterKeys keys = *decode_master_keys(inner);
  EXPECT_TRUE(check_core(keys, record));
  EXPECT_EQ(hex(keys.keys.at(keys.current)), v.at("set.master_key"));
}

}  // namespace
}  // namespace cc::seal
