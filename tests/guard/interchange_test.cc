#include "guard/interchange.h"

#include <gmock/gmock.h>

#include "guard/guard_fixture.h"

namespace cc::guard {
namespace {

using test::MemorySlashingStore;
using testing::HasSubstr;

constexpr const char* kKey =
    "0xa00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001";

std::string file(const std::string& data, const std::string& version = "\"5\"") {
  return R"({"metadata":{"interchange_format_version":)" + version + R"(,"genesis_validators_root":"0x)" +
         std::string(64, '0') + R"("},"data":)" + data + "}";
}
std::string entry(const std::string& blocks, const std::string& votes = "[]") {
  return std::string(R"([{"pubkey":")") + kKey + R"(","signed_blocks":)" + blocks + R"(,"signed_attestations":)" +
         votes + "}]";
}
std::string complaint(const std::string& text) {
  const auto read = parse_interchange(text);
  if (read) {
    return "";
  }
  EXPECT_EQ(read.error().kind, ErrorKind::interchange_invalid);
  return read.error().message;
}
Result<ImportCounts> import_into(SlashingStore& store, const Interchange& data,
                                 Strategy strategy = Strategy::complete) {
  ImportCounts counts;
  CC_TRY(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(counts, import_interchange(tx, data, strategy));
    return {};
  }));
  return counts;
}
Interchange export_from(SlashingStore& store, ExportForm form) {
  Interchange out;
  EXPECT_TRUE(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(out, export_interchange(tx, form, {}));
    return {};
  }));
  return out;
}

TEST(Reading, TakesEveryMemberAndItsNullRoots) {
  const auto read = parse_interchange(file(entry(R"([{"slot":"7","signing_root":"0x)" + std::string(62, '0') + R"(0a"},
      {"signing_root":null,"slot":"18446744073709551615"}])",
                                                 R"([{"target_epoch":"3","source_epoch":"2"}])")));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->data.size(), 1U);
  const InterchangeEntry& one = read->data.front();
  EXPECT_EQ(one.key, key_of(1));
  ASSERT_EQ(one.blocks.size(), 2U);
  EXPECT_EQ(one.blocks[0].slot.value, 7U);
  EXPECT_EQ(one.blocks[0].signing_root, root_of(10));
  EXPECT_EQ(one.blocks[1].slot.value, ~0ULL);
  EXPECT_EQ(one.blocks[1].signing_root, std::nullopt);
  EXPECT_EQ(one.attestations.at(0).source.value, 2U);
  EXPECT_EQ(one.attestations.at(0).target.value, 3U);
}

TEST(Reading, NamesThePlaceOfWhatIsWrong) {
  EXPECT_THAT(complaint(file(entry(R"([{"slot":"1"},{"slot":"18446744073709551616"}])"))),
              HasSubstr("data[0].signed_blocks[1].slot: must be a decimal number"));
  EXPECT_THAT(complaint(file(entry(R"([{"slot":1}])"))), HasSubstr("data[0].signed_blocks[0].slot: must be a string"));
  EXPECT_THAT(complaint(file(entry("[]", R"([{"source_epoch":"1"}])"))),
              HasSubstr("data[0].signed_attestations[0]: `target_epoch` is missing"));
  EXPECT_THAT(complaint(file(entry("{}"))), HasSubstr("data[0].signed_blocks: must be an array"));
  EXPECT_THAT(complaint(file(entry("[7]"))), HasSubstr("data[0].signed_blocks[0]: must be an object"));
  EXPECT_THAT(complaint(file(R"([{"pubkey":"0x12","signed_blocks":[],"signed_attestations":[]}])")),
              HasSubstr("data[0].pubkey: must be 0x and 96 hexadecimal digits"));
  EXPECT_THAT(complaint(file("[]", "\"4\"")), HasSubstr("metadata.interchange_format_version"));
  EXPECT_THAT(complaint(file("[]", "5")), HasSubstr("metadata.interchange_format_version: must be a string"));
  EXPECT_THAT(complaint(R"({"data":[]})"), HasSubstr("`metadata` is missing"));
  EXPECT_THAT(complaint("[]"), HasSubstr("must be a JSON object"));
}

TEST(Reading, RefusesAllButCanonicalNumbersAndHex) {
  for (const char* slot :
       {"", "-1", "+1", " 1", "1 ", "01", "1.0", "1e3", "0x1", "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_NE(complaint(file(entry(std::string(R"([{"slot":")") + slot + R"("}])"))), "") << slot;
  }
  for (const char* slot : {"0", "1", "18446744073709551615"}) {
    EXPECT_EQ(complaint(file(entry(std::string(R"([{"slot":")") + slot + R"("}])"))), "") << slot;
  }
  for (const std::string& root :
       {std::string(64, '1'), "0x" + std::string(63, '1'), "0x" + std::string(66, '1'), "0x" + std::string(64, 'g')}) {
    EXPECT_NE(complaint(file(entry(R"([{"slot":"1","signing_root":")" + root + R"("}])"))), "") << root;
  }
}

TEST(Reading, RefusesRepeatedMembersMissingListsAndText) {
  EXPECT_THAT(complaint(file(entry(R"([{"slot":"1","slot":"5"}])"))), HasSubstr("stands twice"));
  EXPECT_THAT(complaint(file(std::string(R"([{"pubkey":")") + kKey + R"(","signed_blocks":[]}])")),
              HasSubstr("`signed_attestations` is missing"));
  EXPECT_THAT(complaint(file("null")), HasSubstr("data: must be an array"));
  EXPECT_THAT(complaint(file("[]") + "x"), HasSubstr("goes on after its end"));
  EXPECT_THAT(complaint(file("[]") + file("[]")), HasSubstr("goes on after its end"));
  EXPECT_EQ(complaint(file("[]") + " \n"), "");
}

TEST(Reading, RefusesAFileCutAtAnyPlace) {
  const std::string whole = file(entry(R"([{"slot":"1"}])", R"([{"source_epoch":"1","target_epoch":"2"}])"));
  ASSERT_EQ(complaint(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(complaint(whole.substr(0, size)), "") << size;
  }
}

TEST(Reading, BoundsDepthStringsAndBrokenText) {
  EXPECT_NE(complaint(std::string(10000, '[')), "");
  EXPECT_NE(complaint(R"({"x":)" + std::string(10000, '[') + std::string(10000, ']') + "}"), "");
  EXPECT_NE(complaint(R"({"x":")" + std::string(100000, 'a') + "\"}"), "");
  EXPECT_NE(complaint("{\"x\":\"\xff\xfe\"}"), "");
  EXPECT_NE(complaint(""), "");
}

TEST(Writing, IsReadBackAsItWas) {
  Interchange out;
  out.genesis_validators_root = root_of(4);
  out.data.push_back({key_of(1),
                      {{Slot{1}, std::nullopt}, {Slot{~0ULL}, root_of(2)}},
                      {{Epoch{1}, Epoch{2}, root_of(3)}, {Epoch{2}, Epoch{3}, std::nullopt}}});
  out.data.push_back({key_of(2), {}, {}});
  const std::string text = write_interchange(out);
  const auto back = parse_interchange(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(write_interchange(*back), text);
  EXPECT_EQ(back->genesis_validators_root, out.genesis_validators_root);
  EXPECT_EQ(back->data.at(0).blocks.at(1).slot.value, ~0ULL);
  EXPECT_EQ(back->data.at(0).attestations.at(0).signing_root, root_of(3));
}

TEST(Import, IsRefusedForAnotherNetworkAndSetsTheFirst) {
  MemorySlashingStore store;
  Interchange data;
  data.genesis_validators_root = root_of(1);
  ASSERT_TRUE(import_into(store, data));
  EXPECT_EQ(store.state().genesis, root_of(1));
  data.genesis_validators_root = root_of(2);
  data.data.push_back({key_of(1), {{Slot{1}, std::nullopt}}, {}});
  EXPECT_EQ(import_into(store, data).error().kind, ErrorKind::network_mismatch);
  EXPECT_TRUE(store.state().validators.empty());
}

TEST(Import, MakesHistoryKnownAndLeavesARetiredKeyRetired) {
  MemorySlashingStore store;
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return withdraw(tx, key_of(2)); }));
  Interchange data;
  data.data.push_back({key_of(1), {}, {}});
  data.data.push_back({key_of(2), {{Slot{5}, std::nullopt}}, {}});
  const auto counts = import_into(store, data);
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->validators, 2U);
  EXPECT_EQ(counts->blocks, 1U);
  const Policy strict{Strategy::complete, true};
  EXPECT_EQ(ask(store, strict, block(10, 1, 1)), "ok");
  EXPECT_EQ(ask(store, strict, block(10, 1, 2)), "key_retired");
}

TEST(Import, MergesWatermarksByMaximumUnderTheMinimalStrategy) {
  MemorySlashingStore store;
  Interchange data;
  data.data.push_back({key_of(1),
                       {{Slot{50}, std::nullopt}, {Slot{40}, std::nullopt}},
                       {{Epoch{1}, Epoch{9}, std::nullopt}, {Epoch{3}, Epoch{5}, std::nullopt}}});
  ASSERT_TRUE(import_into(store, data, Strategy::minimal));
  EXPECT_EQ(store.state().validators.at(key_of(1)).low, (Watermarks{Slot{50}, Epoch{3}, Epoch{9}}));
  data.data[0] = {key_of(1), {{Slot{20}, std::nullopt}}, {{Epoch{8}, Epoch{8}, std::nullopt}}};
  ASSERT_TRUE(import_into(store, data, Strategy::minimal));
  EXPECT_EQ(store.state().validators.at(key_of(1)).low, (Watermarks{Slot{50}, Epoch{8}, Epoch{9}}));
}

TEST(Export, NeedsANetwork) {
  MemorySlashingStore store;
  const auto done = change(store, [](SlashingTransaction& tx) -> Result<void> {
    CC_TRY(export_interchange(tx, ExportForm::complete, {}));
    return {};
  });
  EXPECT_EQ(done.error().kind, ErrorKind::not_found);
}

TEST(Export, CarriesTheWatermarksAsRecordsWithoutRoot) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(30, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(2, 3, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(5, 9, 2)), "ok");
  ASSERT_TRUE(change(store, [](SlashingTransaction& tx) { return tx.raise_floor({Slot{20}, Epoch{4}, Epoch{6}}); }));
  const Interchange out = export_from(store, ExportForm::complete);
  ASSERT_EQ(out.data.size(), 1U);
  const InterchangeEntry& one = out.data.front();
  ASSERT_EQ(one.blocks.size(), 2U);
  EXPECT_EQ(one.blocks[0].slot.value, 20U);
  EXPECT_EQ(one.blocks[0].signing_root, std::nullopt);
  EXPECT_EQ(one.blocks[1].slot.value, 30U);
  EXPECT_EQ(one.blocks[1].signing_root, root_of(2));
  ASSERT_EQ(one.attestations.size(), 2U);
  EXPECT_EQ(one.attestations[0].source.value, 4U);
  EXPECT_EQ(one.attestations[0].target.value, 6U);
  EXPECT_EQ(one.attestations[0].signing_root, std::nullopt);
  EXPECT_EQ(one.attestations[1].target.value, 9U);
}

TEST(Export, SaysSeveralRootsAtOnePlaceAsOneUnknownRoot) {
  MemorySlashingStore store;
  Interchange data;
  data.data.push_back({key_of(1),
                       {{Slot{5}, root_of(1)}, {Slot{5}, root_of(2)}, {Slot{6}, root_of(3)}},
                       {{Epoch{1}, Epoch{2}, root_of(1)}, {Epoch{1}, Epoch{2}, std::nullopt}}});
  ASSERT_TRUE(import_into(store, data));
  const Interchange out = export_from(store, ExportForm::complete);
  ASSERT_EQ(out.data.at(0).blocks.size(), 2U);
  EXPECT_EQ(out.data[0].blocks[0].signing_root, std::nullopt);
  EXPECT_EQ(out.data[0].blocks[1].signing_root, root_of(3));
  ASSERT_EQ(out.data[0].attestations.size(), 1U);
  EXPECT_EQ(out.data[0].attestations[0].signing_root, std::nullopt);
}

TEST(Watermarks, RaisedToARecordNoLongerLetItPass) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(3, 5, 1)), "ok");
  ASSERT_TRUE(change(
      store, [](SlashingTransaction& tx) { return raise_watermarks(tx, key_of(1), {Slot{10}, Epoch{0}, Epoch{5}}); }));
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(3, 5, 1)), "slashable");
  EXPECT_EQ(ask(store, kComplete, vote(3, 6, 1)), "ok");
  ASSERT_TRUE(
      change(store, [](SlashingTransaction& tx) { return tx.raise_floor({std::nullopt, std::nullopt, Epoch{6}}); }));
  EXPECT_EQ(ask(store, kComplete, vote(3, 6, 1)), "slashable");
}

TEST(Export, InMinimalFormHoldsTheHighestMarks) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(30, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(2, 8, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, vote(2, 9, 2)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(7, 2, 2)), "ok");
  const Interchange out = export_from(store, ExportForm::minimal);
  ASSERT_EQ(out.data.size(), 2U);
  ASSERT_EQ(out.data[0].blocks.size(), 1U);
  EXPECT_EQ(out.data[0].blocks[0].slot.value, 30U);
  ASSERT_EQ(out.data[0].attestations.size(), 1U);
  EXPECT_EQ(out.data[0].attestations[0].source.value, 2U);
  EXPECT_EQ(out.data[0].attestations[0].target.value, 9U);
  EXPECT_TRUE(out.data[1].attestations.empty());
}

TEST(Export, OfSomeKeysLeavesOutTheOthersAndTheUnknown) {
  MemorySlashingStore store;
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 1)), "ok");
  EXPECT_EQ(ask(store, kComplete, block(10, 1, 2)), "ok");
  Interchange out;
  ASSERT_TRUE(change(store, [&](SlashingTransaction& tx) -> Result<void> {
    CC_ASSIGN(out, export_interchange(tx, ExportForm::complete, {key_of(2), key_of(3)}));
    return {};
  }));
  ASSERT_EQ(out.data.size(), 1U);
  EXPECT_EQ(out.data[0].key, key_of(2));
}

// A key that moved away and came back with a minimal export: what the other signer signed in between is not in the
// file.
TEST(Interchange, NothingBelowAnImportedRecordIsSignedEvenWithOlderHistoryHere) {
  for (const Gap gap : {Gap::closed, Gap::open}) {
    test::MemorySlashingStore store;
    const BlsPublicKey key{0x77};
    const Root root{1};
    const auto verdict = [&](auto duty) {
      Verdict out;
      EXPECT_TRUE(store.transact([&](SlashingTransaction& tx) -> Result<void> {
        CC_ASSIGN(out, check_and_record(tx, {}, {key, duty, root, Root{}}));
        return {};
      }));
      return !out;
    };
    EXPECT_TRUE(verdict(BlockCheck{Slot{10}}));
    EXPECT_TRUE(verdict(AttestationCheck{Epoch{9}, Epoch{10}}));
    const Interchange came_back{Root{},
                                {{key, {{Slot{1000}, std::nullopt}}, {{Epoch{100}, Epoch{101}, std::nullopt}}}}};
    ASSERT_TRUE(store.transact([&](SlashingTransaction& tx) -> Result<void> {
      CC_TRY(import_interchange(tx, came_back, Strategy::complete, gap));
      return {};
    }));
    EXPECT_EQ(verdict(BlockCheck{Slot{500}}), gap == Gap::open);
    EXPECT_EQ(verdict(AttestationCheck{Epoch{50}, Epoch{51}}), gap == Gap::open);
    EXPECT_TRUE(verdict(BlockCheck{Slot{1001}}));
    EXPECT_TRUE(verdict(AttestationCheck{Epoch{101}, Epoch{102}}));
  }
}

}  // namespace
}  // namespace cc::guard
