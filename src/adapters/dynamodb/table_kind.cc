#include "adapters/dynamodb/table_kind.h"

namespace cc::dynamodb {

Result<void> claim(Table& table, const std::string& kind) {
  const auto described = table.describe();
  if (!described) {
    Error error = described.error();
    error.kind = error.kind == ErrorKind::not_found ? ErrorKind::store_unavailable : error.kind;
    return fail(std::move(error));
  }
  Write mark;
  mark.item = {{"pk", kStoreKey.pk}, {"sk", kStoreKey.sk}, {"kind", kind}};
  mark.condition.expression = "attribute_not_exists(#pk)";
  CC_TRY(table.write(mark));
  CC_ASSIGN(const std::optional<Item> item, table.get(kStoreKey));
  const std::string found = item ? text_of(*item, "kind").value_or("nothing known") : "nothing";
  if (found != kind) {
    return fail(ErrorKind::config_invalid, table.place() + " holds \"" + found.substr(0, 40) + "\", not " + kind +
                                               ": each of the three needs a table of its own");
  }
  return {};
}

}  // namespace cc::dynamodb
