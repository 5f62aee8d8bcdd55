#include "adapters/postgres/options.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "support/checks.h"
#include "support/postgres_cluster.h"

namespace cc::postgres {
namespace {

using test::PostgresCluster;
using testing::HasSubstr;
using testing::Not;

Settings url(const std::string& text) {
  Settings out;
  out.url = SecretBytes::copy_of(std::string_view(text));
  return out;
}
std::string keyword(const Options& options, const std::string& word) {
  for (const auto& [name, value] : options.keywords) {
    if (name == word) {
      return value;
    }
  }
  return {};
}

TEST(Options, VerifyTheServerWithoutAWordOnIt) {
  const auto options = check(url("postgresql://signer:s3cret@db.example:6432/slashing"));
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(keyword(*options, "sslmode"), "verify-full");
  EXPECT_EQ(keyword(*options, "password"), "");
  EXPECT_EQ(options->place, "PostgreSQL database slashing on db.example:6432, schema containment_chamber");
  EXPECT_EQ(options->password, SecretBytes::copy_of(std::string_view("s3cret")));
}

TEST(Options, TakePlainTextOnlyOnThisMachineAndOnlyWhenAsked) {
  EXPECT_TRUE(check(url("postgresql://u:p@127.0.0.1/d?sslmode=disable")));
  EXPECT_TRUE(check(url("postgresql://u:p@localhost/d?sslmode=disable")));
  EXPECT_TRUE(check(url("postgresql://u:p@%2Frun%2Fpostgresql/d?sslmode=disable")));
  for (const char* text :
       {"postgresql://u:p@db.example/d?sslmode=disable", "postgresql://u:p@10.0.0.1/d?sslmode=disable",
        "postgresql://u:p@127.0.0.1,db.example/d?sslmode=disable", "postgresql://u:p@db.example/d?sslmode=prefer",
        "postgresql://u:p@db.example/d?sslmode=allow", "postgresql://u:p@db.example/d?sslmode=nonsense"}) {
    const auto options = check(url(text));
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().kind, ErrorKind::config_invalid) << text;
  }
  EXPECT_TRUE(check(url("postgresql://u:p@db.example/d?sslmode=require"))->unauthenticated_server);
}

// A password that was not percent-encoded shifts the parts of the URL; none of it may stand in the message.
TEST(Options, ShowNoPieceOfABadUrl) {
  for (const char* text :
       {"postgresql://u:hun@ter2hun@db/d", "postgresql://u:hun/ter2hun@db/d", "postgresql://u:12/ter2hun@db/d",
        "postgresql://u:hun?ter2hun@db/d", "postgresql://u:ter2hun%ZZ@db/d", "postgresql://u:hun#ter2hun@db/d",
        "http://ter2hun", "host=db password='ter2hun", "postgresql://u:ter2hun@/d", "postgresql://u:ter2hun@db"}) {
    const auto options = check(url(text));
    if (options) {
      EXPECT_THAT(options->place, Not(HasSubstr("ter2hun"))) << text;
      continue;
    }
    EXPECT_EQ(options.error().kind, ErrorKind::config_invalid) << text;
    EXPECT_THAT(options.error().message, Not(HasSubstr("ter2hun"))) << text;
  }
}

TEST(Options, RefuseASchemaThatIsNoPlainName) {
  for (const char* schema : {"", "Upper", "1st", "pg_toast", "a-b", "a\"b", "a.b"}) {
    Settings settings = url("postgresql://u:p@db/d");
    settings.schema = schema;
    EXPECT_FALSE(check(std::move(settings))) << schema;
  }
}

TEST(Options, ReadThePasswordFromTheFirstLineOfAFile) {
  const auto path = std::filesystem::temp_directory_path() / ("cc-password-" + std::to_string(::getpid()));
  std::ofstream(path) << "s3cret\nsecond line\n";
  Settings settings = url("postgresql://u@db/d");
  settings.password_file = path.string();
  EXPECT_EQ(check(std::move(settings))->password, SecretBytes::copy_of(std::string_view("s3cret")));
  std::ofstream(path) << "";
  settings = url("postgresql://u@db/d");
  settings.password_file = path.string();
  EXPECT_FALSE(check(std::move(settings)));
  std::filesystem::remove(path);
}

TEST(Transport, RefusesAServerItCannotVerifyAndAWrongPassword) {
  const PostgresCluster& cluster = PostgresCluster::get();
  ASSERT_TRUE(cluster.up());
  Settings stranger = cluster.settings("x");
  stranger.sslrootcert = "/etc/ssl/certs/ca-certificates.crt";
  const auto unknown = test::open_postgres(std::move(stranger));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("certificate verify failed"));
  Settings misspelled = cluster.settings("x");
  misspelled.password = SecretBytes::copy_of(std::string_view("not-the-password"));
  const auto refused = test::open_postgres(std::move(misspelled));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::store_unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("password authentication failed"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("not-the-password")));
}

TEST(Transport, IsEncryptedUnlessAUnixSocketOrLoopbackIsAskedFor) {
  const PostgresCluster& cluster = PostgresCluster::get();
  ASSERT_TRUE(cluster.up());
  for (const bool plain : {false, true}) {
    Settings settings = cluster.settings("x");
    settings.sslmode = plain ? "disable" : "";
    const auto connection = Connection::open(*check(std::move(settings)), PostgresCluster::in_seconds(5));
    ASSERT_TRUE(connection) << connection.error().message;
    const auto rows = (*connection)
                          ->run({{"", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"}, {}},
                                PostgresCluster::in_seconds(5));
    EXPECT_EQ(rows->boolean(0, 0), !plain);
  }
}

}  // namespace
}  // namespace cc::postgres
