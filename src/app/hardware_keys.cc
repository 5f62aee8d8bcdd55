#include "app/hardware_keys.h"

#include "adapters/tokens/pcsc.h"

namespace cc::app {

const HardwareKeys& system_hardware_keys() {
  static const HardwareKeys keys{&tokens::pcsc_readers, &tokens::usb_fido2_devices};
  return keys;
}

}  // namespace cc::app
