// FIDO2 security keys: the secret comes back, is bound to key, credential, salt and PIN, and every trouble has its
// name. The authenticator is software behind libfido2's transport hook (support/software_authenticator.h); libfido2 is
// real.
#include "adapters/tokens/fido2.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "adapters/tokens/errors.h"
#include "support/process.h"
#include "support/software_authenticator.h"

namespace cc::tokens {
namespace {

const std::string kSeed(64, '1');
const std::string kOtherSeed(64, '2');

struct Desk {
  cc::test::TemporaryFolder folder;
  std::unique_ptr<Fido2Devices> devices = cc::test::software_authenticators(folder.string());
  SystemRandom random;
  std::string pin;
  int pins = 0;
  std::vector<std::string> told;
  Fido2Person person{[this]() -> Result<SecretBytes> {
                       ++pins;
                       return SecretBytes::copy_of(pin);
                     },
                     [this](const std::string& text) { told.push_back(text); }};

  std::string path(const std::string& name) const { return (folder / (name + ".key")).string(); }
  void plug(const std::string& name, const std::string& seed, const std::string& more = {}) {
    cc::test::write_authenticator(path(name), seed, more);
  }
  void pull(const std::string& name) { std::filesystem::remove(path(name)); }
  Result<Fido2Enrolled> enrol(const std::string& device = {}) {
    return enrol_fido2(*devices, device, "signer.example", "alice", random, person);
  }
  Result<Fido2Answer> answer(const std::vector<Fido2Request>& requests) {
    return answer_fido2(*devices, {}, requests, random, person);
  }
};

template <class T>
void refused(const Result<T>& result, ErrorKind kind, const std::string& words) {
  ASSERT_FALSE(result.has_value()) << "expected: " << words;
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
}

TEST(Fido2, TheSecretComesBackAndIsBoundToEverything) {
  Desk desk;
  desk.plug("a", kSeed);
  const auto made = desk.enrol();
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_FALSE(made->request.verification);
  EXPECT_EQ(desk.pins, 0) << "a key without a PIN asks for none";
  EXPECT_EQ(desk.told.size(), 2U);
  const auto again = desk.answer({made->request});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->secret == made->secret);

  Fido2Request other = made->request;
  other.salt[0] ^= 1;
  EXPECT_FALSE(desk.answer({other})->secret == made->secret);
  const auto second = desk.enrol();
  EXPECT_FALSE(second->secret == made->secret);
  other = made->request;
  other.rp_id = "another.example";
  refused(desk.answer({other}), kWrongKey, "wrong key");
  desk.plug("a", kOtherSeed);
  refused(desk.answer({made->request}), kWrongKey, "wrong key");
}

TEST(Fido2, TheKeyItselfSaysWhichCredentialIsItsOwn) {
  Desk desk;
  desk.plug("a", kSeed);
  const auto first = desk.enrol();
  desk.pull("a");
  desk.plug("b", kOtherSeed);
  const auto second = desk.enrol();
  const std::vector<Fido2Request> both{first->request, second->request};
  desk.told.clear();
  auto answer = desk.answer(both);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->request, 1U);
  EXPECT_TRUE(answer->secret == second->secret);
  EXPECT_EQ(desk.told.size(), 1U) << "one touch";
  desk.plug("a", kSeed);
  EXPECT_EQ(desk.answer({second->request})->request, 0U) << "the other key is passed over";
  refused(desk.enrol(), ErrorKind::usage, "several security keys");
  EXPECT_TRUE(desk.enrol(desk.path("a")).has_value());
  refused(desk.enrol("/nowhere"), kNotThere, "no security key is at /nowhere");
}

TEST(Fido2, APinIsAskedForWhereTheKeyHasOneAndIsPartOfTheCredential) {
  Desk desk;
  desk.plug("a", kSeed, "pin=1234 and more\n");
  desk.pin = "1234 and more";
  const auto made = desk.enrol();
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_TRUE(made->request.verification);
  EXPECT_EQ(desk.pins, 1) << "once for both touches";
  EXPECT_TRUE(desk.answer({made->request})->secret == made->secret);
  Fido2Request without = made->request;
  without.verification = false;
  EXPECT_FALSE(desk.answer({without})->secret == made->secret);

  desk.pin = "4321";
  refused(desk.answer({made->request}), kWrongKey, "wrong; tries left before it is blocked: 7");
  refused(desk.answer({made->request}), kWrongKey, "blocked: 6");
  for (const std::string& bad : {std::string("123"), std::string(64, '1'), std::string("12\0 45", 6)}) {
    desk.pin = bad;
    refused(desk.answer({made->request}), ErrorKind::usage, "4 to 63 bytes");
  }
  desk.pin = "1234 and more";
  EXPECT_TRUE(desk.answer({made->request})->secret == made->secret);
  desk.plug("a", kSeed, "pin=1234 and more\ntries=1\n");
  desk.pin = "4321";
  refused(desk.answer({made->request}), kNotReady, "blocked");
  desk.plug("a", kSeed);
  refused(desk.answer({made->request}), kNotReady, "no PIN");
}

TEST(Fido2, EveryTroubleHasItsName) {
  Desk desk;
  refused(desk.enrol(), kNotThere, "no security key is plugged in");
  desk.plug("a", kSeed);
  const auto made = desk.enrol();
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const auto both = [&](const std::string& behaviour, ErrorKind kind, const std::string& words) {
    desk.plug("a", kSeed, behaviour);
    refused(desk.enrol(), kind, words);
    refused(desk.answer({made->request}), kind, words);
  };
  both("behaviour=denied\n", kNotReady, "refuse");
  both("behaviour=not-touched\n", kNotReady, "not touched in time");
  both("behaviour=pulled-out\n", kNotThere, "pulled out");
  desk.plug("a", kSeed, "extensions=\n");
  refused(desk.enrol(), kNotReady, "hmac-secret");
  desk.pull("a");
  refused(desk.answer({made->request}), kNotThere, "no security key is plugged in");
}

// What this machine has plugged in, if anything, must only be listed without an accident.
TEST(Fido2, TheRealKeysOfThisMachineCanBeListed) {
  const auto found = usb_fido2_devices()->list();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  refused(usb_fido2_devices()->open("/dev/null"), kNotThere, "/dev/null cannot be opened");
}

}  // namespace
}  // namespace cc::tokens
