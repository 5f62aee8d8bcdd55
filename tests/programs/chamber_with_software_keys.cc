// The command line of the product with security keys made of software, for tests from outside: the same commands, and
// the folder CC_SOFTWARE_KEYS in place of what is plugged in. Never shipped, and no part of the product's own program.
#include <cstdlib>

#include "adapters/tokens/pcsc.h"
#include "app/command_line.h"
#include "support/software_authenticator.h"

int main(int argc, char** argv) {
  const char* folder = std::getenv("CC_SOFTWARE_KEYS");
  const std::string keys = folder == nullptr ? "." : folder;
  const cc::app::HardwareKeys hardware{&cc::tokens::pcsc_readers,
                                       [keys] { return cc::test::software_authenticators(keys); }};
  return cc::app::run(argc, argv, hardware);
}
