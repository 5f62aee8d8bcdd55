#include "base/log.h"
int main() { cc::log::always("x", {{"setup_token", "cc-setup-a"}}); }
