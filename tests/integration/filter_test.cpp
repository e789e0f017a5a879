// `answer: filter`: an index with only what the client can run, under a digest of its own.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

using Answer_ = resolver::VerdictPolicy::Answer;

constexpr const char* repository = "library/hi";
const std::string tag_path = manifest_path(repository, "1");
const Headers arm64{{"Archway-Platform", "linux/arm64"}};

struct Registry {
  explicit Registry(bool docker = false)
      : images{make_image("linux/amd64", noise(1000, 1)),
               make_image("linux/arm/v7", noise(1000, 2)),
               make_image("linux/arm64/v8", noise(1000, 3))},
        index(make_index(images, docker)) {
    for (const auto& image : images) publish(upstream, repository, image);
    publish(upstream, repository, index, "1");
  }
  /// The entry as it is written in the index.
  std::string entry(std::size_t position) const {
    const auto& digest = images[position].manifest.digest;
    const auto at = index.bytes.find(digest);
    const auto begin = index.bytes.rfind("{\"mediaType\"", at);
    const auto end = index.bytes.find("}}", at) + 2;
    return index.bytes.substr(begin, end - begin);
  }
  ScriptedUpstream upstream;
  std::vector<Image> images;
  Document index;
};

TEST_CASE("filter gives an index of what fits, byte for byte, and serves it by its digest") {
  for (const bool docker : {false, true}) {
    Registry registry(docker);
    Gateway gateway(registry.upstream);
    gateway.settings.policy.answer = Answer_::filter;
    gateway.start();
    const auto got = gateway.get(tag_path, arm64);
    CHECK(got.status == 200);
    const auto digest = got.header("Docker-Content-Digest");
    CHECK(digest == digest_of(got.body));
    CHECK(digest != registry.index.digest);
    CHECK(got.header("Content-Type") == registry.index.media_type);
    CHECK(got.header("Archway-Index") == registry.index.digest);
    CHECK(got.body.find(registry.entry(2)) != std::string::npos);
    CHECK(got.body.find(registry.entry(1)) != std::string::npos);  // arm64 runs arm/v7, too.
    CHECK(got.body.find(registry.images[0].manifest.digest) == std::string::npos);
    const auto head = gateway.head(tag_path, arm64);
    for (const auto* field : {"Docker-Content-Digest", "Content-Type", "Archway-Index"}) {
      CAPTURE(field);
      CHECK(head.header(field) == got.header(field));
    }
    CHECK(head.header("Content-Length") == std::to_string(got.body.size()));

    const auto by_digest = gateway.get(manifest_path(repository, digest));
    CHECK(by_digest.status == 200);
    CHECK(by_digest.body == got.body);
    CHECK(by_digest.header("Content-Type") == got.header("Content-Type"));
    CHECK(gateway.get(manifest_path(repository, registry.images[2].manifest.digest)).body ==
          registry.images[2].manifest.bytes);
    CHECK(registry.upstream.count("GET", manifest_path(repository, digest)) == 0);
  }
}

TEST_CASE("the same client gets the same bytes, also after a restart and without the upstream") {
  Registry registry;
  std::string body;
  std::string digest;
  std::shared_ptr<ScratchDirectory> cache;
  {
    Gateway gateway(registry.upstream);
    gateway.settings.policy.answer = Answer_::filter;
    gateway.start();
    const auto got = gateway.get(tag_path, arm64);
    body = got.body;
    digest = got.header("Docker-Content-Digest");
    CHECK(gateway.get(tag_path, arm64).body == body);
    CHECK(gateway.get(tag_path, {{"Archway-Platform", "linux/amd64"}}).body != body);
    cache = gateway.cache();
    gateway.stop();
  }
  ScriptedUpstream nothing;
  Gateway gateway(nothing, cache);
  gateway.settings.policy.answer = Answer_::filter;
  gateway.start();
  CHECK(gateway.get(manifest_path(repository, digest)).body == body);
  CHECK(gateway.get(tag_path, arm64).body == body);
  CHECK(nothing.requests().empty());
}

TEST_CASE("resolve, filter and pass are chosen for each image by rules") {
  struct Row {
    std::string why;
    std::string repository;
    std::string kind;
  };
  const std::vector<Row> rows{{"the general answer", "library/hi", "child"},
                              {"a rule says filter", "kept/hi", "filtered"},
                              {"a rule says pass", "signed/hi", "index"},
                              {"the first rule counts", "signed/kept", "index"}};
  Registry registry;
  for (const auto& row : rows) {
    for (const auto& image : registry.images) publish(registry.upstream, row.repository, image);
    publish(registry.upstream, row.repository, registry.index, "2");
  }
  Gateway gateway(registry.upstream);
  gateway.settings.policy_rules = {{.match = "docker.io/signed/*", .answer = Answer_::pass},
                                   {.match = "docker.io/*/kept", .answer = Answer_::filter},
                                   {.match = "docker.io/kept/*", .answer = Answer_::filter}};
  gateway.start();
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto got = gateway.get(manifest_path(row.repository, "2"), arm64);
    CHECK(got.status == 200);
    const bool child = got.body == registry.images[2].manifest.bytes;
    const bool whole = got.body == registry.index.bytes;
    CHECK(child == (row.kind == "child"));
    CHECK(whole == (row.kind == "index"));
    CHECK(got.header("Archway-Index").empty() == (row.kind == "index"));
  }
}

TEST_CASE("what filter cannot serve is refused or passed like everything else") {
  Registry registry;
  const Headers s390x{{"Archway-Platform", "linux/s390x"}};
  Gateway passing(registry.upstream);
  passing.settings.policy.answer = Answer_::filter;
  passing.start();
  CHECK(passing.get(tag_path, s390x).body == registry.index.bytes);
  CHECK(passing.get(tag_path).body == registry.index.bytes);  // Nobody said a platform.
  Gateway refusing(registry.upstream);
  refusing.settings.policy.answer = Answer_::filter;
  refusing.settings.policy_rules = {
      {.match = "docker.io/*", .missing = resolver::VerdictPolicy::Missing::refuse}};
  refusing.start();
  CHECK(refusing.get(tag_path, s390x).status == 403);
}

}  // namespace
}  // namespace archway::test
