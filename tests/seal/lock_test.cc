#include "seal/lock.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/memory_ports.h"

namespace cc::seal {
namespace {

const ChamberId kChamber{1, 2, 3};

LockHeader header(unsigned m, unsigned n) {
  LockHeader out{LockKind::operators, 1, LockId{9, 9}, m, {}};
  for (unsigned i = 0; i < n; ++i) {
    out.members.push_back("member-" + std::to_string(i));
  }
  return out;
}

crypto::Share copy(const crypto::Share& share) { return {share.index, share.value.clone()}; }
crypto::Share spoiled(const crypto::Share& share) {
  crypto::Share out = copy(share);
  expose_secret_bytes(out.value)[17] ^= 0x40;
  return out;
}

// Every m of every n up to 6, every subset handed in, every placement of one wrong share in it.
TEST(Lock, AWrongShareIsNamedInEveryPlaceAndTheGoodOnesOpen) {
  test::SeededRandom random("placements");
  for (unsigned n = 1; n <= 6; ++n) {
    for (unsigned m = 1; m <= n; ++m) {
      const Secret<32> key = random.secret<32>();
      const DealtLock dealt = deal(key, kChamber, header(m, n), random).value();
      for (unsigned handed = 1; handed < 1U << n; ++handed) {
        for (unsigned wrong = 0; wrong <= n; ++wrong) {
          ShareCollection shares(kChamber, dealt.lock);
          unsigned good = 0;
          for (unsigned i = 0; i < n; ++i) {
            if ((handed >> i & 1U) == 0) {
              continue;
            }
            const bool bad = i + 1 == wrong;
            const auto verdict = shares.add(bad ? spoiled(dealt.shares[i]) : copy(dealt.shares[i]));
            ASSERT_EQ(verdict, bad ? ShareCollection::Verdict::set_aside : ShareCollection::Verdict::counted);
            good += bad ? 0 : 1;
          }
          ASSERT_EQ(shares.counted(), good);
          const auto opened = shares.combine();
          ASSERT_EQ(opened.has_value(), good >= m) << m << " of " << n << ", handed " << handed << ", wrong " << wrong;
          if (opened) {
            ASSERT_TRUE(*opened == key);
          }
        }
      }
    }
  }
}

TEST(Lock, AShareCountsOnceAndAGoodOneReplacesOneSetAside) {
  test::SeededRandom random("repeat");
  const Secret<32> key = random.secret<32>();
  const DealtLock dealt = deal(key, kChamber, header(2, 3), random).value();
  ShareCollection shares(kChamber, dealt.lock);
  EXPECT_EQ(shares.add(spoiled(dealt.shares[0])), ShareCollection::Verdict::set_aside);
  EXPECT_FALSE(shares.holds(1));
  EXPECT_EQ(shares.add(copy(dealt.shares[0])), ShareCollection::Verdict::counted);
  EXPECT_EQ(shares.add(copy(dealt.shares[0])), ShareCollection::Verdict::repeated);
  EXPECT_EQ(shares.add(spoiled(dealt.shares[0])), ShareCollection::Verdict::repeated);
  EXPECT_EQ(shares.counted(), 1U);
  EXPECT_FALSE(shares.may_combine());
}

TEST(Lock, VerifiersThatAllLieAreOverruledByTheSharesThemselves) {
  test::SeededRandom random("lying verifiers");
  const Secret<32> key = random.secret<32>();
  DealtLock dealt = deal(key, kChamber, header(3, 5), random).value();
  for (LockMember& member : dealt.lock.members) {
    member.verifier.fill(0);
  }
  ShareCollection shares(kChamber, dealt.lock);
  EXPECT_EQ(shares.add(spoiled(dealt.shares[0])), ShareCollection::Verdict::set_aside);
  for (unsigned i = 1; i < 4; ++i) {
    EXPECT_EQ(shares.add(copy(dealt.shares[i])), ShareCollection::Verdict::set_aside);
  }
  ASSERT_TRUE(shares.may_combine());
  EXPECT_TRUE(shares.combine().value() == key);
}

TEST(Lock, AShareKnowsItsLockMemberAndThreshold) {
  test::SeededRandom random("read");
  const LockHeader active = header(2, 3);
  const DealtLock dealt = deal(random.secret<32>(), kChamber, active, random).value();
  const LockId retired{7};
  const LockId foreign{8};
  const auto read = [&](const LockId& id, unsigned m, unsigned index) {
    const auto share = read_share(crypto::to_rtss(dealt.shares[0], id, m), active, index, {retired});
    return share ? "ok" : std::string(facts(share.error().kind).code);
  };
  EXPECT_EQ(read(active.id, 2, 1), "ok");
  EXPECT_EQ(read(retired, 2, 1), "share_older_set");
  EXPECT_EQ(read(foreign, 2, 1), "share_other_set");
  EXPECT_EQ(read(active.id, 2, 2), "share_wrong_operator");
  EXPECT_EQ(read(active.id, 3, 1), "share_wrong_operator");
  EXPECT_EQ(read_share(SecretBytes(10), active, 1, {}).error().kind, ErrorKind::record_malformed);
}

TEST(Lock, TheContentProvesTheHeaderAndEveryBitOfItself) {
  test::SeededRandom random("content");
  const Secret<32> key = random.secret<32>();
  const LockHeader good = header(2, 3);
  const SecretBytes content = SecretBytes::copy_of("what lies inside");
  const Bytes box = seal_content(key, kChamber, good, expose_secret_bytes(content), random);
  EXPECT_TRUE(open_content(key, kChamber, good, box).value() == content);
  const auto refuses = [&](const LockHeader& other, ByteView bytes) {
    const auto opened = open_content(key, kChamber, other, bytes);
    return !opened && opened.error().kind == ErrorKind::record_tampered;
  };
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    Bytes flipped = box;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_TRUE(refuses(good, flipped)) << bit;
  }
  for (std::size_t size = 0; size < box.size(); ++size) {
    ASSERT_TRUE(refuses(good, ByteView(box).first(size))) << size;
  }
  LockHeader changed = good;
  changed.m = 1;
  EXPECT_TRUE(refuses(changed, box));
  changed = good;
  std::swap(changed.members[0], changed.members[1]);
  EXPECT_TRUE(refuses(changed, box));
  changed = good;
  changed.kind = LockKind::kms;
  EXPECT_TRUE(refuses(changed, box));
  EXPECT_FALSE(open_content(key, ChamberId{5}, good, box)) << "another chamber";
}

}  // namespace
}  // namespace cc::seal
