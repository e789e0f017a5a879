#pragma once

#include "proxy/command/gateway.hpp"
#include "tests/proxy/command/manifest_bench.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// A gateway as the commands that pull see it: a registry whose repositories begin with the
/// upstream's name, and, when it is asked to, an admin port that knows of it.
struct PullBench : ManifestBench {
  ScriptedRegistry gateway;
  test::ScriptedUpstream admin;

  std::string admin_host() const { return "127.0.0.1:" + std::to_string(admin.port()); }

  /// The admin port tells of the listener and of docker.io.
  void know() {
    admin.on("/api/v1/upstreams")
        .answer(200)
        .json(R"([{"name":"docker.io","default":true},{"name":"hub","default":false}])")
        .close();
    admin.on("/api/v1/listeners")
        .answer(200)
        .json(R"([{"address":")" + gateway.host() +
              R"(","tls":false,"platform":null,"client_certificates":"none"}])")
        .close();
  }

  /// Runs a command against this gateway alone.
  int run_here(std::vector<std::string> arguments, bool by_admin = false) {
    if (!by_admin) {
      for (const auto& word : {std::string("--gateway"), gateway.host()}) arguments.push_back(word);
    }
    arguments.emplace_back("--admin");
    arguments.push_back(by_admin ? admin_host() : "127.0.0.1:1");
    std::vector<const char*> argv = {"archway"};
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return run(static_cast<int>(argv.size()), argv.data(), surroundings());
  }

  PullSession open() {
    PullOptions options;
    options.gateway = gateway.host();
    options.admin.admin = "127.0.0.1:1";
    auto opened = open_pull(options, surroundings());
    REQUIRE(opened);
    return *std::move(opened);
  }
};

}  // namespace archway::proxy
