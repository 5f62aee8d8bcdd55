// How a row of the configuration table says where its value goes. Included by the files that hold rows.
#pragma once

#include "app/config_table.h"

// The slot of a member that every configuration has.
#define CC_AT(type, member)                                                     \
  AnySlot {                                                                     \
    Slot<type> {                                                                \
      [](Config& config, const std::string&) -> type& { return config.member; } \
    }                                                                           \
  }
