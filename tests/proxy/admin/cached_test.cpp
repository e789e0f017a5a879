#include "proxy/admin/cached.hpp"

#include "tests/integration/images.hpp"
#include "tests/proxy/admin/bench.hpp"

#include <cstdint>
#include <doctest/doctest.h>
#include <span>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const ImageName golang{"docker.io", *Repository::parse("library/golang")};
const ImageName alpine{"docker.io", *Repository::parse("library/alpine")};

Digest digest_of(const std::string& bytes) {
  return *Digest::parse(test::digest_of(bytes));
}

/// Puts a blob into the cache, without a grant.
Digest store(test::AdminBench& bench, const std::string& bytes) {
  const auto digest = digest_of(bytes);
  auto access = bench.cache->open_or_join(digest, "docker.io/library/golang");
  REQUIRE(access.writer);
  REQUIRE(access.writer->begin(bytes.size()));
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  REQUIRE(access.writer->append(std::span(data, bytes.size())));
  REQUIRE(access.writer->finish());
  return digest;
}

std::string one(const Digest& digest, bool manifest, bool blob, const std::string& size) {
  return "\"" + digest.str() + "\":{\"manifest\":" + (manifest ? "true" : "false") +
         ",\"blob\":" + (blob ? "true" : "false") + ",\"size\":" + size + "}";
}

TEST_CASE("what is cached is told under the names that hold it, and no other") {
  test::AdminBench bench;
  const auto manifest = digest_of("{}");
  const auto layer = store(bench, "layer");
  const auto secret = store(bench, "somebody else's");
  const auto absent = digest_of("absent");
  cache::Changes changes;
  changes.manifests.emplace_back(manifest, cache::ManifestRecord{.media_type = "a", .bytes = "{}"});
  for (const auto& digest : {manifest, layer, absent}) changes.grants.emplace_back(golang, digest);
  changes.grants.emplace_back(alpine, secret);
  bench.commit(std::move(changes));
  std::string query = "image=golang";
  for (const auto& digest : {manifest, layer, secret, absent}) query += "&digest=" + digest.str();
  const auto answer = bench.ask("/api/v1/cached?" + query);
  CHECK(answer.status == 200);
  CHECK(answer.body == "{" + one(manifest, true, false, "2") + "," + one(layer, false, true, "5") +
                           "," + one(secret, false, false, "null") + "," +
                           one(absent, false, false, "null") + "}\n");
  const auto other = bench.ask("/api/v1/cached?image=alpine:3&digest=" + secret.str());
  CHECK(other.body == "{" + one(secret, false, true, "15") + "}\n");
}

TEST_CASE("a virtual image has what its members have, a rewritten name what it is rewritten to") {
  Settings settings;
  settings.rewrite.rules = {{.from = "docker.io/old/(.*)", .to = "docker.io/library/$1"}};
  settings.images = {{.name = {"docker.io", *Repository::parse("me/all")},
                      .members = {{.platform = *Platform::parse("arm64"), .image = golang}}}};
  test::AdminBench bench(settings);
  const auto layer = store(bench, "layer");
  cache::Changes changes;
  changes.grants.emplace_back(golang, layer);
  bench.commit(std::move(changes));
  for (const std::string name : {"golang", "me/all", "old/golang"}) {
    CAPTURE(name);
    const auto answer = bench.ask("/api/v1/cached?image=" + name + "&digest=" + layer.str());
    CHECK(answer.body == "{" + one(layer, false, true, "5") + "}\n");
  }
}

TEST_CASE("as many digests as are allowed, and not one more") {
  test::AdminBench bench;
  std::string query = "/api/v1/cached?image=golang";
  for (std::size_t i = 0; i < cached_digests_max; ++i) {
    query += "&digest=" + digest_of(std::to_string(i)).str();
  }
  CHECK(query.size() < bench.admin->target_max());
  const auto all = bench.ask(query);
  CHECK(all.status == 200);
  CHECK(all.json().as_object().size() == cached_digests_max);
  const auto more = bench.ask(query + "&digest=" + digest_of("more").str());
  CHECK(more.status == 400);
  CHECK(more.error() == "the parameter digest: it is there 257 times; allowed: 1 to 256");
}

TEST_CASE("what cannot be looked for is told") {
  test::AdminBench bench;
  const auto digest = "&digest=" + digest_of("a").str();
  struct Row {
    const char* why;
    std::string query;
    int status;
  };
  for (const auto& row : std::vector<Row>{{"no image", digest, 400},
                                          {"no such upstream", "image=quay.io/a" + digest, 404},
                                          {"no name", "image=A" + digest, 400},
                                          {"no digest", "image=golang", 400},
                                          {"not a digest", "image=golang&digest=latest", 400}}) {
    CAPTURE(row.why);
    const auto answer = bench.ask("/api/v1/cached?" + row.query);
    CHECK(answer.status == row.status);
    CHECK(answer.error().size() > 10);
  }
}

}  // namespace
}  // namespace archway::proxy
