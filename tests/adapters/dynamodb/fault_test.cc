// Faults on the way to DynamoDB, by planted answers: what was asked, how often, and what the caller is told.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "../aws/aws_fixture.h"
#include "adapters/dynamodb/slashing_store.h"
#include "adapters/dynamodb/state_store.h"
#include "support/checks.h"

namespace cc::dynamodb {
namespace {

using testing::HasSubstr;

aws::HttpAnswer refused(const std::string& code, const std::string& members = R"(,"message":"m")", int status = 400) {
  return aws::answer(status, R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + code + "\"" + members + "}");
}

struct DynamoFaults : testing::Test {
  aws::AwsFixture aws;
  aws::CountedSource credentials;
  Table table{aws.client, credentials, TableName{"shared", "", ""}, "eu-west-1"};

  void plan(std::vector<Result<aws::HttpAnswer>> answers) { aws.wire.script = std::move(answers); }
  static Result<aws::HttpAnswer> silence() { return fail(ErrorKind::kms_unreachable, "no answer"); }
  Write put() {
    Write out;
    out.item = {{"pk", std::string("a")}, {"sk", std::string("b")}};
    out.condition.expression = "attribute_not_exists(#pk)";
    return out;
  }
  std::string target(std::size_t call) { return aws.wire.calls.at(call).headers.at("x-amz-target"); }
};

TEST_F(DynamoFaults, AskInTheWordsOfTheProtocol) {
  plan({aws::answer(200, "{}")});
  ASSERT_TRUE(table.write(put()));
  const aws::HttpCall& call = aws.wire.calls.at(0);
  EXPECT_EQ(call.url, "https://dynamodb.eu-west-1.amazonaws.com/");
  EXPECT_EQ(target(0), "DynamoDB_20120810.PutItem");
  EXPECT_EQ(call.headers.at("content-type"), "application/x-amz-json-1.0");
  EXPECT_THAT(call.headers.at("authorization"), HasSubstr("/eu-west-1/dynamodb/aws4_request"));
  const std::string body =
      R"~({"TableName":"shared","Item":{"pk":{"S":"a"},"sk":{"S":"b"}},)~"
      R"~("ConditionExpression":"attribute_not_exists(#pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD",)~"
      R"~("ExpressionAttributeNames":{"#pk":"pk"}})~";
  EXPECT_EQ(call.body, body);
}

TEST_F(DynamoFaults, ThrottlingIsTriedAgainAndThenNamed) {
  plan({refused("ProvisionedThroughputExceededException"), refused("ThrottlingException"), aws::answer(200, "{}")});
  EXPECT_TRUE(table.get({"a", "b"}));
  EXPECT_EQ(aws.wire.calls.size(), 3U);
  aws.wire.on_call = [](const aws::HttpCall&) { return refused("ProvisionedThroughputExceededException"); };
  const auto storm = table.get({"a", "b"});
  ASSERT_FALSE(storm);
  EXPECT_EQ(storm.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(storm.error().message, HasSubstr("shared (eu-west-1) has no capacity left"));
}

TEST_F(DynamoFaults, AnExpiredSessionIsRenewedInTheMiddleOfAWrite) {
  plan({refused("ExpiredTokenException"), aws::answer(200, "{}")});
  EXPECT_TRUE(table.write(put()));
  EXPECT_EQ(credentials.rejected, 1U);
}

TEST_F(DynamoFaults, AWriteWithoutAnAnswerIsInDoubtAReadIsNot) {
  aws.wire.on_call = [](const aws::HttpCall&) { return silence(); };
  EXPECT_EQ(table.write(put()).error().kind, ErrorKind::store_in_doubt);
  EXPECT_EQ(table.get({"a", "b"}).error().kind, ErrorKind::store_unavailable);
  EXPECT_EQ(table.transact({put()}, "token").error().kind, ErrorKind::store_in_doubt);
}

TEST_F(DynamoFaults, ARefusalAfterSilenceStaysInDoubt) {
  plan({silence(), refused("AccessDeniedException")});
  EXPECT_EQ(table.write(put()).error().kind, ErrorKind::store_in_doubt);
  plan({refused("AccessDeniedException")});
  const auto denied = table.write(put());
  EXPECT_EQ(denied.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(denied.error().message, HasSubstr("allow dynamodb:PutItem"));
}

TEST_F(DynamoFaults, OurOwnWriteIsRecognisedWhenItsAnswerWasLost) {
  DynamoStateStore* store = nullptr;
  plan({aws::answer(
            200, R"({"Table":{"TableArn":"arn:aws:dynamodb:eu-west-1:1:table/shared","AttributeDefinitions":[)"
                 R"({"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],)"
                 R"("KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}})"),
        refused("ConditionalCheckFailedException"),
        aws::answer(200, R"({"Item":{"pk":{"S":"store"},"sk":{"S":"identity"},"kind":{"S":"signer-state"}}})")});
  const auto opened = DynamoStateStore::open(std::shared_ptr<Table>(&table, [](Table*) {}));
  ASSERT_TRUE(opened) << opened.error().message;
  store = opened->get();
  const std::string ours =
      R"({"Item":{"pk":{"S":"document"},"sk":{"S":"x"},"revision":{"N":"1"},"content":{"B":"AQ=="}}})";
  plan({silence(), refused("ConditionalCheckFailedException"), aws::answer(200, ours)});
  EXPECT_EQ(store->write("x", 0, Bytes{1}), 1U);
  plan({refused("ConditionalCheckFailedException"), aws::answer(200, ours)});
  EXPECT_EQ(store->write("x", 0, Bytes{1}).error().kind, ErrorKind::record_conflict);
}

TEST_F(DynamoFaults, UnprocessedKeysAreAskedForAgain) {
  plan({aws::answer(
            200, R"({"Responses":{"shared":[{"pk":{"S":"a"},"sk":{"S":"1"}}]},)"
                 R"("UnprocessedKeys":{"shared":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"2"}}],"ConsistentRead":true}}})"),
        aws::answer(200, R"({"Responses":{"shared":[{"pk":{"S":"a"},"sk":{"S":"2"}}]},"UnprocessedKeys":{}})")});
  const auto items = table.get_many({{"a", "1"}, {"a", "2"}});
  ASSERT_TRUE(items) << items.error().message;
  EXPECT_EQ(items->size(), 2U);
  EXPECT_EQ(aws.wire.calls.at(1).body,
            R"({"RequestItems":{"shared":{"ConsistentRead":true,"Keys":[{"pk":{"S":"a"},"sk":{"S":"2"}}]}}})");
}

TEST_F(DynamoFaults, AnEmptyPageWithMoreBehindItIsNotTheEnd) {
  plan({aws::answer(200, R"({"Items":[],"LastEvaluatedKey":{"pk":{"S":"a"},"sk":{"S":"1"}}})"),
        aws::answer(200, R"({"Items":[{"pk":{"S":"a"},"sk":{"S":"2"}}]})")});
  QueryRange range;
  range.pk = "a";
  const auto items = table.query(range);
  ASSERT_TRUE(items) << items.error().message;
  EXPECT_EQ(items->size(), 1U);
  EXPECT_THAT(aws.wire.calls.at(1).body, HasSubstr(R"("ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"1"}})"));
}

TEST_F(DynamoFaults, ATransactionInConflictIsTriedAgainWithTheSameToken) {
  plan({refused("TransactionCanceledException", R"(,"CancellationReasons":[{"Code":"TransactionConflict"}])"),
        aws::answer(200, "{}")});
  const auto done = table.transact({put()}, "token-1");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->done);
  EXPECT_EQ(aws.wire.calls.at(0).body, aws.wire.calls.at(1).body);
  EXPECT_THAT(aws.wire.calls.at(0).body, HasSubstr(R"("ClientRequestToken":"token-1")"));
}

TEST_F(DynamoFaults, ReasonsOfACancelledTransactionComeInOrder) {
  plan({refused(
      "TransactionCanceledException",
      R"(,"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Item":{"writer":{"S":"w"}}}])")});
  const auto done = table.transact({put(), put()}, "token");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(done->done);
  EXPECT_EQ(done->reasons, (std::vector<Reason>{Reason::none, Reason::condition}));
  EXPECT_EQ(text_of(*done->items.at(1), "writer"), "w");
}

TEST_F(DynamoFaults, AnItemThatIsTooLargeAndADocumentThatIsNoneAreNamed) {
  plan({refused("ValidationException", R"(,"message":"Item size has exceeded the maximum allowed size")")});
  EXPECT_THAT(table.write(put()).error().message, HasSubstr("larger than 400 KB"));
  plan({aws::answer(200, "<html>captive portal</html>")});
  EXPECT_THAT(table.get({"a", "b"}).error().message, HasSubstr("not JSON"));
  plan({aws::answer(200, R"({"Item":{"pk":{"SS":["x"]}}})")});
  EXPECT_THAT(table.get({"a", "b"}).error().message, HasSubstr("it was altered"));
}

TEST(DynamoTableNames, AreNamesOrArns) {
  EXPECT_EQ(TableName::parse("containment-keys")->name, "containment-keys");
  const auto arn = TableName::parse("arn:aws:dynamodb:eu-west-1:123456789012:table/containment-keys");
  ASSERT_TRUE(arn) << arn.error().message;
  EXPECT_EQ(arn->region, "eu-west-1");
  EXPECT_EQ(arn->account, "123456789012");
  EXPECT_EQ(arn->name, "containment-keys");
  for (const char* text :
       {"", "ab", "a b c", "arn:aws:dynamodb:eu-west-1:123456789012:index/x", "arn:aws:kms:r:1:table/x",
        "arn:aws:dynamodb::123456789012:table/abc", "arn:aws:dynamodb:eu-west-1:12:table/abc"}) {
    const auto wrong = TableName::parse(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_EQ(wrong.error().kind, ErrorKind::config_invalid);
  }
}

}  // namespace
}  // namespace cc::dynamodb
