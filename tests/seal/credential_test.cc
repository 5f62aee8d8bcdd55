#include "seal/credential.h"

#include <gtest/gtest.h>

#include "support/memory_ports.h"

namespace cc::seal {
namespace {

constexpr crypto::Argon2Params kTiny{8 * 1024, 1, 1};

struct Fixture {
  test::SeededRandom random{"credential"};
  Secret<32> pepper = random.secret<32>();
  MemberName member{ChamberId{1}, LockId{2}, 3, "alice"};
  SecretBytes rtss = SecretBytes::copy_of("stands for the share of 85 bytes");
  PreparedSecret secret = *prepare_secret({"passphrase", SecretBytes::copy_of("a passphrase of alice")});
  Bytes box = *make_credential(pepper, member, "default", secret, kTiny, rtss, random);
};

template <class T>
ErrorKind kind(const Result<T>& result) {
  return result ? ErrorKind::internal : result.error().kind;
}

TEST(Credential, OpensWithItsSecretOnly) {
  const Fixture f;
  const CredentialBlob blob = *open_pepper_layer(f.pepper, f.member, "default", f.box);
  EXPECT_EQ(blob.kind, "passphrase");
  EXPECT_EQ(blob.params, kTiny);
  EXPECT_TRUE(**open_credential(blob, f.member, "default", f.secret) == f.rtss);
  const auto other = prepare_secret({"passphrase", SecretBytes::copy_of("a passphrase of Alice")});
  EXPECT_FALSE(open_credential(blob, f.member, "default", *other)->has_value());
}

TEST(Credential, EveryBitAndEveryCutIsNoticedWithoutThePassphrase) {
  const Fixture f;
  for (std::size_t bit = 0; bit < f.box.size() * 8; ++bit) {
    Bytes flipped = f.box;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_EQ(kind(open_pepper_layer(f.pepper, f.member, "default", flipped)), ErrorKind::record_tampered) << bit;
  }
  for (std::size_t size = 0; size < f.box.size(); ++size) {
    ASSERT_EQ(kind(open_pepper_layer(f.pepper, f.member, "default", ByteView(f.box).first(size))),
              ErrorKind::record_tampered);
  }
}

TEST(Credential, IsBoundToEverythingThatNamesIt) {
  Fixture f;
  const auto opens = [&](const MemberName& member, const std::string& id) {
    return open_pepper_layer(f.pepper, member, id, f.box).has_value();
  };
  EXPECT_TRUE(opens(f.member, "default"));
  EXPECT_FALSE(opens(f.member, "other"));
  EXPECT_FALSE(opens({ChamberId{9}, f.member.lock, 3, "alice"}, "default"));
  EXPECT_FALSE(opens({f.member.chamber, LockId{9}, 3, "alice"}, "default"));
  EXPECT_FALSE(opens({f.member.chamber, f.member.lock, 4, "alice"}, "default"));
  EXPECT_FALSE(opens({f.member.chamber, f.member.lock, 3, "bob"}, "default"));
}

// With the pepper known and the passphrase right, a blob whose inside was rewritten is tampering, never a wrong
// passphrase.
TEST(Credential, TellsAWrongPassphraseFromAnAlteredShare) {
  const Fixture f;
  const CredentialBlob good = *open_pepper_layer(f.pepper, f.member, "default", f.box);
  for (std::size_t bit = 0; bit < good.wrapped.size() * 8; bit += 7) {
    CredentialBlob blob = good;
    blob.wrapped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_EQ(kind(open_credential(blob, f.member, "default", f.secret)), ErrorKind::record_tampered);
  }
  CredentialBlob blob = good;
  blob.salt[0] ^= 1;
  EXPECT_FALSE(open_credential(blob, f.member, "default", f.secret)->has_value());
}

TEST(Credential, TheKindIsPartOfTheSecret) {
  const Fixture f;
  const auto input = expose_secret_bytes(f.secret.input);
  const std::string expected = std::string("passphrase") + '\0' + "a passphrase of alice";
  EXPECT_TRUE(std::ranges::equal(input, bytes_of(expected)));
}

TEST(Credential, ParametersOutOfRangeAreRefusedUnrun) {
  Fixture f;
  for (const crypto::Argon2Params params : {crypto::Argon2Params{1024, 1, 1},
                                            {2U << 20, 1, 1},
                                            {8192, 0, 1},
                                            {8192, 17, 1},
                                            {8192, 1, 2},
                                            {UINT32_MAX, UINT32_MAX, UINT32_MAX}}) {
    CredentialBlob blob = *open_pepper_layer(f.pepper, f.member, "default", f.box);
    blob.params = params;
    EXPECT_EQ(kind(open_credential(blob, f.member, "default", f.secret)), ErrorKind::record_malformed);
    EXPECT_FALSE(make_credential(f.pepper, f.member, "default", f.secret, params, f.rtss, f.random));
  }
}

TEST(Pending, OpensWithItsTokenOnlyAndNoticesEveryBitAndCut) {
  Fixture f;
  const Token token = draw_token(kRegistrationTokenPrefix, f.random);
  const Bytes box = make_pending(f.pepper, f.member, token.value, f.rtss, f.random);
  EXPECT_TRUE(*open_pending(f.pepper, f.member, token.value, box) == f.rtss);
  const Token other = draw_token(kRegistrationTokenPrefix, f.random);
  EXPECT_EQ(kind(open_pending(f.pepper, f.member, other.value, box)), ErrorKind::registration_token_invalid);
  EXPECT_EQ(kind(open_pending(f.random.secret<32>(), f.member, token.value, box)), ErrorKind::record_tampered);
  MemberName bob = f.member;
  bob.operator_name = "bob";
  EXPECT_EQ(kind(open_pending(f.pepper, bob, token.value, box)), ErrorKind::record_tampered);
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    Bytes flipped = box;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_EQ(kind(open_pending(f.pepper, f.member, token.value, flipped)), ErrorKind::record_tampered);
  }
  for (std::size_t size = 0; size < box.size(); ++size) {
    ASSERT_EQ(kind(open_pending(f.pepper, f.member, token.value, ByteView(box).first(size))),
              ErrorKind::record_tampered);
  }
}

TEST(Token, IsPrefixAnd43CharactersAndReadsBackInOneFormOnly) {
  test::SeededRandom random("token");
  const Error wrong{ErrorKind::registration_token_invalid, "wrong"};
  const Token token = draw_token(kRegistrationTokenPrefix, random);
  const auto text = expose_secret_bytes(token.text);
  const std::string plain(text.begin(), text.end());
  EXPECT_EQ(plain.size(), 50U);
  EXPECT_EQ(plain.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_TRUE(*read_token(kRegistrationTokenPrefix, token.text, wrong) == token.value);
  const auto reads = [&](const std::string& changed) {
    return read_token(kRegistrationTokenPrefix, SecretBytes::copy_of(changed), wrong).has_value();
  };
  EXPECT_FALSE(reads(""));
  EXPECT_FALSE(reads(plain.substr(0, 49)));
  EXPECT_FALSE(reads(plain + "A"));
  EXPECT_FALSE(reads("cc-set-" + plain.substr(7)));
  EXPECT_FALSE(reads(plain.substr(0, 20) + "=" + plain.substr(21)));
  std::string last = plain;  // the last character carries four bits; another with the same four is not canonical
  last.back() = plain.back() == 'A' ? 'B' : static_cast<char>(plain.back() + 1);
  EXPECT_TRUE(!reads(last) ||
              !(*read_token(kRegistrationTokenPrefix, SecretBytes::copy_of(last), wrong) == token.value));
}

}  // namespace
}  // namespace cc::seal
