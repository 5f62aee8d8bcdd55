// The keys group: import, deposit data and exits in files of their own, and the rest.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string_view>

#include "app/command.h"

namespace cc::app {

inline constexpr std::string_view kKeysPath = "/api/v1/chamber/keys";

void add_keys_import_command(CLI::App& group, Chosen& chosen);
void add_keys_deposit_commands(CLI::App& group, Chosen& chosen);
void add_keys_backup_commands(CLI::App& group, Chosen& chosen);
// Appends the reply's `data`.
Result<void> take_data(const boost::json::value& reply, boost::json::array& all);
// An error when the reply's `data` holds an item that failed, so that scripts notice.
Result<void> check_results(const boost::json::value& reply);

}  // namespace cc::app
