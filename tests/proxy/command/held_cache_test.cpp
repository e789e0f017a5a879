// Also the commands that are made of it: as they are run on a directory that nobody serves.

#include "proxy/command/held_cache.hpp"

#include "tests/proxy/admin/held_bench.hpp"
#include "tests/proxy/command/manifest_bench.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <boost/json/parse.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

const auto amd64 = test::make_image("linux/amd64", "for amd64");

/// A directory with one image, and its configuration. Nobody listens on the admin port that it
/// names.
struct OwnBench : ManifestBench {
  test::HeldBench held;

  OwnBench() {
    held.hold("library/app", "1", amd64);
    std::ofstream(config()) << "admin: 127.0.0.1:1\ncache: {directory: '"
                            << (held.dir.path() / "cache").string() << "', keep_free: 0}\n";
  }
  std::string config() const { return (home.path() / "archway.yaml").string(); }
  std::filesystem::path blob() const {
    const auto hex = test::digest_of(amd64.layer).substr(7);
    return held.dir.path() / "cache" / "blobs" / "sha256" / hex.substr(0, 2) / hex;
  }
  int run_here(std::vector<std::string> arguments) {
    held.cache.reset();
    arguments.insert(arguments.end(), {"-c", config()});
    std::vector<const char*> argv = {"archway"};
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return run(static_cast<int>(argv.size()), argv.data(), surroundings());
  }
  boost::json::value json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    CHECK(run_here(std::move(arguments)) == exits::ok);
    return boost::json::parse(printed());
  }
};

TEST_CASE("without a gateway the directory is opened") {
  OwnBench bench;
  const auto list = bench.json({"ls"});
  CHECK(list.at(0).at("name") == "docker.io/library/app:1");
  CHECK(bench.json({"status"}).at("cache").at("blobs") == 2);
  CHECK(bench.run_here({"ls", "app", "-q"}) == exits::ok);
  CHECK(bench.printed() == "docker.io/library/app:1\n");
  CHECK(bench.run_here({"status"}) == exits::ok);
  CHECK(contains(bench.printed(), "gateway      none is running\n"));
}

TEST_CASE("a directory that somebody holds, or that is not there, is said so") {
  OwnBench bench;
  const auto found = HeldCache::find({.config = bench.config()}, bench.surroundings().environment);
  REQUIRE_FALSE(found);
  CHECK(contains(found.error().message, "127.0.0.1:1"));
  CHECK(contains(found.error().message, "--admin"));
  std::ofstream(bench.config()) << "admin: 127.0.0.1:1\ncache: {directory: /nowhere/at/all}\n";
  CHECK(bench.run_here({"ls"}) == exits::unreachable);
  CHECK(contains(bench.complained(), "/nowhere/at/all"));
  CHECK_FALSE(std::filesystem::exists("/nowhere"));
}

TEST_CASE("an admin port that was named is the one that is meant") {
  OwnBench bench;
  CHECK(bench.run_here({"ls", "--admin", "127.0.0.1:1"}) == exits::unreachable);
  CHECK(bench.printed().empty());
}

TEST_CASE("pin, rm and unpin") {
  OwnBench bench;
  CHECK(bench.run_here({"pin", "app:1"}) == exits::ok);
  CHECK(bench.printed() == "docker.io/library/app:1 is pinned\n");
  CHECK(bench.run_here({"rm", "app:1"}) == exits::failed);
  CHECK(contains(bench.complained(), "is pinned"));
  CHECK(bench.run_here({"unpin", "app"}) == exits::ok);
  bench.printed();
  CHECK(bench.run_here({"rm", "app:1", "--dry-run"}) == exits::ok);
  CHECK(contains(bench.printed(), "would free "));
  CHECK(bench.run_here({"rm", "app:1", "gone:1"}) == exits::not_found);
  CHECK(contains(bench.printed(), "docker.io/library/app:1\nfreed "));
  CHECK_FALSE(std::filesystem::exists(bench.blob()));
}

TEST_CASE("verify says what was wrong, and once") {
  OwnBench bench;
  CHECK(bench.run_here({"verify"}) == exits::ok);
  std::ofstream(bench.blob()) << "FOR amd64";
  CHECK(bench.run_here({"verify"}) == exits::failed);
  CHECK(contains(bench.printed(), "1 damaged"));
  CHECK(bench.run_here({"verify", "-q"}) == exits::ok);
  bench.printed();
  CHECK(bench.json({"gc"}).at("blobs") == 0);
}

HeldCache::Progress pressing_ctrl_c() {
  return [pressed = false](std::uint64_t, std::uint64_t) mutable {
    if (!std::exchange(pressed, true)) std::raise(SIGINT);
  };
}

TEST_CASE("Ctrl-C stops long work on a directory, and what was done is told") {
  OwnBench bench;
  bench.held.cache.reset();
  const auto found = HeldCache::find({.config = bench.config()}, bench.surroundings().environment);
  REQUIRE(found);
  const auto verified = (*found)->verify(pressing_ctrl_c());
  REQUIRE(verified);
  CHECK(verified->at("stopped") == true);
}

TEST_CASE("Ctrl-C stops the gateway's work, and what it had done is told") {
  test::ScriptedUpstream gateway;
  const std::string running = R"({"number":7,"running":true,"done":1,"total":9})";
  gateway.on("/healthz").answer(200).body("ok");
  gateway.on("/api/v1/verify").answer(202).json(running);
  gateway.on("/api/v1/work").answer(200).json(running);
  gateway.on("/api/v1/work").answer(200).json(running);
  gateway.on("/api/v1/work")
      .answer(200)
      .json(R"({"number":7,"running":false,"error":"","result":{"stopped":true}})");
  OwnBench bench;
  const auto found = HeldCache::find(
      {.admin = "127.0.0.1:" + std::to_string(gateway.port()), .config = bench.config()},
      bench.surroundings().environment);
  REQUIRE(found);
  const auto verified = (*found)->verify(pressing_ctrl_c());
  REQUIRE(verified);
  CHECK(verified->at("stopped") == true);
  CHECK(gateway.count("DELETE", "/api/v1/work") == 1);
}

TEST_CASE("rebuild makes the index anew from the files, and keeps what was pinned") {
  OwnBench bench;
  CHECK(bench.run_here({"pin", "app:1"}) == exits::ok);
  bench.printed();
  CHECK(bench.run_here({"rebuild"}) == exits::ok);
  CHECK(contains(bench.printed(), "2 unknown"));
  CHECK(bench.run_here({"unpin", "app:1"}) == exits::ok);  // It is there, or this would be 3.
  bench.printed();
  const auto status = bench.json({"status"});
  CHECK(status.at("cache").at("blobs") == 2);
  CHECK(status.at("cache").at("tags") == 0);
}

TEST_CASE("import reads a folder") {
  OwnBench bench;
  CHECK(bench.run_here({"import", (bench.home.path() / "gone").string()}) == exits::usage);
  CHECK(bench.run_here({"import", bench.home.path().string()}) == exits::failed);
  CHECK(contains(bench.complained(), "no OCI image layout"));
}

}  // namespace
}  // namespace archway::proxy
