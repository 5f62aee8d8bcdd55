// A real PostgreSQL server for a test program: one cluster per program (tools/temporary_postgres.sh), a schema of its
// own per case. The script removes the cluster when this process ends, however it ends.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "adapters/postgres/slashing_store.h"
#include "support/seeded_random.h"

namespace cc::test {

class PostgresCluster {
 public:
  static PostgresCluster& get() {
    static PostgresCluster cluster;
    return cluster;
  }
  ~PostgresCluster() {
    ::close(to_);
    int status = 0;
    ::waitpid(script_, &status, 0);
    ::close(from_);
  }
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  bool up() const { return !port.empty(); }
  // "stop", "start", "pid".
  std::string command(const std::string& line) {
    const std::string text = line + "\n";
    static_cast<void>(!::write(to_, text.data(), text.size()));
    return read_line();
  }

  postgres::Settings settings(const std::string& schema, const std::string& user = "signer") const {
    postgres::Settings out;
    out.host = "127.0.0.1";
    out.port = port;
    out.database = "signer";
    out.user = user;
    out.password = SecretBytes::copy_of(std::string_view(password));
    out.sslrootcert = folder + "/ca.pem";
    out.schema = schema;
    return out;
  }
  std::unique_ptr<postgres::Connection> administrator(const std::string& schema) const {
    const auto options = postgres::check(settings(schema));
    EXPECT_TRUE(options) << options.error().message;
    auto connection = postgres::Connection::open(*options, in_seconds(10));
    EXPECT_TRUE(connection) << connection.error().message;
    return connection ? *std::move(connection) : nullptr;
  }
  static postgres::Deadline in_seconds(int seconds) {
    return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }

  std::string port, folder, password;

 private:
  PostgresCluster() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
      return;
    }
    const std::string script = std::string(CC_SOURCE_DIR) + "/tools/temporary_postgres.sh";
    script_ = ::fork();
    if (script_ == 0) {
      ::setpgid(0, 0);
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(script.c_str(), script.c_str(), "-c", "max_connections = 60", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
    std::istringstream ready(read_line());
    std::string word;
    ready >> word;
    if (word == "ready") {
      ready >> port >> folder >> password;
    } else {
      ADD_FAILURE() << "no PostgreSQL: " << ready.str();
    }
  }
  std::string read_line() const {
    std::string out;
    for (char c = 0; ::read(from_, &c, 1) == 1 && c != '\n';) {
      out.push_back(c);
    }
    return out;
  }

  pid_t script_ = -1;
  int to_ = -1, from_ = -1;
};

// A store in a schema of its own.
inline std::string fresh_schema() {
  static int count = 0;
  return "case_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
}
inline Result<std::unique_ptr<postgres::PostgresSlashingStore>> open_postgres(
    postgres::Settings settings, postgres::OpenMode mode = postgres::OpenMode::open_or_create,
    const std::optional<postgres::ChamberId>& chamber = std::nullopt) {
  SystemRandom random;
  CC_ASSIGN(postgres::Options options, postgres::check(std::move(settings)));
  return postgres::PostgresSlashingStore::open(std::make_shared<const postgres::Options>(std::move(options)), mode,
                                               chamber, random);
}

}  // namespace cc::test
