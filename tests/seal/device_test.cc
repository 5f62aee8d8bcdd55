// Credentials of hardware keys: how their challenges are stored, and what the chamber says and does with them.
#include "seal/device.h"

#include <gtest/gtest.h>

#include "seal/chamber_fixture.h"
#include "seal/credential.h"

namespace cc::seal {
namespace {

YubikeyChallenge yubikey(std::uint8_t fill) {
  YubikeyChallenge out;
  out.challenge.fill(fill);
  return out;
}
Fido2Challenge fido2(std::size_t id_bytes = 48) {
  Fido2Challenge out{"signer.example", Bytes(id_bytes, 7), {}, true};
  out.salt.fill(9);
  return out;
}
CredentialSecret answer(std::string_view kind, std::uint8_t fill, std::optional<DeviceChallenge> device = {}) {
  return {std::string(kind), SecretBytes::copy_of(Bytes(device_answer_bytes(kind), fill)), std::move(device)};
}
template <class T>
ErrorKind kind(const Result<T>& result) {
  return result ? ErrorKind::internal : result.error().kind;
}

TEST(Device, EncodesToItselfAndNoticesEveryCut) {
  for (const DeviceChallenge& device :
       {DeviceChallenge(yubikey(3)), DeviceChallenge(fido2()), DeviceChallenge(fido2(1))}) {
    const Bytes bytes = encode_device(device);
    const auto back = decode_device(device_kind(device), bytes);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_EQ(*back, device);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(kind(decode_device(device_kind(device), ByteView(bytes).first(size))), ErrorKind::record_malformed);
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode_device(device_kind(device), longer));
    EXPECT_FALSE(decode_device(kPassphraseKind, bytes));
  }
  EXPECT_FALSE(decode_device(kFido2Kind, encode_device(yubikey(3))));
  EXPECT_FALSE(decode_device(kYubikeyKind, encode_device(fido2())));
}

TEST(Device, LengthsAndNamesOutOfRangeAreRefused) {
  EXPECT_TRUE(check_device(fido2(kMaxFido2IdBytes)).has_value());
  EXPECT_EQ(kind(check_device(fido2(0))), ErrorKind::malformed_request);
  EXPECT_EQ(kind(check_device(fido2(kMaxFido2IdBytes + 1))), ErrorKind::malformed_request);
  for (const std::string& name :
       {std::string(), std::string("Upper"), std::string("a b"), std::string(254, 'a'), std::string("a\0b", 3)}) {
    Fido2Challenge device = fido2();
    device.rp_id = name;
    EXPECT_EQ(kind(check_device(device)), ErrorKind::malformed_request) << name;
    EXPECT_FALSE(decode_device(kFido2Kind, encode_device(device)));
  }
}

TEST(Device, AnAnswerOfAnotherLengthIsRefusedBeforeAnythingElse) {
  for (const auto& [name, size] : {std::pair{kYubikeyKind, 20U}, {kFido2Kind, 32U}}) {
    for (const std::size_t wrong : {std::size_t{0}, std::size_t{size} - 1, std::size_t{size} + 1, std::size_t{4096}}) {
      EXPECT_EQ(kind(prepare_secret({name, SecretBytes(wrong)})), ErrorKind::malformed_request);
    }
  }
  EXPECT_EQ(kind(prepare_new_secret(answer(kYubikeyKind, 1))), ErrorKind::malformed_request) << "no challenge";
  EXPECT_EQ(kind(prepare_new_secret(answer(kYubikeyKind, 1, fido2()))), ErrorKind::malformed_request);
  CredentialSecret plain = passphrase_of("alice");
  plain.device = yubikey(1);
  EXPECT_EQ(kind(prepare_new_secret(plain)), ErrorKind::malformed_request);
}

TEST(Device, ACredentialKeepsItsChallengeAndIsBoundToIt) {
  test::SeededRandom random("device");
  const Secret<32> pepper = random.secret<32>();
  const MemberName member{ChamberId{1}, LockId{2}, 3, "alice"};
  const SecretBytes rtss = SecretBytes::copy_of("stands for the share of 85 bytes");
  const auto secret = prepare_new_secret(answer(kYubikeyKind, 5, yubikey(6)));
  const Bytes box = *make_credential(pepper, member, "key", *secret, {8192, 1, 1}, rtss, random);
  CredentialBlob blob = *open_pepper_layer(pepper, member, "key", box);
  EXPECT_EQ(*decode_device(blob.kind, blob.device), DeviceChallenge(yubikey(6)));
  const auto later = prepare_secret(answer(kYubikeyKind, 5));
  EXPECT_TRUE(**open_credential(blob, member, "key", *later) == rtss);
  EXPECT_FALSE(open_credential(blob, member, "key", *prepare_secret(answer(kYubikeyKind, 4)))->has_value());
  EXPECT_FALSE(open_credential(blob, member, "key", *prepare_secret(answer(kFido2Kind, 5)))->has_value());
  blob.device = encode_device(yubikey(7));
  EXPECT_EQ(kind(open_credential(blob, member, "key", *later)), ErrorKind::record_tampered);
}

TEST(Challenge, IsHandedOutStableAndOpensTheShareWithItsAnswer) {
  World world;
  auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(chamber->add_credential("alice", {"default", passphrase_of("alice")},
                                      {"key-1", answer(kYubikeyKind, 1, yubikey(1))}, "here"));
  ASSERT_TRUE(chamber->add_credential("alice", {"key-1", answer(kYubikeyKind, 1)},
                                      {"key-2", answer(kFido2Kind, 2, fido2())}, "here"));
  const std::vector<NamedChallenge> expected{{"key-1", yubikey(1)}, {"key-2", fido2()}};
  EXPECT_EQ(chamber->challenges("alice").value(), expected);
  EXPECT_TRUE(chamber->challenges("bob").value().empty()) << "passphrases ask no hardware";

  chamber = world.start_and_step();
  EXPECT_EQ(chamber->challenges("alice").value(), expected);
  EXPECT_EQ(kind(chamber->unseal("alice", answer(kYubikeyKind, 9), "here")), ErrorKind::wrong_passphrase);
  EXPECT_EQ(chamber->unseal("alice", answer(kFido2Kind, 2), "here").value().shares_received, 1U);
  EXPECT_EQ(kind(chamber->unseal("alice", answer(kYubikeyKind, 1), "here")), ErrorKind::share_repeated);
  EXPECT_EQ(chamber->unseal("bob", passphrase_of("bob"), "here").value().state, VisibleState::unsealed);
  EXPECT_EQ(chamber->challenges("alice").value(), expected) << "as long as it is open, too";
  EXPECT_EQ(chamber->drill("alice", answer(kFido2Kind, 2), "here").value().credential_id, "key-2");
}

TEST(Challenge, OfNobodyIsMadeUpAndStaysTheSame) {
  World world;
  auto chamber = ready_to_unseal(world);
  const auto first = chamber->challenges("mallory").value();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(device_kind(first[0].device), kYubikeyKind);
  EXPECT_NE(first, chamber->challenges("mallet").value());
  chamber = world.start_and_step();
  EXPECT_EQ(chamber->challenges("mallory").value(), first);
}

TEST(Challenge, NeedsTheKmsLockOpen) {
  World world;
  auto chamber = world.start();
  EXPECT_EQ(kind(chamber->challenges("alice")), ErrorKind::not_initialized);
  chamber = ready_to_unseal(world);
  chamber = world.start();
  EXPECT_EQ(kind(chamber->challenges("alice")), ErrorKind::kms_pending);
  World alone("alone");
  chamber = alone.start();
  ASSERT_TRUE(chamber->init(kms_only(), secret(*chamber->setup_token())));
  EXPECT_EQ(kind(chamber->challenges("alice")), ErrorKind::wrong_state);
}

// Stored parameters below the configured ones are raised on use; the challenge must survive that.
TEST(Challenge, SurvivesStrongerParameters) {
  World world;
  auto chamber = ready_to_unseal(world);
  ASSERT_TRUE(chamber->add_credential("alice", {"default", passphrase_of("alice")},
                                      {"key-1", answer(kYubikeyKind, 1, yubikey(1))}, "here"));
  ChamberOptions stronger = world.options();
  stronger.argon2.passes = 2;
  Chamber raised({world.keks, world.store, world.traces, world.listener, world.clock, world.random}, stronger);
  ASSERT_TRUE(raised.boot());
  ASSERT_TRUE(raised.run_kms_step());
  const SealRecord before = world.record();
  ASSERT_TRUE(raised.unseal("alice", answer(kYubikeyKind, 1), "here"));
  ASSERT_EQ(raised.unseal("bob", passphrase_of("bob"), "here").value().state, VisibleState::unsealed);
  const auto box_of = [](const SealRecord& record) { return record.active_members()->entries[0].credentials[1].box; };
  EXPECT_NE(box_of(world.record()), box_of(before)) << "the parameters were raised";
  EXPECT_EQ(raised.challenges("alice").value(), (std::vector<NamedChallenge>{{"key-1", yubikey(1)}}));
  EXPECT_TRUE(raised.drill("alice", answer(kYubikeyKind, 1), "here"));
}

}  // namespace
}  // namespace cc::seal
