#include "app/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "base/log.h"
#include "http/wiping_allocators.h"

namespace cc::app {
namespace {

#ifndef CC_SANITIZED
void close_to_others() {
  const rlimit none{0, 0};
  const bool held = ::setrlimit(RLIMIT_CORE, &none) == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  if (!held) {
    log::warn("the kernel refused a part of the process hardening (core dumps, dumpable, new privileges)");
  }
}
#endif

}  // namespace

void harden_process() {
  http::install_wiping_allocators();
#ifndef CC_SANITIZED
  close_to_others();
#endif
  ::umask(S_IRWXG | S_IRWXO);
  // A peer that hangs up is an error of that connection, never the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace cc::app
