#include "proxy/command/client_config/client_files.hpp"

#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("the platform of a path is a token that archway reads back") {
  struct Row {
    const char* platform;
    const char* want;
  };
  const Row rows[] = {{nullptr, ""},
                      {"linux/arm64", "/platform/linux-arm64"},
                      {"linux/arm/v7", "/platform/linux-arm-v7"},
                      {"linux/amd64/v3", "/platform/linux-amd64-v3"},
                      {"windows/amd64", "/platform/windows-amd64"}};
  for (const Row& row : rows) {
    CAPTURE(row.want);
    const auto path = platform_path(wish_for(row.platform));
    REQUIRE(path);
    CHECK(*path == row.want);
  }
  for (const char* platform : {"windows(10.0.20348)/amd64", "linux/foo"}) {
    CAPTURE(platform);
    const auto path = platform_path(wish_for(platform));
    REQUIRE_FALSE(path);
    CHECK(path.error().code == Errc::platform_invalid);
  }
}

TEST_CASE("a file that cannot be merged is written over when it is ours alone") {
  const auto combine = only_ours("/etc/a.yaml", "new");
  struct Row {
    const char* why;
    std::string existing;
    bool ours;
  };
  const Row rows[] = {{"ours", first_line("/etc/a.yaml") + "old", true},
                      {"ours, moved", first_line("/srv/b.yaml"), true},
                      {"somebody else's", "# by hand\nmirrors: {}\n", false},
                      {"ours is a remark further down", "mirrors:\n" + first_line("/a"), false},
                      {"empty", "", false}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto combined = combine(row.existing);
    CHECK(combined.has_value() == row.ours);
    if (combined) CHECK(*combined == "new");
    if (!combined) CHECK(combined.error().message.starts_with("/etc/a.yaml was not written by"));
  }
}

TEST_CASE("every client is there once, and makes its files") {
  std::set<std::string_view> names;
  for (const Client& client : clients()) {
    CAPTURE(client.name);
    CHECK(names.insert(client.name).second);
    for (const char* platform : {static_cast<const char*>(nullptr), "linux/arm64"}) {
      const auto made = files_of(client.files(wish_for(platform)));
      REQUIRE(made.files.size() == 1);
      CHECK(made.files[0].text.ends_with('\n'));
      CHECK(made.files[0].text.find("127.0.0.1:5000") != std::string::npos);
      const auto arm = made.files[0].text.find("arm64");
      CHECK((arm != std::string::npos) == (platform != nullptr));
    }
    for (const auto program : client.programs) CHECK(program.starts_with('/'));
  }
  CHECK(names.size() == 7);
}

TEST_CASE("clients that are told each upstream are told the wanted ones, else all") {
  CHECK(each_upstream(wish_for()) == std::vector<std::string>{"docker.io", "ghcr.io"});
  CHECK(each_upstream(wish_for(nullptr, {"quay.io"})) == std::vector<std::string>{"quay.io"});
}

}  // namespace
}  // namespace archway::proxy
