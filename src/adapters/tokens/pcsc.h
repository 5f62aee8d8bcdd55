// Smart cards through the system's PC/SC service (pcscd), by libpcsclite.
#pragma once

#include <memory>

#include "adapters/tokens/smart_card.h"

namespace cc::tokens {

// Connects to the service at the first use. PCSCLITE_CSOCK_NAME names another socket of it, as for every PC/SC program.
std::unique_ptr<CardReaders> pcsc_readers();

}  // namespace cc::tokens
