// The slashing commands and the pairing of store and signer state, over real stores.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "signer_process.h"

namespace cc::app {
namespace {

using test::Finished;
using test::SignerProcess;
namespace fs = std::filesystem;
namespace json = boost::json;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class SlashingCommands : public testing::Test {
 protected:
  void SetUp() override {
    signer_.start();
    signer_.init_kms_only();
    key_ = signer_.generate_key();
    ASSERT_EQ(signer_.attest(key_, 10, 11), 200);
    ASSERT_EQ(signer_.stop(), 0);
  }
  void restart() {
    signer_.start();
    signer_.wait_state("unsealed");
  }
  fs::path store() const { return signer_.data() / "slashing.sqlite"; }
  void remove_store() const {
    for (const char* ending : {"", "-wal", "-shm"}) {
      fs::remove(store().string() + ending);
    }
  }
  json::value status() { return signer_.reply({"slashing", "status", "--config", signer_.config()}); }
  Finished adopt() {
    return signer_.run({"slashing", "adopt", "--config", signer_.config(), "--block-slot", "1000", "--source-epoch",
                        "20", "--target-epoch", "30"});
  }
  SignerProcess signer_;
  std::string key_;
};

TEST_F(SlashingCommands, ExportsWhatWasSignedAndImportsItElsewhere) {
  const auto exported = signer_.reply({"slashing", "export", "--config", signer_.config()});
  EXPECT_EQ(exported.at("metadata").at("interchange_format_version").as_string(), "5");
  ASSERT_EQ(exported.at("data").as_array().size(), 1U);
  EXPECT_EQ(exported.at("data").at(0).at("pubkey").as_string(), key_);
  EXPECT_EQ(exported.at("data").at(0).at("signed_attestations").at(0).at("target_epoch").as_string(), "11");

  const fs::path file = signer_.folder() / "export.json";
  EXPECT_EQ(signer_.run({"slashing", "export", "--config", signer_.config(), "--out", file.string()}).exit_code, 0);
  SignerProcess other;
  EXPECT_EQ(other.run({"slashing", "import", "--config", other.config(), file.string()}).exit_code, 2);
  EXPECT_FALSE(fs::exists(other.data())) << "a mistyped folder is not made";
  fs::create_directory(other.data());
  const auto imported = other.reply({"slashing", "import", "--config", other.config(), file.string()});
  EXPECT_EQ(json::serialize(imported), R"({"status":"imported","validators":1,"blocks":0,"attestations":1})");
  // The import was this signer's first set-up: the server takes the store as its own.
  other.start();
  EXPECT_FALSE(holds(other.log(), "slashing_store_mismatch")) << other.log();
  other.init_kms_only();
  EXPECT_EQ(other.attest(other.generate_key(), 10, 11), 200);
}

TEST_F(SlashingCommands, AWatermarkRefusesWhatLiesBelow) {
  const auto raised = signer_.reply({"slashing", "watermark", "--config", signer_.config(), "--target-epoch", "50"});
  EXPECT_EQ(raised.at("validators").as_int64(), 1);
  restart();
  EXPECT_EQ(signer_.attest(key_, 11, 40), 412);
  EXPECT_EQ(signer_.attest(key_, 11, 51), 200);
}

TEST_F(SlashingCommands, AMissingStoreSignsNothingUntilItIsAdoptedAboveTheFloor) {
  remove_store();
  signer_.start();
  EXPECT_TRUE(holds(signer_.log(), "slashing_store_mismatch")) << signer_.log();
  EXPECT_EQ(signer_.attest(key_, 100, 101), 503);
  EXPECT_EQ(signer_.stop(), 0);
  EXPECT_FALSE(fs::exists(store())) << "a lost store must never be replaced by a new beginning";
  EXPECT_EQ(status().at("store").as_string(), "missing");
  EXPECT_EQ(signer_.run({"slashing", "export", "--config", signer_.config()}).exit_code, 6);

  EXPECT_EQ(adopt().exit_code, 0);
  restart();
  EXPECT_EQ(signer_.attest(key_, 10, 11, '9'), 412) << "the key lay in the key store: it must have the floor";
  EXPECT_EQ(signer_.attest(key_, 19, 31), 412);
  EXPECT_EQ(signer_.attest(key_, 20, 31), 200);
}

TEST_F(SlashingCommands, AnOlderStoreStaysOlderHoweverOftenItIsLookedAt) {
  const fs::path copy = signer_.folder() / "old.sqlite";
  fs::copy_file(store(), copy);
  restart();
  ASSERT_EQ(signer_.attest(key_, 11, 12), 200);
  ASSERT_EQ(signer_.stop(), 0);
  remove_store();
  fs::copy_file(copy, store());
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(status().at("store").as_string(), "behind");
  }
  signer_.start();
  EXPECT_EQ(signer_.attest(key_, 11, 12, '9'), 503);
  EXPECT_EQ(signer_.stop(), 0);
  EXPECT_EQ(adopt().exit_code, 0);
  restart();
  EXPECT_EQ(signer_.attest(key_, 11, 12, '9'), 412);
  EXPECT_EQ(signer_.attest(key_, 20, 31), 200);
}

TEST_F(SlashingCommands, AForeignStoreIsRefusedAndCanBeAdopted) {
  SignerProcess other;
  other.start();
  other.init_kms_only();
  ASSERT_EQ(other.attest(other.generate_key(), 5, 6), 200);
  ASSERT_EQ(other.stop(), 0);
  remove_store();
  fs::copy_file(other.data() / "slashing.sqlite", store());
  EXPECT_EQ(status().at("store").as_string(), "foreign");
  signer_.start();
  EXPECT_EQ(signer_.attest(key_, 100, 101), 503);
  EXPECT_EQ(signer_.stop(), 0);
  EXPECT_EQ(adopt().exit_code, 0);
  EXPECT_EQ(status().at("store").as_string(), "ours");
  restart();
  EXPECT_EQ(signer_.attest(key_, 10, 11, '9'), 412);
  EXPECT_EQ(signer_.attest(key_, 20, 31), 200);
}

TEST_F(SlashingCommands, AdoptDoesNotGiveADeactivatedKeyItsPermitBack) {
  restart();
  signer_.reply({"keys", "deactivate", "--auth-token", "env:KEYS", key_});
  EXPECT_EQ(signer_.attest(key_, 11, 12), 404);
  ASSERT_EQ(signer_.stop(), 0);
  remove_store();
  EXPECT_EQ(adopt().exit_code, 0);
  restart();
  // The same key from another source, without an activation: known here as withdrawn.
  EXPECT_EQ(signer_.attest(key_, 20, 31), 404);
  signer_.reply({"keys", "activate", "--auth-token", "env:KEYS", key_});
  EXPECT_EQ(signer_.attest(key_, 20, 31), 200);
}

TEST_F(SlashingCommands, ThereIsNothingToAdoptWhenAllIsWell) {
  const Finished done = adopt();
  EXPECT_EQ(done.exit_code, 4) << done.err;
  EXPECT_EQ(done.out, "");
}

TEST_F(SlashingCommands, ALostSealRecordIsNoNewBeginning) {
  for (const char* ending : {"", "-wal", "-shm"}) {
    fs::remove(signer_.data().string() + "/state.sqlite" + ending);
  }
  signer_.start();
  EXPECT_TRUE(holds(signer_.log(), "record_missing")) << signer_.log();
  EXPECT_FALSE(holds(signer_.log(), "cc-setup-"));
  EXPECT_EQ(signer_.state(), "sealed");
  EXPECT_EQ(signer_.attest(key_, 100, 101), 503);
}

TEST_F(SlashingCommands, ABadInterchangeFileChangesNothing) {
  const fs::path file = signer_.folder() / "bad.json";
  std::ofstream(file) << R"({"metadata":{"interchange_format_version":"4"},"data":[]})";
  const Finished done = signer_.run({"slashing", "import", "--config", signer_.config(), file.string()});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_TRUE(holds(done.err, "interchange_invalid")) << done.err;
  restart();
  EXPECT_EQ(signer_.attest(key_, 11, 12), 200);
}

}  // namespace
}  // namespace cc::app
