// docs/reference/aws-iam.md: what AWS must allow the signer's role.
#pragma once

#include <string>

namespace cc::app {

std::string iam_reference();

}  // namespace cc::app
