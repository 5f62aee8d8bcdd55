// rooms: adapters/dynamodb
// Answers of DynamoDB, and the items in them as the stores read them.
#include <utility>

#include "adapters/dynamodb/slashing_items.h"

namespace {

using namespace cc;

class OneAnswer final : public aws::Wire {
 public:
  Result<aws::HttpAnswer> send(const aws::HttpCall&) override {
    aws::HttpAnswer out;
    out.status = std::exchange(status, 404);
    out.body = std::exchange(body, "{}");
    return out;
  }
  int status = 200;
  std::string body;
};
class NoPauses final : public aws::Pauses {
 public:
  bool pause(Milliseconds) override { return false; }
};

void read_items(const dynamodb::Item& item) {
  using namespace dynamodb;
  if (const auto row = row_from(item)) {
    if (const auto key = public_key_of(item)) {
      const auto again = row_from(row_item(*key, *row));
      if (!again || again->row.low != row->row.low || again->high != row->high || again->version != row->version) {
        __builtin_trap();
      }
    }
  }
  (void)store_from(item);
  (void)origin_from(item);
  if (const auto block = block_from(item); block && record_key({}, *block).sk != key_of(item).sk) {
    __builtin_trap();
  }
  if (const auto vote = vote_from(item); vote && record_key({}, *vote).sk != key_of(item).sk) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SystemClock clock;
  static SystemRandom random;
  static NoPauses pauses;
  static const aws::Endpoints endpoints = aws::Endpoints::make({}, {}).value();
  static aws::FixedCredentials credentials(std::make_shared<const aws::Credentials>());
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (int call = 0; call < 6; ++call) {
    OneAnswer wire;
    wire.body = text;
    wire.status = call < 4 ? 200 : 400;
    aws::Client client({wire, pauses, clock, random, endpoints}, aws::Patience{});
    dynamodb::Table table(client, credentials, {"shared", "", ""}, "eu-west-1");
    dynamodb::Write write;
    write.item = {{"pk", std::string("a")}, {"sk", std::string("b")}};
    dynamodb::QueryRange range;
    range.pk = "a";
    switch (call) {
      case 0:
        if (const auto item = table.get({"a", "b"}); item && *item) {
          read_items(**item);
        }
        break;
      case 1:
        (void)table.query(range);
        break;
      case 2:
        (void)table.get_many({{"a", "b"}});
        break;
      case 3:
        (void)table.describe();
        break;
      case 4:
        (void)table.write(write);
        break;
      default:
        (void)table.transact({write}, "token");
    }
  }
  return 0;
}
