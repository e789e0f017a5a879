#include "proxy/command/session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace archway::proxy {
namespace {

constexpr const char* hub = "https://index.docker.io/v1/";

/// Docker's configuration and helpers, in a folder of their own.
struct Bench {
  test::TempDir folder;

  Environment environment() const {
    const std::map<std::string, std::string> variables = {
        {"PATH", "relative:" + folder.path().string()}, {"DOCKER_CONFIG", folder.path().string()}};
    return {.variable = [variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    }};
  }
  void helper(const std::string& name, const std::string& script) const {
    const auto path = folder.write("docker-credential-" + name, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Result<std::optional<Settings::Credentials>> ask(const std::string& config,
                                                   const std::string& host) const {
    folder.write("config.json", config);
    return docker_credentials("", host, environment());
  }
};

std::string auths(const std::string& entries) {
  return "{\"auths\": {" + entries + "}}";
}

TEST_CASE("credentials are found under every key that means the registry") {
  const std::string entry = R"({"auth": "dXNlcjpzZWM6cmV0"})";  // user:sec:ret
  struct Row {
    const char* why;
    const char* host;
    std::string config;
    bool found;
  };
  const auto with = [&](const std::string& key) { return auths("\"" + key + "\": " + entry); };
  const Row rows[] = {
      {"its name", "ghcr.io", with("ghcr.io"), true},
      {"with a port", "registry.lan:5000", with("registry.lan:5000"), true},
      {"as a URL", "ghcr.io", with("https://ghcr.io"), true},
      {"as a URL of old", "registry.lan:5000", with("http://registry.lan:5000/v1/"), true},
      {"as a URL of today", "ghcr.io", with("https://ghcr.io/v2/"), true},
      {"Docker Hub", "docker.io", with(hub), true},
      {"Docker Hub by name", "docker.io", with("docker.io"), true},
      {"Docker Hub by its index", "docker.io", with("index.docker.io"), true},
      {"another port", "registry.lan:5001", with("registry.lan:5000"), false},
      {"another host", "gcr.io", with("ghcr.io"), false},
      {"a part of the registry", "quay.io", with("quay.io/organisation"), false},
      {"nothing", "ghcr.io", "{}", false},
      {"an entry whose secret is elsewhere", "ghcr.io", auths(R"("ghcr.io": {})"), false},
  };
  const Bench bench;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto got = bench.ask(row.config, row.host);
    REQUIRE(got);
    REQUIRE(got->has_value() == row.found);
    if (!row.found) continue;
    CHECK((*got)->username == "user");
    CHECK((*got)->password == "sec:ret");
  }
}

TEST_CASE("an entry holds a name and password, or an identity token") {
  struct Row {
    const char* why;
    const char* entry;
    std::string username;
    std::string password;  // of both "" : an error
  };
  const Row rows[] = {
      {"coded", R"({"auth": "dXNlcjpzZWNyZXQ="})", "user", "secret"},
      {"coded, with zero bytes behind", R"({"auth": "dXNlcjpzZWNyZXQAAA=="})", "user", "secret"},
      {"coded, without padding", R"({"auth": "YTpiYg"})", "", ""},
      {"coded, no password", R"({"auth": "YWJj"})", "", ""},
      {"coded, no code", R"({"auth": "%%%%"})", "", ""},
      {"plain", R"({"username": "user", "password": "secret"})", "user", "secret"},
      {"identity token", R"({"auth": "dXNlcjpzZWNyZXQ=", "identitytoken": "abc"})", "<token>",
       "abc"},
      {"registry token", R"({"registrytoken": "abc"})", "", ""},
      {"no object", R"("dXNlcjpzZWNyZXQ=")", "", ""},
  };
  const Bench bench;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto got = bench.ask(auths(std::string("\"ghcr.io\": ") + row.entry), "ghcr.io");
    REQUIRE(got.has_value() == !row.username.empty());
    if (got) {
      REQUIRE(got->has_value());
      CHECK((*got)->username == row.username);
      CHECK((*got)->password == row.password);
    } else {
      CHECK(got.error().code == Errc::configuration_invalid);
      CHECK(got.error().message.find("config.json: auths: ghcr.io: ") != std::string::npos);
      CHECK(got.error().message.find("abc") == std::string::npos);
    }
  }
}

TEST_CASE("the folder is the one that is named, the environment's or the home's") {
  const test::TempDir folder;
  std::filesystem::create_directory(folder.path() / ".docker");
  folder.write("config.json", auths(R"("ghcr.io": {"username": "named", "password": "x"})"));
  folder.write(".docker/config.json", auths(R"("ghcr.io": {"username": "home", "password": "x"})"));
  std::map<std::string, std::string> variables;
  const Environment environment{.variable = [&variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }};
  const auto user = [&](const std::string& config_folder) {
    const auto got = docker_credentials(config_folder, "ghcr.io", environment);
    REQUIRE(got);
    return *got ? (*got)->username : std::string("nobody");
  };
  CHECK(user("") == "nobody");
  variables["HOME"] = folder.path();
  CHECK(user("") == "home");
  variables["DOCKER_CONFIG"] = folder.path();
  CHECK(user("") == "named");
  CHECK(user(folder.path() / ".docker") == "home");
  CHECK(user("/nowhere") == "nobody");
}

TEST_CASE("a configuration that makes no sense is named with its position") {
  struct Row {
    const char* why;
    const char* text;
    const char* says;
  };
  const Row rows[] = {{"broken", "{\n  \"auths\": {,}\n}", "config.json: line 2, column 13: "},
                      {"cut short", "{\"auths\": {", "config.json: line 1, column 12: "},
                      {"something behind", "{}\n{}", "config.json: line 2, column 1: "},
                      {"empty", "", "config.json: line 1, column 1: "},
                      {"no object", "[]", "config.json: it holds no JSON object"}};
  const Bench bench;
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto got = bench.ask(row.text, "ghcr.io");
    REQUIRE_FALSE(got);
    CAPTURE(got.error().message);
    CHECK(got.error().code == Errc::configuration_invalid);
    CHECK(got.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("the helper that is named for a registry is asked, and no shell") {
  const Bench bench;
  bench.helper("mine",
               "cat > \"$(dirname \"$0\")/asked\"; echo \" $1\" >> \"$(dirname \"$0\")/asked\"\n"
               "echo '{\"ServerURL\":\"x\",\"Username\":\"user\",\"Secret\":\"s3cret\"}'\n");
  bench.helper("none", "echo 'credentials not found in native keychain'; exit 1\n");
  struct Row {
    const char* why;
    const char* config;
    const char* host;
    const char* asked;  // "" : the helper is not run
  };
  const Row rows[] = {
      {"the store of all", R"({"credsStore": "mine"})", "ghcr.io", "ghcr.io get\n"},
      {"the store of all, Docker Hub", R"({"credsStore": "mine"})", "docker.io",
       "https://index.docker.io/v1/ get\n"},
      {"this registry's", R"({"credsStore": "none", "credHelpers": {"ghcr.io": "mine"}})",
       "ghcr.io", "ghcr.io get\n"},
      {"Docker Hub's", R"({"credHelpers": {"docker.io": "mine"}})", "docker.io",
       "https://index.docker.io/v1/ get\n"},
      {"another registry's", R"({"credHelpers": {"quay.io": "mine"}})", "ghcr.io", ""},
      {"it has none", R"({"credsStore": "mine", "credHelpers": {"ghcr.io": "none"}})", "ghcr.io",
       ""},
      {"not for this one", R"({"credsStore": "mine", "credHelpers": {"ghcr.io": ""}})", "ghcr.io",
       ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    std::filesystem::remove(bench.folder.path() / "asked");
    const auto got = bench.ask(row.config, row.host);
    REQUIRE(got);
    std::ifstream file(bench.folder.path() / "asked");
    const std::string asked{std::istreambuf_iterator<char>(file), {}};
    CHECK(asked == row.asked);
    REQUIRE(got->has_value() == !asked.empty());
    if (!*got) continue;
    CHECK((*got)->username == "user");
    CHECK((*got)->password == "s3cret");
  }
}

TEST_CASE("a helper that fails is named, and its answer is not repeated") {
  struct Row {
    const char* why;
    const char* name;
    const char* script;
    const char* says;
  };
  const Row rows[] = {
      {"not there", "gone", nullptr, "is not in any folder of PATH"},
      {"no name", "../../bin/sh", nullptr, "a credential helper's name has letters"},
      {"it fails", "bad", "echo 'the keychain is locked'; exit 1\n",
       "docker-credential-bad was asked for the credentials of ghcr.io and failed: \"the keychain "
       "is locked\""},
      {"no JSON", "odd", "echo s3cret\n", "docker-credential-odd gave an answer for ghcr.io"},
      {"half a JSON", "half", "echo '{\"Secret\":\"s3cret\"'\n", "that is no JSON"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const Bench bench;
    if (row.script != nullptr) bench.helper(row.name, row.script);
    const auto got = bench.ask("{\"credsStore\": \"" + std::string(row.name) + "\"}", "ghcr.io");
    REQUIRE_FALSE(got);
    CAPTURE(got.error().message);
    CHECK(got.error().code == Errc::configuration_invalid);
    CHECK(got.error().message.find(row.says) != std::string::npos);
    CHECK(got.error().message.find("s3cret") == std::string::npos);
  }
}

}  // namespace
}  // namespace archway::proxy
