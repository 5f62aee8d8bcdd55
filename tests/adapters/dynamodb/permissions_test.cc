// The permissions on docs/reference/aws-iam.md are exactly what the stores ask for: every call is recorded on its way.
#include "adapters/dynamodb/permissions.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <mutex>
#include <set>

#include "adapters/dynamodb/key_store.h"
#include "adapters/dynamodb/slashing_store.h"
#include "adapters/dynamodb/state_store.h"
#include "guard/history.h"
#include "support/checks.h"
#include "support/dynamo_emulator.h"

namespace cc::dynamodb {
namespace {

using test::DynamoEmulator;
using test::DynamoKind;
using test::DynamoTable;

// Passes everything on to the network, and writes down what IAM would have asked for.
class RecordingWire final : public aws::Wire {
 public:
  Result<aws::HttpAnswer> send(const aws::HttpCall& call) override {
    const std::string operation = call.headers.at("x-amz-target").substr(std::string("DynamoDB_20120810.").size());
    const std::lock_guard lock(mutex_);
    if (operation != "TransactWriteItems") {
      asked.insert("dynamodb:" + operation);
    } else {
      const boost::json::value body = boost::json::parse(call.body);
      for (const auto& part : body.at("TransactItems").as_array()) {
        const std::string kind(part.as_object().begin()->key());
        asked.insert("dynamodb:" + kind + "Item");
      }
    }
    return wire_.send(call);
  }
  std::set<std::string> asked;

 private:
  std::mutex mutex_;
  aws::CurlWire wire_{""};
};

class NoPauses final : public aws::Pauses {
 public:
  bool pause(Milliseconds) override { return true; }
};

class Permissions : public testing::Test {
 protected:
  void SetUp() override {
    CC_NEEDS_DYNAMO(DynamoKind::moto);
    DynamoEmulator& moto = DynamoEmulator::get(DynamoKind::moto);
    ASSERT_TRUE(moto.up());
    place_ = std::make_unique<DynamoTable>(moto);
    endpoints_ = aws::Endpoints::make({{"dynamodb", moto.endpoint()}}, {}).value();
    client_ = std::make_unique<aws::Client>(aws::Outside{wire_, pauses_, clock_, random_, endpoints_}, aws::Patience{});
  }
  std::shared_ptr<Table> table() {
    return std::make_shared<Table>(*client_, place_->aws().credentials(), TableName{place_->name(), "", ""},
                                   "eu-west-1");
  }
  template <std::size_t N>
  static std::set<std::string> said(const std::array<std::string_view, N>& permissions) {
    return {permissions.begin(), permissions.end()};
  }

  RecordingWire wire_;
  NoPauses pauses_;
  SystemClock clock_;
  SystemRandom random_;
  aws::Endpoints endpoints_ = aws::Endpoints::make({}, {}).value();
  std::unique_ptr<DynamoTable> place_;
  std::unique_ptr<aws::Client> client_;
};

TEST_F(Permissions, OfTheSignerState) {
  const auto store = DynamoStateStore::open(table());
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_TRUE((*store)->write("a", 0, Bytes{1}));
  EXPECT_FALSE((*store)->write("a", 0, Bytes{1}));
  EXPECT_TRUE((*store)->read("a"));
  EXPECT_EQ(wire_.asked, said(kStatePermissions));
}

TEST_F(Permissions, OfTheSealedKeys) {
  const auto store = DynamoKeyStore::open(table(), 4);
  ASSERT_TRUE(store) << store.error().message;
  keys::StoredKey key{{0x90}, keys::KeyStatus::active, {1}};
  EXPECT_TRUE((*store)->add({key}));
  key.status = keys::KeyStatus::inactive;
  EXPECT_TRUE((*store)->replace(key));
  EXPECT_TRUE((*store)->page(std::nullopt, 5));
  EXPECT_TRUE((*store)->for_each(std::nullopt, [](const keys::StoredKey&) { return Result<void>(); }));
  EXPECT_TRUE((*store)->count(std::nullopt));
  EXPECT_TRUE((*store)->changes());
  EXPECT_TRUE((*store)->exchange_sentinel(std::nullopt, Bytes{1}));
  EXPECT_TRUE((*store)->sentinel());
  EXPECT_TRUE((*store)->remove(key.public_key));
  EXPECT_EQ(wire_.asked, said(kKeysPermissions));
}

TEST_F(Permissions, OfTheSlashingProtection) {
  const auto opened = DynamoSlashingStore::open(table(), OpenMode::open_or_create, std::nullopt, {});
  ASSERT_TRUE(opened) << opened.error().message;
  DynamoSlashingStore& store = **opened;
  EXPECT_TRUE(store.begin_run());
  EXPECT_TRUE(store.name_chamber({1}, 1, Root{}));
  for (std::uint64_t n = 1; n < 6; ++n) {
    EXPECT_EQ(test::ask(store, test::vote(n, n + 1, 1)), "ok");
  }
  EXPECT_EQ(test::ask(store, test::vote(2, 4, 1)), "slashable");
  EXPECT_TRUE(store.transact([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(guard::prune_validator(tx, test::key_of(1), {1, 1}));
    CC_TRY(tx.raise_floor({Slot{1}, std::nullopt, std::nullopt}));
    return tx.add_origin({});
  }));
  EXPECT_TRUE(store.look([](guard::SlashingTransaction& tx) -> Result<void> {
    CC_TRY(tx.validators());
    CC_TRY(tx.origins(3));
    return {};
  }));
  EXPECT_EQ(wire_.asked, said(kSlashingPermissions));
}

}  // namespace
}  // namespace cc::dynamodb
