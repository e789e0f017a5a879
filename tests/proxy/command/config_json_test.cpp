#include "proxy/command/config_json.hpp"

#include "tests/proxy/command/running.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fstream>
#include <string>

namespace archway::proxy {
namespace {

namespace json = boost::json;

std::string written(const test::TempDir& folder, const std::string& text) {
  const auto path = (folder.path() / "archway.yaml").string();
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("config check --json says everything that is wrong, with its place") {
  const test::TempDir folder;
  const auto file = written(folder, "drain: soon\ncache: {max_sise: 1GiB}\n");
  const Ran ran = run_with({"config", "check", "--json", file});
  CHECK(ran.code == exits::configuration);
  CHECK(ran.err.empty());
  const auto document = json::parse(ran.out).as_object();
  CHECK(document.at("file") == json::string(file));
  CHECK(document.at("valid") == false);
  const auto& problems = document.at("problems").as_array();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].at("line") == 1);
  CHECK(problems[0].at("column") == 8);
  CHECK(problems[1].at("message").as_string().find("max_size") != std::string::npos);
  CHECK_FALSE(document.contains("upstreams"));
}

TEST_CASE("config check --quiet prints problems alone") {
  const test::TempDir folder;
  const auto good = written(folder, "drain: 5s\n");
  const Ran silent = run_with({"config", "check", "-q", good});
  CHECK(silent.code == exits::ok);
  CHECK(silent.out.empty());
  const Ran told = run_with({"config", "check", "-q", written(folder, "drain: soon\n")});
  CHECK(told.code == exits::configuration);
  CHECK(told.out.find(":1:8: ") != std::string::npos);
  CHECK(told.out.find("problem") == std::string::npos);
}

TEST_CASE("config show --json is the configuration, numbers as numbers and secrets masked") {
  const test::TempDir folder;
  const auto file = written(folder, R"(threads: 3
drain: 5s
upstreams:
  - name: registry.lan:5000
    credentials: {username: me, password: hunter2}
    access: shared
prefetch: {layers: true}
)");
  const Ran ran = run_with({"config", "show", "--json", file});
  CHECK(ran.code == exits::ok);
  CHECK(ran.out.find("hunter2") == std::string::npos);
  const auto document = json::parse(ran.out).as_object();
  CHECK(document.at("threads") == 3);
  CHECK(document.at("drain") == json::string("5s"));
  CHECK(document.at("prefetch").at("layers") == true);
  CHECK(document.at("upstreams").as_array()[0].at("name") == json::string("registry.lan:5000"));
}

TEST_CASE("what the upstreams say stands in the same document") {
  const ReadOutcome outcome{.settings = Settings()};
  OnlineAnswers online;
  online.upstreams.push_back({.name = "docker.io", .url = "https://registry-1.docker.io"});
  online.members.push_back({.image = "docker.io/u/app",
                            .platform = "linux/arm64",
                            .member = "docker.io/u/arm64-app",
                            .error = Error{.code = Errc::manifest_unknown, .message = "none"}});
  const auto document = check_json("a.yaml", outcome, &online);
  CHECK(document.at("valid") == true);
  CHECK(document.at("upstreams").as_array()[0].at("error").is_null());
  CHECK(document.at("members").as_array()[0].at("error") == json::string("none"));
  CHECK(something_is_missing(online));
  online.members.clear();
  CHECK_FALSE(something_is_missing(online));
}

TEST_CASE("version --json names the program and its version") {
  const Ran ran = run_with({"version", "--json"});
  CHECK(ran.code == exits::ok);
  const auto document = json::parse(ran.out).as_object();
  CHECK(document.at("name") == json::string("archway"));
  CHECK_FALSE(document.at("version").as_string().empty());
}

}  // namespace
}  // namespace archway::proxy
