// What an upstream says is believed only as far as it can be checked.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <thread>

namespace archway::test {
namespace {

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");

void answer_manifest(ScriptedUpstream& upstream, const std::string& path,
                     const Document& document) {
  upstream.on(path)
      .answer(200)
      .header("Content-Type", document.media_type)
      .header("Docker-Content-Digest", document.digest)
      .body(document.bytes);
}

TEST_CASE("a blob that one name's upstream does not have is still there for another name") {
  ScriptedUpstream upstream;
  const auto blob = noise(100'000);
  const auto gate = upstream.gate();
  upstream.on(blob_path("any/thing", digest_of(blob))).answer(404).hang(gate);
  upstream.on(blob_path("good/x", digest_of(blob))).answer(200).body(blob);
  Gateway gateway(upstream);
  gateway.start();
  Answer other;
  std::thread first([&] { other = gateway.get(blob_path("any/thing", digest_of(blob))); });
  CHECK(gate->wait_reached());
  Answer good;
  std::thread second([&] { good = gateway.get(blob_path("good/x", digest_of(blob))); });
  CHECK(gateway.wait_metric("archway_fills_joined_total", 1));
  gate->open();
  first.join();
  second.join();
  CHECK(other.status == 404);
  CHECK(good.status == 200);
  CHECK(good.body == blob);
}

TEST_CASE("a tag moves only to what can be had") {
  ScriptedUpstream upstream;
  const auto old_image = make_image("linux/amd64", "old");
  const auto new_image = make_image("linux/amd64", "new");
  publish(upstream, repository, old_image.manifest);
  answer_manifest(upstream, tag_path, old_image.manifest);
  answer_manifest(upstream, tag_path, new_image.manifest);
  upstream.on(manifest_path(repository, new_image.manifest.digest)).answer(500);
  Gateway gateway(upstream);
  gateway.settings.tags.fresh_for = std::chrono::seconds(0);
  gateway.start();
  CHECK(gateway.get(tag_path).body == old_image.manifest.bytes);
  const auto moved = gateway.get(tag_path);
  CHECK(moved.status == 200);
  CHECK(moved.body == old_image.manifest.bytes);
  CHECK(moved.header("Archway-Cache") == "stale");
}

TEST_CASE("a login page becomes no image, and takes no image's place") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", "layer");
  publish(upstream, repository, image.manifest);
  answer_manifest(upstream, tag_path, image.manifest);
  upstream.on(tag_path).answer(200).header("Content-Type", "text/html").body("<html>log in</html>");
  Gateway gateway(upstream);
  gateway.settings.tags.fresh_for = std::chrono::seconds(0);
  gateway.start();
  CHECK(gateway.get(tag_path).body == image.manifest.bytes);
  const auto portal = gateway.get(tag_path);
  CHECK(portal.body == image.manifest.bytes);
  CHECK(portal.header("Archway-Cache") == "stale");
  upstream.on(manifest_path(repository, "2"))
      .answer(200)
      .header("Content-Type", "text/html")
      .body("<html>log in</html>");
  CHECK(gateway.get(manifest_path(repository, "2")).status == 502);
}

TEST_CASE("a login page grants nobody's bytes to a name") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", noise(100'000));
  publish(upstream, repository, image);
  const auto layer = digest_of(image.layer);
  for (const auto& path :
       {blob_path("portal/x", layer), manifest_path("portal/x", image.manifest.digest)}) {
    upstream.on(path).answer(200).header("Content-Type", "text/html").body("<html>log in</html>");
  }
  Gateway gateway(upstream);
  gateway.start();
  CHECK(gateway.get(blob_path(repository, layer)).body == image.layer);
  CHECK(gateway.get(manifest_path(repository, image.manifest.digest)).status == 200);
  CHECK(gateway.wait_metric("archway_cache_objects{kind=\"blob\"}", 1));
  CHECK(gateway.get(blob_path("portal/x", layer)).status == 502);
  CHECK(gateway.get(manifest_path("portal/x", image.manifest.digest)).status == 502);
}

TEST_CASE("a type that the bytes do not bear out is passed on, but is not kept for others") {
  ScriptedUpstream upstream;
  ScriptedUpstream evil;
  const auto image = make_image("linux/amd64", "layer");
  const auto path = manifest_path(repository, image.manifest.digest);
  publish(upstream, repository, image.manifest);
  evil.on(path).answer(200).header("Content-Type", "text/evil").body(image.manifest.bytes);
  Gateway gateway(upstream);
  gateway.settings.upstreams.push_back(
      {.name = "evil.test", .url = *resolver::Url::parse(evil.url())});
  gateway.start();
  CHECK(gateway.get("/v2/evil.test" + path.substr(3)).header("Content-Type") == "text/evil");
  CHECK(gateway.get(path).header("Content-Type") == image.manifest.media_type);
}

TEST_CASE("a layer that lives elsewhere is granted by the upstream only, not by being named") {
  ScriptedUpstream upstream;
  const auto secret = noise(100'000);
  const auto digest = digest_of(secret);
  upstream.on(blob_path("private/x", digest)).answer(200).body(secret);
  auto image = make_image("linux/amd64", secret);
  auto& bytes = image.manifest.bytes;
  const std::string plain = "application/vnd.oci.image.layer.v1.tar+gzip";
  bytes.replace(bytes.find(plain), plain.size(),
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
  image.manifest.digest = digest_of(bytes);
  publish(upstream, "thief/x", image.manifest);
  Gateway gateway(upstream);
  gateway.start();
  CHECK(gateway.get(blob_path("private/x", digest)).body == secret);
  CHECK(gateway.get(manifest_path("thief/x", image.manifest.digest)).status == 200);
  CHECK(gateway.get(blob_path("thief/x", digest)).status == 404);
}

TEST_CASE("HEAD tells the length that GET has, also when the upstream does not") {
  ScriptedUpstream upstream;
  const auto blob = noise(150'000);
  upstream.on(blob_path(repository, digest_of(blob))).answer(200).body(blob).chunked(9999);
  Gateway gateway(upstream);
  gateway.start();
  const auto head = gateway.head(blob_path(repository, digest_of(blob)));
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == "150000");
  CHECK(gateway.get(blob_path(repository, digest_of(blob))).body == blob);
}

TEST_CASE("a transfer without a length that is cut goes on, too, and bytes are counted once") {
  ScriptedUpstream upstream;
  const auto blob = noise(300'000);
  const auto path = blob_path(repository, digest_of(blob));
  upstream.on(path).answer(200).body(blob).chunked(10'000).cut_after(150'000);
  upstream.on(path).answer(200).body(blob).ranges();
  Gateway gateway(upstream);
  gateway.start();
  const auto got = gateway.get(path);
  CHECK(got.complete);
  CHECK(got.body == blob);
  CHECK(gateway.metric("archway_upstream_bytes_total{upstream=\"docker.io\"}") == 300'000);
}

TEST_CASE("a client that has the bytes is told so") {
  ScriptedUpstream upstream;
  const auto image = make_image("linux/amd64", noise(100'000));
  publish(upstream, repository, image);
  Gateway gateway(upstream);
  gateway.start();
  for (const auto& [path, digest] :
       {std::pair(manifest_path(repository, image.manifest.digest), image.manifest.digest),
        std::pair(blob_path(repository, digest_of(image.layer)), digest_of(image.layer))}) {
    CHECK(gateway.get(path).status == 200);
    const Headers held{{"If-None-Match", "\"" + digest + "\""}};
    CHECK(gateway.get(path, held).status == 304);
    CHECK(gateway.head(path, held).status == 304);
    CHECK(gateway.get(path, held).header("ETag") == "\"" + digest + "\"");
  }
}

}  // namespace
}  // namespace archway::test
