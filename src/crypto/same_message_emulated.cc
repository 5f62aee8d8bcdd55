// The IFMA kernel's templates over plain integers: eight lanes, limbs of 52 bits, the two halves of each product added
// as the instructions would. For tests and for the constant-time checker; far too slow to sign with.
#include "crypto/emulated_vector.h"
#include "crypto/lane_field.h"
#include "crypto/same_message_kernel.h"

namespace cc::crypto::same_message {
namespace {

constinit const Kernel kernel_here = kernel_of<LaneField<EmulatedIfma>>();

}  // namespace

const Kernel* const kEmulatedIfmaKernel = &kernel_here;

}  // namespace cc::crypto::same_message
