// Where the command line finds hardware keys: the system's smart-card service and security keys. Handed in from main,
// so that another program can be built around the same commands with keys made of software; tests are.
#pragma once

#include <functional>
#include <memory>

#include "adapters/tokens/fido2_devices.h"
#include "adapters/tokens/smart_card.h"

namespace cc::app {

struct HardwareKeys {
  std::function<std::unique_ptr<tokens::CardReaders>()> card_readers;
  std::function<std::unique_ptr<tokens::Fido2Devices>()> fido2_devices;
};
// Those that are plugged into this machine.
const HardwareKeys& system_hardware_keys();

}  // namespace cc::app
