// One table of DynamoDB (API 2012-08-10, JSON 1.0), as the stores use it: every read is strongly consistent, every
// write conditional. Partition key `pk` and sort key `sk`, both text.
//
// Throttling and faults are tried again with pauses, within the budget of the AWS client; so are unprocessed keys and
// transactions that others got in the way of.
//
// Thread-safe. No secret passes but the credentials of the client.
// Errors of all calls: store_unavailable, saying what to do (nothing was changed); of writes also store_in_doubt (no
// answer: it may have been carried out).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/aws/client.h"
#include "adapters/aws/service_error.h"
#include "adapters/dynamodb/operations.h"
#include "adapters/dynamodb/value.h"

namespace cc::dynamodb {

struct Key {
  std::string pk, sk;
  auto operator<=>(const Key&) const = default;
};
Key key_of(const Item& item);

// "name" or arn:aws:dynamodb:REGION:ACCOUNT:table/NAME.
struct TableName {
  std::string name, region, account;  // region and account are empty unless an ARN says them
  // Errors: config_invalid.
  static Result<TableName> parse(const std::string& text);
};

struct Condition {
  std::string expression;  // names as #n, values as :v; empty: none
  Item values;             // of the expression and the update
};

struct Write {
  enum class Kind { put, update, remove, check };
  Kind kind = Kind::put;
  Item item;           // put: the whole; else pk and sk
  std::string update;  // update: "SET …" or "ADD …"
  Condition condition;
};

// How a conditional write of one item ended.
struct Written {
  bool done = false;         // false: the condition did not hold
  bool repeated = false;     // an earlier attempt got no answer: with done == false it may have been ours
  std::optional<Item> item;  // done: the item after an update. Else the item that stands there, where known
};

// Why a transaction was not carried out: one reason per write, in order.
enum class Reason { none, condition, conflict, other };
struct Transacted {
  bool done = false;
  bool repeated = false;
  std::vector<Reason> reasons;
  std::vector<std::optional<Item>> items;  // what stood where a condition failed
};

struct QueryRange {
  std::string index;  // empty: the table itself, read consistently
  std::string pk;
  std::string from, to;   // both empty: all of pk; else from ≤ sk ≤ to
  std::size_t limit = 0;  // 0: all
  bool keys_only = false;
  bool backwards = false;
};

inline constexpr std::size_t kMostInTransaction = 100;
inline constexpr std::size_t kMostInBatch = 100;
inline constexpr std::size_t kItemLimit = 400UL * 1024;

struct TableDescription {
  std::string arn, id, status;
  std::string partition_key, sort_key;  // "pk:S"
  std::vector<std::string> indexes;     // names of those that are active
};

class Table {
 public:
  // `client` and `credentials` outlive the table.
  Table(aws::Client& client, aws::CredentialSource& credentials, TableName name, std::string region);

  const std::string& name() const { return name_.name; }
  const std::string& place() const { return place_; }  // for messages: "the DynamoDB table NAME (REGION)"
  Random& random() const { return client_.outside().random; }

  // Whether the table is there and has our keys. Errors: not_found when there is no table of this name; config_invalid
  // for one with other keys or of another account.
  Result<TableDescription> describe();
  Result<std::optional<Item>> get(const Key& key);
  // At most kMostInBatch keys; those that are not there are left out.
  Result<std::vector<Item>> get_many(const std::vector<Key>& keys);
  Result<std::vector<Item>> query(const QueryRange& range);
  // Page by page; stops at the visitor's first error.
  Result<void> query(const QueryRange& range, const std::function<Result<void>(const Item&)>& visit);
  Result<Written> write(const Write& write);
  // All or nothing. `token` names this transaction: repeated attempts count once.
  Result<Transacted> transact(const std::vector<Write>& writes, const std::string& token);

 private:
  struct Said;
  Result<Said> call(Operation operation, std::string body);
  Error explain(const aws::ServiceError& error, Operation operation) const;
  std::string opening() const;
  Result<std::vector<Item>> get_once(const std::vector<Key>& keys, std::vector<Key>& unprocessed);

  aws::Client& client_;
  aws::CredentialSource& credentials_;
  TableName name_;
  std::string region_;
  std::string place_;
};

}  // namespace cc::dynamodb
