// Who may have what: routing to upstreams, the closed world, grants.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

proxy::Settings::Upstream upstream_named(const std::string& name,
                                         const ScriptedUpstream& scripted) {
  return {.name = name, .url = *resolver::Url::parse(scripted.url())};
}

TEST_CASE("path, ?ns= and Host lead to the upstream they name, the rest to the default") {
  ScriptedUpstream hub;
  ScriptedUpstream ghcr;
  const auto image = make_image("linux/amd64", "layer");
  const auto other = make_image("linux/arm64", "other");
  publish(hub, "library/hi", image.manifest, "1");
  publish(ghcr, "org/app", other.manifest, "1");
  Gateway gateway(hub);
  gateway.settings.upstreams.push_back(upstream_named("ghcr.io", ghcr));
  gateway.settings.upstreams.back().hosts = {"ghcr.mirror.test"};
  gateway.start();
  const auto by_path = gateway.get("/v2/ghcr.io/org/app/manifests/1");
  CHECK(by_path.body == other.manifest.bytes);
  const auto by_ns = gateway.get("/v2/org/app/manifests/1?ns=ghcr.io");
  CHECK(by_ns.body == other.manifest.bytes);
  CHECK(by_ns.header("OCI-Namespace") == "ghcr.io");
  const auto by_host = gateway.get("/v2/org/app/manifests/1", {{"Host", "ghcr.mirror.test"}});
  CHECK(by_host.body == other.manifest.bytes);
  CHECK(gateway.get("/v2/hi/manifests/1").body == image.manifest.bytes);
  CHECK(gateway.get("/v2/library/hi/manifests/1?ns=docker.io").body == image.manifest.bytes);
}

TEST_CASE("an upstream that is not configured is 404 NAME_UNKNOWN, and nobody is asked") {
  ScriptedUpstream hub;
  Gateway gateway(hub);
  gateway.start();
  for (const auto& target : std::vector<std::string>{
           "/v2/evil.example/x/manifests/1", "/v2/x/manifests/1?ns=evil.example",
           "/v2/x/manifests/1?ns=169.254.169.254", "/v2/localhost:1/x/manifests/1",
           "/v2/127.0.0.1:80/x/blobs/sha256:" + std::string(64, '0')}) {
    CAPTURE(target);
    const auto got = gateway.get(target);
    CHECK(got.status == 404);
    CHECK(got.body.find("NAME_UNKNOWN") != std::string::npos);
    CHECK(got.body.find("docker.io") != std::string::npos);  // What there is.
  }
  CHECK(hub.connections() == 0);
}

TEST_CASE("a cached object is served under another name only when the upstream says so") {
  ScriptedUpstream hub;
  const auto image = make_image("linux/amd64", noise(100'000));
  publish(hub, "library/hi", image);
  publish(hub, "library/hi", image.manifest, "1");
  const auto layer = digest_of(image.layer);
  // The same content is in library/twin; library/thief has nothing.
  hub.on(blob_path("library/twin", layer)).answer(200).body(image.layer);
  publish(hub, "library/twin", image.manifest);
  Gateway gateway(hub);
  gateway.start();
  CHECK(gateway.get(blob_path("library/hi", layer)).body == image.layer);
  CHECK(gateway.get(manifest_path("library/hi", "1")).body == image.manifest.bytes);
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));

  CHECK(gateway.get(blob_path("library/thief", layer)).status == 404);
  CHECK(gateway.head(blob_path("library/thief", layer)).status == 404);
  CHECK(gateway.get(manifest_path("library/thief", image.manifest.digest)).status == 404);

  CHECK(gateway.get(blob_path("library/twin", layer)).body == image.layer);
  CHECK(hub.count("GET", blob_path("library/twin", layer)) == 0);  // One HEAD is enough.
  CHECK(hub.count("HEAD", blob_path("library/twin", layer)) == 1);
  CHECK(gateway.get(blob_path("library/twin", layer)).body == image.layer);
  CHECK(hub.count("HEAD", blob_path("library/twin", layer)) == 1);  // It is remembered.
  CHECK(gateway.get(manifest_path("library/twin", image.manifest.digest)).body ==
        image.manifest.bytes);
}

TEST_CASE("the parts of the API that are not there say so") {
  ScriptedUpstream hub;
  Gateway gateway(hub);
  gateway.start();
  CHECK(gateway.get("/v2/").status == 200);
  CHECK(gateway.get("/v2/").header("WWW-Authenticate").empty());
  CHECK(gateway.get("/").status == 404);
  CHECK(gateway.get("/v2/_catalog").status == 405);
  CHECK(gateway.get("/v2/library/hi/blobs/md5:x").status == 400);
  CHECK(gateway.get("/v2/library/HI/manifests/1").status == 400);
  CHECK(gateway.get("/v2/library/hi/../manifests/1").status >= 400);
  const auto put = fetch(gateway.port(), "/v2/hi/manifests/1", {{"Content-Length", "0"}}, "PUT");
  CHECK(put.status == 405);
  CHECK(put.header("Allow") == "GET, HEAD");
  CHECK(put.body.find("UNSUPPORTED") != std::string::npos);
  CHECK(hub.connections() == 0);
}

TEST_CASE("tags are listed in pages, also of a registry that sends them all") {
  ScriptedUpstream hub;
  hub.on("/v2/library/hi/tags/list")
      .answer(200)
      .json(R"({"name":"library/hi","tags":["c","a","d","b"]})");
  Gateway gateway(hub);
  gateway.start();
  const auto first = gateway.get("/v2/hi/tags/list?n=2");
  CHECK(first.body == R"({"name":"hi","tags":["a","b"]})");
  CHECK(first.header("Link") == "</v2/hi/tags/list?n=2&last=b>; rel=\"next\"");
  const auto second = gateway.get("/v2/hi/tags/list?n=2&last=b");
  CHECK(second.body == R"({"name":"hi","tags":["c","d"]})");
  CHECK(second.header("Link").empty());
}

}  // namespace
}  // namespace archway::test
