#include "adapters/dynamodb/state_store.h"

#include "adapters/dynamodb/table_kind.h"

namespace cc::dynamodb {
namespace {

Key document_key(const std::string& name) { return {"document", name}; }

Result<seal::Document> document_from(const Item& item, const std::string& name) {
  const auto revision = number_of(item, "revision");
  auto content = bytes_of(item, "content");
  if (!revision || *revision == 0 || !content) {
    return fail(ErrorKind::record_malformed,
                "the document " + name + " of the signer state is damaged: it was altered; restore it from a backup");
  }
  return seal::Document{*revision, *std::move(content)};
}

}  // namespace

Result<std::unique_ptr<DynamoStateStore>> DynamoStateStore::open(std::shared_ptr<Table> table) {
  CC_TRY(claim(*table, kStateKind));
  return std::unique_ptr<DynamoStateStore>(new DynamoStateStore(std::move(table)));
}

Result<std::optional<seal::Document>> DynamoStateStore::read(const std::string& name) { return look_up(*table_, name); }

Result<std::optional<seal::Document>> DynamoStateStore::look_up(Table& table, const std::string& name) {
  CC_ASSIGN(const std::optional<Item> item, table.get(document_key(name)));
  if (!item) {
    return std::nullopt;
  }
  CC_ASSIGN(seal::Document document, document_from(*item, name));
  return std::optional<seal::Document>(std::move(document));
}

Result<std::uint64_t> DynamoStateStore::write(const std::string& name, std::uint64_t expected, ByteView content) {
  if (content.size() > kLargestDocument) {
    return fail(ErrorKind::store_unavailable, "the document " + name + " has " + std::to_string(content.size()) +
                                                  " bytes, and an item of DynamoDB " + "takes " +
                                                  std::to_string(kLargestDocument) + " of it: nothing was written");
  }
  const Key key = document_key(name);
  Write write;
  write.item = {
      {"pk", key.pk}, {"sk", key.sk}, {"revision", expected + 1}, {"content", Bytes(content.begin(), content.end())}};
  if (expected == 0) {
    write.condition.expression = "attribute_not_exists(#pk)";
  } else {
    write.condition.expression = "#revision = :revision";
    write.condition.values = {{":revision", expected}};
  }
  CC_ASSIGN(const Written written, table_->write(write));
  if (written.done) {
    return expected + 1;
  }
  CC_ASSIGN(const std::optional<seal::Document> stored, read(name));
  const std::uint64_t revision = stored ? stored->revision : 0;
  const bool ours =
      written.repeated && revision == expected + 1 && stored->content == Bytes(content.begin(), content.end());
  if (ours) {
    return revision;
  }
  return fail(ErrorKind::record_conflict, "the document " + name + " has revision " + std::to_string(revision) +
                                              ", not " + std::to_string(expected) +
                                              ": another process changed it first; read it again");
}

}  // namespace cc::dynamodb
