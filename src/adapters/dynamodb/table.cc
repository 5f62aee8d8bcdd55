#include "adapters/dynamodb/table.h"

#include <algorithm>
#include <boost/json.hpp>

#include "formats/json_shape.h"
#include "http/json_text.h"

namespace cc::dynamodb {
namespace {

namespace bj = boost::json;

// A page of a query has 1 MB of items, a batch of 100 rows far less; JSON and base64 make it longer.
constexpr std::size_t kAnswer = 8UL * 1024 * 1024;
constexpr std::size_t kDepth = 12;

std::string quoted(std::string_view text) { return http::json_string(text); }

std::string key_json(const Key& key) {
  return R"({"pk":{"S":)" + quoted(key.pk) + R"(},"sk":{"S":)" + quoted(key.sk) + "}}";
}

// "#n" in an expression stands for the attribute n: no name of ours may be a reserved word.
std::string names_of(const std::string& expressions) {
  std::string out;
  std::size_t at = expressions.find('#');
  std::vector<std::string> seen;
  while (at != std::string::npos) {
    const std::size_t end =
        std::min(expressions.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at + 1), expressions.size());
    const std::string name = expressions.substr(at + 1, end - at - 1);
    if (std::ranges::find(seen, name) == seen.end()) {
      seen.push_back(name);
      out += (out.empty() ? "" : ",") + quoted("#" + name) + ":" + quoted(name);
    }
    at = expressions.find('#', end);
  }
  return out;
}

void append_expressions(std::string& body, const Write& write) {
  if (!write.update.empty()) {
    body += ",\"UpdateExpression\":" + quoted(write.update);
  }
  if (!write.condition.expression.empty()) {
    body += ",\"ConditionExpression\":" + quoted(write.condition.expression);
    body += ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"";
  }
  if (const std::string names = names_of(write.update + " " + write.condition.expression); !names.empty()) {
    body += ",\"ExpressionAttributeNames\":{" + names + "}";
  }
  if (!write.condition.values.empty()) {
    body += ",\"ExpressionAttributeValues\":";
    append_json(body, write.condition.values);
  }
}

// The members after the table's name.
void append_write(std::string& body, const Write& write) {
  if (write.kind == Write::Kind::put) {
    body += ",\"Item\":";
    append_json(body, write.item);
  } else {
    body += ",\"Key\":" + key_json(key_of(write.item));
  }
  append_expressions(body, write);
}

std::string_view word_of(Write::Kind kind) {
  switch (kind) {
    case Write::Kind::put:
      return "Put";
    case Write::Kind::update:
      return "Update";
    case Write::Kind::remove:
      return "Delete";
    case Write::Kind::check:
      return "ConditionCheck";
  }
  return "";
}

Operation operation_of(Write::Kind kind) {
  return kind == Write::Kind::put      ? Operation::put_item
         : kind == Write::Kind::remove ? Operation::delete_item
                                       : Operation::update_item;
}

Reason reason_of(std::string_view code) {
  return code == "None"                     ? Reason::none
         : code == "ConditionalCheckFailed" ? Reason::condition
         : code == "TransactionConflict"    ? Reason::conflict
                                            : Reason::other;
}

std::string text_at(const bj::object& object, std::string_view name) {
  const bj::value* const found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->get_string())) : std::string();
}

Result<std::vector<Item>> items_at(const bj::object& object, std::string_view name, const std::string& place) {
  std::vector<Item> out;
  const bj::value* const found = object.if_contains(name);
  if (found == nullptr || !found->is_array()) {
    return fail(ErrorKind::store_unavailable, place + " gave an answer without items");
  }
  for (const bj::value& one : found->get_array()) {
    auto item = item_from(one);
    if (!item) {
      return fail(ErrorKind::store_unavailable, place + " holds " + item.error().message +
                                                    ": it was altered, or is not this program's; restore a backup");
    }
    out.push_back(*std::move(item));
  }
  return out;
}

}  // namespace

Key key_of(const Item& item) { return {text_of(item, "pk").value_or(""), text_of(item, "sk").value_or("")}; }

struct Table::Said {
  aws::Exchange exchange;
  bj::value json;  // an object; empty when the body is none
  aws::ServiceError refusal;
  bool ok() const { return exchange.answer.status == 200; }
  const bj::object& object() const { return json.get_object(); }
};

Table::Table(aws::Client& client, aws::CredentialSource& credentials, TableName name, std::string region)
    : client_(client),
      credentials_(credentials),
      name_(std::move(name)),
      region_(std::move(region)),
      place_("the DynamoDB table " + name_.name + " (" + region_ + ")") {}

std::string Table::opening() const { return "{\"TableName\":" + quoted(name_.name); }

// One request and its answer as JSON. Refusals of DynamoDB are answers too; only what leaves us without one is an
// error.
Result<Table::Said> Table::call(Operation operation, std::string body) {
  const OperationFacts facts = facts_of(operation);
  const std::string name(facts.name);
  const aws::ServiceCall request{
      "dynamodb",      region_, "dynamodb:" + name, "application/x-amz-json-1.0", "DynamoDB_20120810." + name,
      std::move(body), kAnswer};
  Said out{client_.exchange(request, &credentials_), bj::object(), {}};
  if (out.exchange.trouble) {
    const bool doubt = facts.writes && out.exchange.uncertain;
    return fail(doubt ? ErrorKind::store_in_doubt : ErrorKind::store_unavailable,
                place_ +
                    (doubt ? " gave no answer to a write, which may have been carried out: " : " cannot be reached: ") +
                    out.exchange.trouble->message);
  }
  const std::string& text = out.exchange.answer.body;
  bj::error_code error;
  const bool shaped = json::check_shape(text, {kAnswer, kDepth}).has_value();
  bj::value parsed = shaped ? bj::parse(text, error) : bj::value();
  const bool object = shaped && !error && parsed.is_object();
  if (object) {
    out.json = std::move(parsed);
  }
  if (!out.ok()) {
    out.refusal = aws::read_error(out.exchange.answer);
  } else if (!object) {
    return fail(facts.writes ? ErrorKind::store_in_doubt : ErrorKind::store_unavailable,
                place_ + " gave an answer that is not JSON: check the endpoint and what stands in between");
  }
  return out;
}

Result<TableDescription> Table::describe() {
  CC_ASSIGN(const Said said, call(Operation::describe_table, opening() + "}"));
  if (!said.ok()) {
    Error error = explain(said.refusal, Operation::describe_table);
    error.kind = said.refusal.code == "ResourceNotFoundException" ? ErrorKind::not_found : error.kind;
    return fail(std::move(error));
  }
  TableDescription out;
  const bj::value* const table = said.object().if_contains("Table");
  if (table == nullptr || !table->is_object()) {
    return fail(ErrorKind::store_unavailable, place_ + " gave a description without a table");
  }
  const bj::object& facts = table->get_object();
  out.arn = text_at(facts, "TableArn");
  out.id = text_at(facts, "TableId");
  out.status = text_at(facts, "TableStatus");
  std::map<std::string, std::string> types;
  if (const bj::value* list = facts.if_contains("AttributeDefinitions"); list != nullptr && list->is_array()) {
    for (const bj::value& one : list->get_array()) {
      if (one.is_object()) {
        types[text_at(one.get_object(), "AttributeName")] = text_at(one.get_object(), "AttributeType");
      }
    }
  }
  if (const bj::value* list = facts.if_contains("KeySchema"); list != nullptr && list->is_array()) {
    for (const bj::value& one : list->get_array()) {
      const std::string name = one.is_object() ? text_at(one.get_object(), "AttributeName") : "";
      const bool partition = one.is_object() && text_at(one.get_object(), "KeyType") == "HASH";
      (partition ? out.partition_key : out.sort_key) = name + ":" + types[name];
    }
  }
  if (out.partition_key != "pk:S" || out.sort_key != "sk:S") {
    return fail(ErrorKind::config_invalid, place_ + " has the keys " + out.partition_key + " and " + out.sort_key +
                                               ", not pk:S and sk:S: it is no table of this program's");
  }
  if (!name_.account.empty() && out.arn.find(":" + name_.account + ":") == std::string::npos) {
    return fail(ErrorKind::config_invalid, place_ + " answers as " + out.arn + ", which is of another account than " +
                                               name_.account + ": check the signer's credentials");
  }
  return out;
}

Result<std::optional<Item>> Table::get(const Key& key) {
  CC_ASSIGN(const Said said,
            call(Operation::get_item, opening() + ",\"ConsistentRead\":true,\"Key\":" + key_json(key) + "}"));
  if (!said.ok()) {
    return fail(explain(said.refusal, Operation::get_item));
  }
  const bj::value* const found = said.object().if_contains("Item");
  if (found == nullptr) {
    return std::nullopt;
  }
  auto item = item_from(*found);
  if (!item) {
    return fail(ErrorKind::store_unavailable, place_ + " holds " + item.error().message +
                                                  ": it was altered, or is not this program's; restore a backup");
  }
  return std::optional<Item>(*std::move(item));
}

Result<std::vector<Item>> Table::get_once(const std::vector<Key>& keys, std::vector<Key>& unprocessed) {
  std::string body = "{\"RequestItems\":{" + quoted(name_.name) + ":{\"ConsistentRead\":true,\"Keys\":[";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    body += (i == 0 ? "" : ",") + key_json(keys[i]);
  }
  CC_ASSIGN(const Said said, call(Operation::batch_get_item, std::move(body) + "]}}}"));
  if (!said.ok()) {
    return fail(explain(said.refusal, Operation::batch_get_item));
  }
  const auto table_in = [&](std::string_view member) -> const bj::value* {
    const bj::value* const all = said.object().if_contains(member);
    return all == nullptr || !all->is_object() ? nullptr : all->get_object().if_contains(name_.name);
  };
  if (const bj::value* left = table_in("UnprocessedKeys"); left != nullptr && left->is_object()) {
    CC_ASSIGN(const std::vector<Item> items, items_at(left->get_object(), "Keys", place_));
    std::ranges::transform(items, std::back_inserter(unprocessed), key_of);
  }
  const bj::value* const found = table_in("Responses");
  return found == nullptr ? Result<std::vector<Item>>(std::vector<Item>())
                          : items_at(bj::object{{"Items", *found}}, "Items", place_);
}

Result<std::vector<Item>> Table::get_many(const std::vector<Key>& keys) {
  std::vector<Item> out;
  std::vector<Key> wanted = keys;
  aws::Retries retries(client_.outside(), client_.patience());
  while (!wanted.empty()) {
    std::vector<Key> unprocessed;
    CC_ASSIGN(std::vector<Item> items, get_once(wanted, unprocessed));
    std::ranges::move(items, std::back_inserter(out));
    if (!unprocessed.empty() && !retries.wait()) {
      return fail(ErrorKind::store_unavailable,
                  place_ +
                      " leaves parts of a batch unread, again and again: it has no capacity left; use on-demand "
                      "capacity, or raise the provisioned");
    }
    wanted = std::move(unprocessed);
  }
  return out;
}

Result<std::vector<Item>> Table::query(const QueryRange& range) {
  std::vector<Item> out;
  CC_TRY(query(range, [&out](const Item& item) -> Result<void> {
    out.push_back(item);
    return {};
  }));
  return out;
}

Result<void> Table::query(const QueryRange& range, const std::function<Result<void>(const Item&)>& visit) {
  std::string body = opening();
  body += range.index.empty() ? ",\"ConsistentRead\":true" : ",\"IndexName\":" + quoted(range.index);
  const bool bounded = !range.from.empty() || !range.to.empty();
  body += ",\"KeyConditionExpression\":" + quoted(bounded ? "#pk = :pk AND #sk BETWEEN :from AND :to" : "#pk = :pk");
  body += bounded ? R"(,"ExpressionAttributeNames":{"#pk":"pk","#sk":"sk"},"ExpressionAttributeValues":)"
                  : R"(,"ExpressionAttributeNames":{"#pk":"pk"},"ExpressionAttributeValues":)";
  Item values{{":pk", range.pk}};
  if (bounded) {
    values.emplace(":from", range.from);
    values.emplace(":to", range.to);
  }
  append_json(body, values);
  body += range.keys_only ? R"(,"ProjectionExpression":"pk, sk")" : "";
  body += range.backwards ? ",\"ScanIndexForward\":false" : "";
  std::size_t left = range.limit;
  std::string start;
  do {
    const std::string page = left == 0 ? "" : ",\"Limit\":" + std::to_string(left);
    CC_ASSIGN(const Said said, call(Operation::query, body + page + start + "}"));
    if (!said.ok()) {
      return fail(explain(said.refusal, Operation::query));
    }
    CC_ASSIGN(const std::vector<Item> items, items_at(said.object(), "Items", place_));
    for (const Item& item : items) {
      CC_TRY(visit(item));
    }
    if (range.limit != 0 && items.size() >= left) {
      return {};
    }
    left -= range.limit == 0 ? 0 : items.size();
    const bj::value* const last = said.object().if_contains("LastEvaluatedKey");
    std::string next = last == nullptr || !last->is_object() ? "" : ",\"ExclusiveStartKey\":" + bj::serialize(*last);
    if (!next.empty() && next == start) {
      return fail(ErrorKind::store_unavailable, place_ + " gives the same page again and again: it is no DynamoDB");
    }
    start = std::move(next);
  } while (!start.empty());
  return {};
}

Result<Written> Table::write(const Write& write) {
  std::string body = opening();
  append_write(body, write);
  body += write.kind == Write::Kind::update ? ",\"ReturnValues\":\"ALL_NEW\"}" : "}";
  const Operation operation = operation_of(write.kind);
  CC_ASSIGN(const Said said, call(operation, std::move(body)));
  Written out;
  out.done = said.ok();
  out.repeated = said.exchange.uncertain;
  if (!out.done && said.refusal.code != "ConditionalCheckFailedException") {
    Error error = explain(said.refusal, operation);
    error.kind = said.exchange.uncertain ? ErrorKind::store_in_doubt : error.kind;
    return fail(std::move(error));
  }
  const bj::value* const item = said.object().if_contains(out.done ? "Attributes" : "Item");
  if (item != nullptr) {
    auto read = item_from(*item);
    out.item = read ? std::optional<Item>(*std::move(read)) : std::nullopt;
  }
  return out;
}

Result<Transacted> Table::transact(const std::vector<Write>& writes, const std::string& token) {
  std::string body = "{\"ClientRequestToken\":" + quoted(token) + ",\"TransactItems\":[";
  for (std::size_t i = 0; i < writes.size(); ++i) {
    body.append(i == 0 ? "{\"" : ",{\"").append(word_of(writes[i].kind)).append("\":").append(opening());
    append_write(body, writes[i]);
    body += "}}";
  }
  body += "]}";
  constexpr Operation kOperation = Operation::transact_write_items;
  aws::Retries retries(client_.outside(), client_.patience());
  Transacted out;
  while (true) {
    CC_ASSIGN(const Said said, call(kOperation, body));
    out.repeated = out.repeated || said.exchange.uncertain;
    out.done = said.ok();
    if (out.done) {
      return out;
    }
    if (said.refusal.code != "TransactionCanceledException") {
      Error error = explain(said.refusal, kOperation);
      error.kind = out.repeated ? ErrorKind::store_in_doubt : error.kind;
      return fail(std::move(error));
    }
    out.reasons.clear();
    out.items.clear();
    std::string other;
    const bj::value* const list = said.object().if_contains("CancellationReasons");
    if (list != nullptr && list->is_array()) {
      for (const bj::value& one : list->get_array()) {
        const std::string code = one.is_object() ? text_at(one.get_object(), "Code") : "";
        out.reasons.push_back(reason_of(code));
        const bj::value* const item = one.is_object() ? one.get_object().if_contains("Item") : nullptr;
        auto read = item == nullptr ? Result<Item>(fail(ErrorKind::not_found, "")) : item_from(*item);
        out.items.push_back(read ? std::optional<Item>(*std::move(read)) : std::nullopt);
        other = out.reasons.back() == Reason::other ? code : other;
      }
    }
    const bool refused = std::ranges::find(out.reasons, Reason::condition) != out.reasons.end();
    if (refused && out.reasons.size() == writes.size()) {
      return out;
    }
    const bool hopeless = !other.empty() && other != "ThrottlingError" && other != "ProvisionedThroughputExceeded";
    if (hopeless || !retries.wait()) {
      Error error =
          explain({400, other.empty() ? "TransactionCanceledException" : other, said.refusal.message, ""}, kOperation);
      error.kind = out.repeated ? ErrorKind::store_in_doubt : error.kind;
      return fail(std::move(error));
    }
  }
}

}  // namespace cc::dynamodb
