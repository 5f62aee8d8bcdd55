// Faults planted in a log are found and named, whoever planted them knew the format or not.
#include <gtest/gtest.h>

#include <algorithm>

#include "log_of.h"

namespace cc::audit {
namespace {

using test::faults_of;
using test::published_log;
using test::verified;

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

// The log from an entry on as somebody would write it who has no key: every head is computed anew.
std::string rewritten_from(std::size_t index, const std::function<void(Draft&)>& edit) {
  const auto log = published_log();
  test::LogOf out;
  for (std::size_t i = 0; i < log.lines.size(); ++i) {
    const Entry entry = decode(log.lines[i]).value();
    Draft what = entry.what;
    if (i == index) {
      edit(what);
    }
    out.lines.push_back(out.chain.append(what, entry.time, entry.checkpoint));
  }
  return out.text();
}

TEST(Verify, AGoodLogHolds) {
  const auto log = published_log();
  Expectations expected;
  expected.heads.push_back(log.chain.head());
  expected.keys.insert(test::checkpoint_key().public_key());
  const Verifier out = verified(log.text(), expected);
  EXPECT_EQ(faults_of(out), "");
  EXPECT_EQ(out.head(), log.chain.head());
  EXPECT_EQ(out.head().number, 12U);
  EXPECT_EQ(out.checkpoints(), 2U);
  EXPECT_EQ(out.signed_up_to(), 10U);
}

TEST(Verify, EveryEditedEntryIsNamed) {
  const auto log = published_log();
  for (std::size_t i = 1; i < log.lines.size(); ++i) {
    auto lines = log.lines;
    const auto at = lines[i].find(R"("time":17)");
    lines[i][at + 9] = '6';
    const Verifier out = verified(joined(lines));
    const std::string number = std::to_string(i + 1);
    ASSERT_FALSE(out.faults().empty()) << i;
    EXPECT_TRUE(faults_of(out).starts_with("altered " + number)) << faults_of(out);
  }
}

TEST(Verify, AnEditWithItsOwnHeadMadeAnewShowsAtTheNextEntry) {
  auto log = published_log();
  Entry entry = decode(log.lines[6]).value();
  entry.what.by = Author::of_operator("mallory");
  const crypto::Digest before = decode(log.lines[5]).value().head;
  entry.head = next_head(before, entry_hash(body_of(entry)));
  log.lines[6] = encode(entry);
  EXPECT_EQ(faults_of(verified(log.text())), "altered 8");
}

TEST(Verify, EveryRemovedEntryIsNamed) {
  const auto log = published_log();
  for (std::size_t i = 0; i + 1 < log.lines.size(); ++i) {
    auto lines = log.lines;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(faults_of(verified(joined(lines))).ends_with("missing " + std::to_string(i + 1)))
        << faults_of(verified(joined(lines)));
  }
}

TEST(Verify, SwappedAndRepeatedEntriesAreNamed) {
  const auto log = published_log();
  for (std::size_t i = 1; i + 1 < log.lines.size(); ++i) {
    auto lines = log.lines;
    std::swap(lines[i], lines[i + 1]);
    const std::string found = faults_of(verified(joined(lines)));
    EXPECT_NE(found.find("reordered " + std::to_string(i + 1)), std::string::npos) << found;
    lines = log.lines;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    EXPECT_EQ(faults_of(verified(joined(lines))), "reordered " + std::to_string(i + 1));
  }
}

TEST(Verify, ACutTailShowsToWhoeverRemembersAHead) {
  const auto log = published_log();
  for (std::size_t keep = 0; keep < log.lines.size(); ++keep) {
    auto lines = log.lines;
    lines.resize(keep);
    EXPECT_EQ(faults_of(verified(joined(lines))), "") << "nobody else can know";
    Expectations expected;
    expected.heads.push_back(log.chain.head());
    EXPECT_EQ(faults_of(verified(joined(lines), expected)), "cut " + std::to_string(keep + 1));
  }
}

TEST(Verify, ALineWithoutAnEndIsTorn) {
  const std::string text = published_log().text();
  EXPECT_EQ(faults_of(verified(text.substr(0, text.size() - 1))), "torn 12");
  EXPECT_EQ(faults_of(verified(text.substr(0, text.size() - 40))), "torn 12");
}

TEST(Verify, ALogWrittenAnewByWhoeverHasNoKeyBreaksItsCheckpoints) {
  const std::string forged = rewritten_from(2, [](Draft& what) { what.by = Author::of_operator("somebody-else"); });
  EXPECT_EQ(faults_of(verified(forged)), "forged 5, forged 11");
  Expectations expected;
  expected.heads.push_back(published_log().chain.head());
  EXPECT_EQ(faults_of(verified(forged, expected)), "forged 5, forged 11, rewritten 12");
}

TEST(Verify, ACheckpointOfAnotherKeyIsForgedOnceTheKeyIsNamed) {
  test::LogOf log;
  log.add(test::draft(Event::log_started));
  log.sign(test::checkpoint_key(7));
  EXPECT_EQ(faults_of(verified(log.text())), "");
  Expectations expected;
  expected.keys.insert(test::checkpoint_key().public_key());
  EXPECT_EQ(faults_of(verified(log.text(), expected)), "forged 2, not_signed 2");
  expected.keys.insert(test::checkpoint_key(7).public_key());
  EXPECT_EQ(faults_of(verified(log.text(), expected)), "");
}

TEST(Verify, ALogWrittenAnewWithoutItsCheckpointsIsFoundOnceTheKeyIsNamed) {
  Expectations expected;
  expected.keys.insert(test::checkpoint_key().public_key());
  const auto log_of = [](std::size_t open_entries, bool first, bool last) {
    test::LogOf log;
    log.add(test::draft(Event::log_started));
    log.add(test::draft(Event::opened));
    if (first) {
      log.sign(test::checkpoint_key());
    }
    for (std::size_t i = 0; i < open_entries; ++i) {
      log.add(test::draft(Event::access, Outcome::refused));
    }
    log.add(test::draft(Event::closed));
    if (last) {
      log.sign(test::checkpoint_key());
    }
    return log.text();
  };
  EXPECT_EQ(faults_of(verified(log_of(3, true, true), expected)), "");
  EXPECT_EQ(faults_of(verified(log_of(3, true, false), expected)), "") << "killed before it signed";
  EXPECT_EQ(faults_of(verified(log_of(3, false, true), expected)), "not_signed 6");
  EXPECT_EQ(faults_of(verified(log_of(200, true, true), expected)), "not_signed 131");
  EXPECT_EQ(faults_of(verified(log_of(3, false, false), expected)), "not_signed 6, not_signed 6");
  EXPECT_EQ(faults_of(verified("", expected)), "not_signed 0");
  EXPECT_EQ(faults_of(verified(log_of(200, false, false))), "") << "no key, no claim";
  EXPECT_EQ(verified(log_of(3, true, false), expected).unsigned_tail(), 5U);
}

TEST(Verify, RubbishIsNoEntryAndTheRestIsStillRead) {
  auto lines = published_log().lines;
  lines[3] = "rubbish";
  EXPECT_EQ(faults_of(verified(joined(lines))), "unreadable 4");
  lines[8] = std::string(3, '\0');
  EXPECT_EQ(faults_of(verified(joined(lines))), "unreadable 4, unreadable 9");
}

TEST(Heads, OneGrowsOutOfTheOther) {
  const auto log = published_log();
  Head at{};
  for (const std::string& line : log.lines) {
    at = {at.number + 1, next_head(at.value, entry_hash(hashed_part(line)))};
  }
  EXPECT_EQ(at, log.chain.head());
  EXPECT_EQ(parse_head(text_of(at)).value(), at);
  for (const char* bad : {"", "12", "12:", "x:00", "012:00"}) {
    EXPECT_FALSE(parse_head(bad)) << bad;
  }
}

// ---- transcripts
Transcript transcript_of(const std::vector<std::string>& lines, std::uint64_t from, std::uint64_t to) {
  TranscriptBuilder builder(from, to);
  for (const std::string& line : lines) {
    builder.line(line);
  }
  return builder.finish().value();
}
const std::set<CheckpointPublicKey>& our_key() {
  static const std::set<CheckpointPublicKey> key{test::checkpoint_key().public_key()};
  return key;
}

TEST(Transcripts, EveryPieceThatACheckpointCoversIsProvenByTheKeyAlone) {
  const auto log = published_log();
  for (std::uint64_t from = 1; from <= 10; ++from) {
    for (std::uint64_t to = from; to <= 10; ++to) {
      const Transcript made = transcript_of(log.lines, from, to);
      const auto read = check(made, our_key());
      ASSERT_TRUE(read.has_value()) << from << " to " << to << ": " << read.error().message;
      EXPECT_EQ(read->size(), to - from + 1);
    }
    EXPECT_EQ(check(transcript_of(log.lines, from, 0), our_key())->size(), 11 - from);
  }
}

TEST(Transcripts, WhatNoCheckpointCoversCannotBeShown) {
  const auto log = published_log();
  const auto error_of = [&](std::uint64_t from, std::uint64_t to) {
    TranscriptBuilder builder(from, to);
    for (const std::string& line : log.lines) {
      builder.line(line);
    }
    const auto made = builder.finish();
    return made ? ErrorKind::internal : made.error().kind;
  };
  EXPECT_EQ(error_of(12, 12), ErrorKind::wrong_state);
  EXPECT_EQ(error_of(12, 0), ErrorKind::wrong_state);
  EXPECT_EQ(error_of(12, 13), ErrorKind::not_found);
  EXPECT_EQ(error_of(20, 0), ErrorKind::not_found);
}

TEST(Transcripts, EveryChangeIsNoticed) {
  const Transcript good = transcript_of(published_log().lines, 3, 8);
  ASSERT_TRUE(check(good, our_key()));
  const auto broken = [&](const std::function<void(Transcript&)>& edit) {
    Transcript changed = good;
    edit(changed);
    const auto read = check(changed, our_key());
    return !read && read.error().kind == ErrorKind::audit_log_broken;
  };
  for (std::size_t i = 0; i < good.entries.size(); ++i) {
    EXPECT_TRUE(broken([i](Transcript& t) { t.entries.erase(t.entries.begin() + static_cast<std::ptrdiff_t>(i)); }));
    for (std::size_t byte = 0; byte < good.entries[i].size(); byte += 3) {
      EXPECT_TRUE(broken([&](Transcript& t) { t.entries[i][byte] = t.entries[i][byte] == '1' ? '2' : '1'; }));
    }
  }
  EXPECT_TRUE(broken([](Transcript& t) { t.hashes.pop_back(); }));
  EXPECT_TRUE(broken([](Transcript& t) { t.hashes.front()[0] ^= 1; }));
  EXPECT_TRUE(broken([](Transcript& t) { t.before.value[0] ^= 1; }));
  EXPECT_TRUE(broken([](Transcript& t) { t.before.number = 1; }));
  EXPECT_TRUE(broken([](Transcript& t) { t.log[0] ^= 1; }));
  EXPECT_TRUE(broken([](Transcript& t) { t.checkpoint.clear(); }));
  EXPECT_TRUE(broken([](Transcript& t) { t.entries.clear(); }));
  EXPECT_FALSE(check(good, {test::checkpoint_key(9).public_key()}));
  EXPECT_FALSE(check(good, {}));
}

}  // namespace
}  // namespace cc::audit
