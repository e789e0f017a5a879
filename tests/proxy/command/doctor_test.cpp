#include "proxy/command/commands.hpp"
#include "proxy/pull/explanation.hpp"
#include "tests/proxy/command/running.hpp"
#include "tests/support/scripted_upstream.hpp"

#include <array>
#include <ctime>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using test::ScriptedUpstream;

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return text.data();
}

/// A gateway that answers as if all were well; both of its ports are one.
struct Healthy {
  ScriptedUpstream gateway;

  explicit Healthy(std::uint16_t explained = 200,
                   const char* upstream = R"("reachable":true,"why":"")") {
    gateway.on("/v2/").answer(200);
    gateway.on("/api/v1/status")
        .answer(200)
        .header("Date", date_now())
        .json(R"({"version":"0.1.0","uptime_seconds":5,"draining":false,"cache":{"directory":"/c",)"
              R"("blobs":0,"blob_bytes":0,"quarantined":0,"disk_free_bytes":1099511627776}})");
    gateway.on("/api/v1/upstreams")
        .answer(200)
        .json(R"([{"name":"docker.io","url":"https://registry-1.docker.io/",)"
              R"("has_credentials":false,"default":true,)" +
              std::string(upstream) + "}]");
    Explanation why;
    why.status = explained;
    why.digest = "sha256:" + std::string(64, 'c');
    why.message = "there is none";
    gateway.on("/api/v1/explain").answer(200).json(explanation_json(why));
  }
  std::string admin() const { return "127.0.0.1:" + std::to_string(gateway.port()); }
  Ran run(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"doctor", gateway.url(), "--admin", admin()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_with(arguments);
  }
};

TEST_CASE("a healthy gateway is ok in every line") {
  const Healthy healthy;
  const Ran ran = healthy.run();
  CAPTURE(ran.out);
  CHECK(ran.code == exits::ok);
  CHECK(ran.err.empty());
  CHECK(ran.out.starts_with("ok       gateway: archway 0.1.0 answers on " + healthy.admin() +
                            ", up 5 s\nok       cache: /c holds 0 B in 0 blobs"));
  CHECK(ran.out.find("\nok       clock: the gateway says ") != std::string::npos);
  CHECK(ran.out.find("\nok       clients' port: " + healthy.gateway.url() + " answers\n") !=
        std::string::npos);
  CHECK(ran.out.find("\nok       upstream docker.io: answers\n") != std::string::npos);
  CHECK(ran.out.find("\nok       linux/arm64 by header (containerd): gets the image, sha256:ccc") !=
        std::string::npos);
  CHECK(ran.out.ends_with("\n13 looked at, 0 warnings, 0 failed\n"));
  CHECK(healthy.run({"-q"}).out.empty());
}

TEST_CASE("the upstreams are asked to be checked, the image is the wanted one") {
  const Healthy healthy;
  healthy.run({"--image", "team/app:1"});
  std::size_t explained = 0;
  bool checked = false;
  for (const auto& request : healthy.gateway.requests()) {
    checked = checked || request.target == "/api/v1/upstreams?check=1";
    if (request.path != "/api/v1/explain") continue;
    ++explained;
    CHECK(request.target.starts_with("/api/v1/explain?image=team%2Fapp%3A1&"));
  }
  CHECK(checked);
  CHECK(explained == 8);
}

TEST_CASE("what is broken is FAILED, with what to do, and exit code 1") {
  const Healthy healthy(200, R"("reachable":false,"why":"no such name")");
  const Ran ran = healthy.run();
  CHECK(ran.code == exits::failed);
  CHECK(ran.out.find("\nFAILED   upstream docker.io: no such name\n         -> look at the name") !=
        std::string::npos);
  CHECK(ran.out.ends_with("1 failed\n"));
  const Ran quiet = healthy.run({"--quiet"});
  CHECK(quiet.out.starts_with("FAILED   upstream docker.io: "));
  CHECK(quiet.out.find("\nok ") == std::string::npos);
}

TEST_CASE("an image that nobody gets is asked for once, a refusal is told for each") {
  const Healthy missing(404);
  const Ran ran = missing.run({"--image", "team/gone:1"});
  CHECK(ran.code == exits::failed);
  CHECK(ran.out.find("FAILED   image team/gone:1: gets 404: there is none\n") != std::string::npos);
  CHECK(missing.gateway.count("GET", "/api/v1/explain") == 1);
  const Healthy refused(403);
  const Ran warned = refused.run();
  CHECK(warned.code == exits::ok);
  CHECK(warned.out.ends_with("13 looked at, 8 warnings, 0 failed\n"));
}

TEST_CASE("a clients' port that does not answer is found") {
  std::string nobody;
  {
    const ScriptedUpstream gone;
    nobody = gone.url();
  }
  const Healthy healthy;
  const Ran ran = run_with({"doctor", nobody, "--admin", healthy.admin()});
  CHECK(ran.code == exits::failed);
  CHECK(ran.out.find("\nFAILED   clients' port: ") != std::string::npos);
  CHECK(ran.out.find("-> clients must reach this port; is that its URL?\n") != std::string::npos);
}

TEST_CASE("where there is no gateway the doctor says so") {
  std::string nobody;
  {
    const ScriptedUpstream gone;
    nobody = "127.0.0.1:" + std::to_string(gone.port());
  }
  const Ran silent = run_with({"doctor", "--admin", nobody});
  CHECK(silent.code == exits::unreachable);
  CHECK(silent.out.empty());
  CHECK(silent.err.starts_with("archway doctor: the gateway's admin port " + nobody));
  ScriptedUpstream other;
  const Ran wrong = run_with({"doctor", "--admin", "127.0.0.1:" + std::to_string(other.port())});
  CHECK(wrong.code == exits::failed);
  CHECK(wrong.err.starts_with("archway doctor: the gateway answers 404"));
  CHECK(run_with({"doctor", "nonsense"}).code == exits::usage);
}

TEST_CASE("the findings are JSON, too") {
  const Healthy healthy(200, R"("reachable":false,"why":"no such name")");
  const Ran ran = healthy.run({"--json"});
  CHECK(ran.code == exits::failed);
  CHECK(
      ran.out.starts_with("{\n  \"findings\": [\n    {\n      \"grade\": \"ok\",\n"
                          "      \"subject\": \"gateway\",\n"));
  CHECK(ran.out.ends_with("  \"warnings\": 0,\n  \"failed\": 1\n}\n"));
}

}  // namespace
}  // namespace archway::proxy
