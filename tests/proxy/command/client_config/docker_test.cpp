#include "proxy/command/client_config/client_files.hpp"
#include "tests/proxy/command/client_config/made.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Result<std::string> merged(const std::string& existing, const char* platform = nullptr) {
  const auto made = files_of(docker_files(wish_for(platform)));
  return made.files.at(0).combine(existing);
}

TEST_CASE("docker gets a mirror, with the platform in its path") {
  const auto plain = files_of(docker_files(wish_for()));
  REQUIRE(plain.files.size() == 1);
  CHECK(plain.files[0].path == "/etc/docker/daemon.json");
  CHECK(plain.files[0].text == client_file("docker/daemon.json"));
  CHECK(plain.next == "systemctl reload docker");
  const auto stated = files_of(docker_files(wish_for("linux/arm/v7")));
  CHECK(stated.files[0].text ==
        "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5000/platform/linux-arm-v7\"]\n}\n");
  check_no_build_in_path(docker_files);
}

TEST_CASE("docker's notes say what a person must know") {
  struct Row {
    const char* why;
    ClientWish wish;
    const char* note;
    bool want;
  };
  auto lan = wish_for();
  lan.gateway = *resolver::Url::parse("http://archway.lan:5000");
  auto secure = wish_for();
  secure.gateway = *resolver::Url::parse("https://archway.lan");
  const Row rows[] = {
      {"an old dockerd takes no path", wish_for("linux/arm64"), "from version 25 on", true},
      {"and wants a listener", wish_for("linux/arm64"), "platform: linux/arm64}]", true},
      {"nothing is stated", wish_for(), "No platform is stated", true},
      {"Docker Hub is what dockerd mirrors", wish_for(nullptr, {"docker.io"}), "alone", false},
      {"and no other", wish_for(nullptr, {"ghcr.io"}), "127.0.0.1:5000/ghcr.io/IMAGE", true},
      {"http by a name", lan, "\"insecure-registries\": [\"archway.lan:5000\"]", true},
      {"http on this machine", wish_for(), "insecure-registries", false},
      {"https", secure, "insecure-registries", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    std::string all;
    for (const auto& note : files_of(docker_files(row.wish)).notes) all += note + "\n";
    CHECK((all.find(row.note) != std::string::npos) == row.want);
  }
}

TEST_CASE("daemon.json keeps what it has, and gets our mirror first") {
  const std::string ours = "\"http://127.0.0.1:5000\"";
  struct Row {
    const char* why;
    const char* existing;
    std::string want;
  };
  const Row rows[] = {
      {"empty", "", "{\n  \"registry-mirrors\": [" + ours + "]\n}\n"},
      {"blank", " \n", "{\n  \"registry-mirrors\": [" + ours + "]\n}\n"},
      {"an empty object", "{}", "{\n  \"registry-mirrors\": [" + ours + "]\n}\n"},
      {"other keys", R"({"log-driver":"json-file","log-opts":{"max-size":"10m"},"debug":true})",
       "{\n  \"log-driver\": \"json-file\",\n  \"log-opts\": {\n    \"max-size\": \"10m\"\n  },\n"
       "  \"debug\": true,\n  \"registry-mirrors\": [" +
           ours + "]\n}\n"},
      {"another mirror", R"({"registry-mirrors":["https://other.lan"],"debug":false})",
       "{\n  \"registry-mirrors\": [" + ours +
           ", \"https://other.lan\"],\n  \"debug\": false\n}\n"},
      {"ours, behind another",
       R"({"registry-mirrors":["https://other.lan","http://127.0.0.1:5000/"]})",
       "{\n  \"registry-mirrors\": [" + ours + ", \"https://other.lan\"]\n}\n"},
      {"ours, for another platform",
       R"({"registry-mirrors":["http://127.0.0.1:5000/platform/linux-arm64"]})",
       "{\n  \"registry-mirrors\": [" + ours + "]\n}\n"},
      {"another port is another gateway", R"({"registry-mirrors":["http://127.0.0.1:5001"]})",
       "{\n  \"registry-mirrors\": [" + ours + ", \"http://127.0.0.1:5001\"]\n}\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto text = merged(row.existing);
    REQUIRE(text);
    CHECK(*text == row.want);
    CHECK(*merged(*text) == *text);
  }
  CHECK(*merged(client_file("docker/daemon.json"), "linux/arm64") ==
        "{\n  \"registry-mirrors\": [\"http://127.0.0.1:5000/platform/linux-arm64\"]\n}\n");
}

TEST_CASE("a daemon.json that cannot be read is left alone") {
  struct Row {
    const char* why;
    const char* existing;
    const char* want;
  };
  const Row rows[] = {{"no JSON", "{\"a\": }", "/etc/docker/daemon.json is no JSON ("},
                      {"with comments", "{} // mine", "/etc/docker/daemon.json is no JSON ("},
                      {"a list", "[]", "/etc/docker/daemon.json is no JSON object; nothing"},
                      {"mirrors that are no list", "{\"registry-mirrors\": \"a\"}",
                       "/etc/docker/daemon.json has a registry-mirrors that is no list; nothing"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto text = merged(row.existing);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == Errc::configuration_invalid);
    CHECK(text.error().message.starts_with(row.want));
  }
}

}  // namespace
}  // namespace archway::proxy
