#include "proxy/upstream/registry_client.hpp"

#include "resolver/manifest.hpp"
#include "tests/proxy/upstream/fixture.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("library/hi");
const Reference tag = *Tag::parse("1");
const std::string digest_text = "sha256:" + std::string(64, 'a');
const Digest digest = *Digest::parse(digest_text);
const std::string by_tag = "/v2/library/hi/manifests/1";
const std::string by_digest = "/v2/library/hi/manifests/" + digest_text;
const std::string blob = "/v2/library/hi/blobs/" + digest_text;
const std::string oci_index = "application/vnd.oci.image.index.v1+json";

TEST_CASE("a manifest comes with its type, digest and bytes, all four types being welcome") {
  test::ScriptedUpstream upstream;
  upstream.on(by_tag)
      .answer(200)
      .header("Content-Type", oci_index + "; charset=utf-8")
      .header("Docker-Content-Digest", digest_text)
      .body("{}");
  RegistryBench bench(upstream_at(upstream.url()));
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE(got);
  CHECK(got->media_type == oci_index);
  CHECK(got->digest == digest);
  CHECK(got->bytes == "{}");
  CHECK(upstream.requests().front().header("Accept") ==
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1");
  const auto head = bench.run(bench.registry->head_manifest(repository, tag));
  REQUIRE(head);
  CHECK(head->media_type == oci_index);
  CHECK(head->digest == digest);
  CHECK(head->size == 2);
  CHECK(upstream.count("HEAD", by_tag) == 1);
}

TEST_CASE("a digest that is none is no digest, and a size may be missing") {
  test::ScriptedUpstream upstream;
  upstream.on(by_tag).answer(200).header("Docker-Content-Digest", "md5:abc").no_length();
  RegistryBench bench(upstream_at(upstream.url()));
  const auto head = bench.run(bench.registry->head_manifest(repository, tag));
  REQUIRE(head);
  CHECK_FALSE(head->digest);
  CHECK_FALSE(head->size);
}

TEST_CASE("a manifest of 4 MiB is taken and a larger one refused, however it comes") {
  constexpr auto most = resolver::manifest_bytes_max;
  test::ScriptedUpstream upstream;
  upstream.on("/v2/library/hi/tags/list").answer(200).length(most + 1);
  upstream.on("/v2/library/hi/referrers/" + digest_text).answer(200).length(most + 1);
  upstream.on("/v2/library/hi/manifests/most").answer(200).body(std::string(most, ' '));
  upstream.on("/v2/library/hi/manifests/more").answer(200).body(std::string(most + 1, ' '));
  upstream.on("/v2/library/hi/manifests/chunked")
      .answer(200)
      .body(std::string(most + 1, ' '))
      .chunked(65536);
  upstream.on("/v2/library/hi/manifests/absurd").answer(200).length(1ULL << 62);
  RegistryBench bench(upstream_at(upstream.url()));
  struct Row {
    const char* tag;
    bool good;
  };
  for (const Row row :
       {Row{"most", true}, {"more", false}, {"chunked", false}, {"absurd", false}}) {
    CAPTURE(row.tag);
    const Reference reference = *Tag::parse(row.tag);
    const auto got = bench.run(bench.registry->get_manifest(repository, reference));
    REQUIRE(got.has_value() == row.good);
    if (got) CHECK(got->bytes.size() == most);
    if (!got) CHECK(got.error().code == Errc::manifest_invalid);
    if (!got) CHECK(got.error().message == "test.registry: the manifest is larger than 4 MiB");
  }
  const auto tags = bench.run(bench.registry->get_tags(repository, ""));
  REQUIRE_FALSE(tags);
  CHECK(tags.error().message == "test.registry: the list of tags is larger than 4 MiB");
  const auto referrers = bench.run(bench.registry->get_referrers(repository, digest, ""));
  REQUIRE_FALSE(referrers);
  CHECK(referrers.error().message == "test.registry: the list of referrers is larger than 4 MiB");
}

TEST_CASE("a coded body is refused where no digest decides") {
  struct Row {
    const char* coding;
    bool good;
  };
  for (const Row row :
       {Row{"gzip", false}, {"identity, gzip", false}, {"Identity", true}, {"", true}}) {
    CAPTURE(row.coding);
    test::ScriptedUpstream upstream;
    const auto tags_path = "/v2/library/hi/tags/list";
    const auto referrers_path = "/v2/library/hi/referrers/" + digest_text;
    for (const auto& path : {std::string(tags_path), referrers_path, by_tag, by_digest}) {
      upstream.on(path).answer(200).header("Content-Encoding", row.coding).body("{}");
    }
    RegistryBench bench(upstream_at(upstream.url()));
    const Reference exact = digest;
    CHECK(bench.run(bench.registry->get_manifest(repository, exact)));
    const Result<Registry::Document> doubtful[] = {
        bench.run(bench.registry->get_tags(repository, "")),
        bench.run(bench.registry->get_referrers(repository, digest, "")),
        bench.run(bench.registry->get_manifest(repository, tag))};
    for (const auto& got : doubtful) {
      REQUIRE(got.has_value() == row.good);
      if (got) continue;
      CHECK(got.error().code == Errc::upstream_failed);
      CHECK(got.error().message ==
            "test.registry sent a coded body (Content-Encoding) where identity was asked for");
    }
  }
}

TEST_CASE("a blob that a registry sends elsewhere exists, whatever is said to a HEAD there") {
  struct Row {
    const char* why;
    unsigned status;
    bool elsewhere;
    bool exists;
  };
  const Row rows[] = {
      {"forbidden", 403, true, true},
      {"a method that is not allowed", 405, true, true},
      {"a method that nobody wrote", 501, true, true},
      {"not there", 404, true, false},
      {"out of order", 500, true, false},
      {"forbidden by the registry itself", 403, false, false},
      {"not allowed by the registry itself", 405, false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream store;
    store.on("/bytes").answer(row.status);
    test::ScriptedUpstream upstream;
    upstream.on("/bytes").answer(row.status);
    upstream.on(blob).answer(307).redirect(row.elsewhere ? store.url() + "/bytes" : "/bytes");
    upstream.on(by_tag).answer(307).redirect(store.url() + "/bytes");
    RegistryBench bench(upstream_at(upstream.url()));
    const auto head = bench.run(bench.registry->head_blob(repository, digest));
    REQUIRE(head.has_value() == row.exists);
    if (head) CHECK_FALSE(head->size);
    if (head) CHECK_FALSE(head->digest);
    if (head) CHECK(head->by_redirect_alone);
    CHECK_FALSE(bench.run(bench.registry->head_manifest(repository, tag)));
    CHECK_FALSE(bench.run(bench.registry->open_blob(repository, digest, 0)));
  }
}

TEST_CASE("no such part makes no sense where the whole was asked for") {
  test::ScriptedUpstream upstream;
  upstream.on(blob).answer(416);
  RegistryBench bench(upstream_at(upstream.url()));
  const auto whole = bench.run(bench.registry->open_blob(repository, digest, 0));
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == Errc::upstream_failed);
  const auto part = bench.run(bench.registry->open_blob(repository, digest, 1));
  REQUIRE_FALSE(part);
  CHECK(part.error().code == Errc::range_unsatisfiable);
}

TEST_CASE("a body that ends with the connection is whole only where a digest can say so") {
  test::ScriptedUpstream upstream;
  upstream.on(by_tag).answer(200).body("{}").no_length();
  upstream.on("/v2/library/hi/manifests/2")
      .answer(200)
      .header("Docker-Content-Digest", digest_text)
      .body("{}")
      .no_length();
  upstream.on(by_digest).answer(200).body("{}").no_length();
  upstream.on("/v2/library/hi/tags/list").answer(200).body("{}").no_length();
  upstream.on(blob).answer(200).body("hello").no_length();
  RegistryBench bench(upstream_at(upstream.url()));
  const auto doubtful = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(doubtful);
  CHECK(doubtful.error().code == Errc::upstream_failed);
  const Reference second = *Tag::parse("2");
  CHECK(bench.run(bench.registry->get_manifest(repository, second)));
  const Reference exact = digest;
  CHECK(bench.run(bench.registry->get_manifest(repository, exact)));
  CHECK_FALSE(bench.run(bench.registry->get_tags(repository, "")));
  const auto stream = bench.run(bench.registry->open_blob(repository, digest, 0));
  REQUIRE(stream);
  CHECK_FALSE((*stream)->size());
}

TEST_CASE("a manifest that is cut short is an error") {
  test::ScriptedUpstream upstream;
  upstream.on(by_tag).answer(200).body("{}").cut_after(1);
  RegistryBench bench(upstream_at(upstream.url()));
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(got);
  CHECK(got.error().code == Errc::upstream_failed);
  CHECK(got.error().retryable);
  CHECK(got.error().message ==
        "test.registry: the upstream ended the transfer before it was complete");
}

TEST_CASE("a blob is read to its end, from the beginning or from an offset") {
  const std::string bytes(600000, 'x');
  test::ScriptedUpstream upstream;
  upstream.on(blob).answer(200).body(bytes).ranges();
  RegistryBench bench(upstream_at(upstream.url()));
  const std::uint64_t offsets[] = {0, 1, 599999};
  for (const auto offset : offsets) {
    CAPTURE(offset);
    const auto stream = bench.run(bench.registry->open_blob(repository, digest, offset));
    REQUIRE(stream);
    CHECK((*stream)->offset() == offset);
    CHECK((*stream)->size() == bytes.size());
    std::uint64_t total = offset;
    std::string buffer(256 * 1024, '\0');
    for (;;) {
      const auto got = bench.run((*stream)->read(buffer.data(), buffer.size()));
      REQUIRE(got);
      if (*got == 0) break;
      total += *got;
    }
    CHECK(total == bytes.size());
  }
  CHECK(upstream.requests()[0].header("Range").empty());
  CHECK(upstream.requests()[1].header("Range") == "bytes=1-");
  CHECK(upstream.connections() == 1);
  const auto past = bench.run(bench.registry->open_blob(repository, digest, bytes.size()));
  REQUIRE_FALSE(past);
  CHECK(past.error().code == Errc::range_unsatisfiable);
  const auto head = bench.run(bench.registry->head_blob(repository, digest));
  REQUIRE(head);
  CHECK(head->size == bytes.size());
}

TEST_CASE("an upstream that ignores the range begins at 0") {
  test::ScriptedUpstream upstream;
  upstream.on(blob).answer(200).body("hello");
  RegistryBench bench(upstream_at(upstream.url()));
  const auto stream = bench.run(bench.registry->open_blob(repository, digest, 3));
  REQUIRE(stream);
  CHECK((*stream)->offset() == 0);
}

TEST_CASE("a blob stream that is dropped leaves nothing to be mistaken for an answer") {
  test::ScriptedUpstream upstream;
  upstream.on(blob).answer(200).body(std::string(600000, 'x'));
  upstream.on(by_tag).answer(200).body("{}");
  RegistryBench bench(upstream_at(upstream.url()));
  { REQUIRE(bench.run(bench.registry->open_blob(repository, digest, 0))); }
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE(got);
  CHECK(got->bytes == "{}");
  CHECK(upstream.connections() == 2);
}

TEST_CASE("refusals come as errors with the upstream's name and words") {
  test::ScriptedUpstream upstream;
  upstream.on(by_tag).answer(404).error("MANIFEST_UNKNOWN", "manifest unknown");
  upstream.on(blob).answer(429).header("Retry-After", "7");
  upstream.on("/v2/library/hi/tags/list").answer(403).error("DENIED", "not for you");
  RegistryBench bench(upstream_at(upstream.url()));
  const auto manifest = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(manifest);
  CHECK(manifest.error().code == Errc::manifest_unknown);
  CHECK(manifest.error().message ==
        "test.registry says there is no such image (\"manifest unknown\")");
  const auto head = bench.run(bench.registry->head_manifest(repository, tag));
  REQUIRE_FALSE(head);
  CHECK(head.error().code == Errc::manifest_unknown);
  CHECK(head.error().message == "test.registry says there is no such image");
  const auto tags = bench.run(bench.registry->get_tags(repository, ""));
  REQUIRE_FALSE(tags);
  CHECK(tags.error().code == Errc::denied);
  const auto referrers = bench.run(bench.registry->get_referrers(repository, digest, ""));
  REQUIRE_FALSE(referrers);
  CHECK(referrers.error().code == Errc::manifest_unknown);
  const auto stream = bench.run(bench.registry->open_blob(repository, digest, 0));
  REQUIRE_FALSE(stream);
  CHECK(stream.error().code == Errc::upstream_busy);
  CHECK(stream.error().retry_after_s == 7);
}

TEST_CASE("tags and referrers are asked with their query and give their own fields back") {
  test::ScriptedUpstream upstream;
  upstream.on("/v2/library/hi/tags/list")
      .answer(200)
      .header("Link", "</v2/library/hi/tags/list?n=2&last=b>; rel=\"next\"")
      .header("X-Other", "no")
      .json(R"({"name":"library/hi","tags":["a","b"]})");
  upstream.on("/v2/library/hi/referrers/" + digest_text)
      .answer(200)
      .header("OCI-Filters-Applied", "artifactType")
      .json("{}");
  RegistryBench bench(upstream_at(upstream.url()));
  const auto tags = bench.run(bench.registry->get_tags(repository, "n=2"));
  REQUIRE(tags);
  CHECK(tags->fields.find("Link") == "</v2/library/hi/tags/list?n=2&last=b>; rel=\"next\"");
  CHECK(tags->fields.size() == 1);
  CHECK(upstream.requests().back().target == "/v2/library/hi/tags/list?n=2");
  const auto referrers =
      bench.run(bench.registry->get_referrers(repository, digest, "artifactType=a"));
  REQUIRE(referrers);
  CHECK(referrers->fields.find("OCI-Filters-Applied") == "artifactType");
  CHECK(upstream.requests().back().header("Accept") == oci_index);
}

TEST_CASE("a query cannot end the request line") {
  test::ScriptedUpstream upstream;
  RegistryBench bench(upstream_at(upstream.url()));
  for (const auto* const query : {"a b", "a\r\nEvil: c", "a\tb", "\xc3\xa4", "\x7f"}) {
    CAPTURE(query);
    const auto tags = bench.run(bench.registry->get_tags(repository, query));
    REQUIRE_FALSE(tags);
    CHECK(tags.error().code == Errc::request_invalid);
    CHECK_FALSE(bench.run(bench.registry->get_referrers(repository, digest, query)));
  }
  CHECK(upstream.requests().empty());
}

TEST_CASE("a path in the upstream's URL stands in front of every request") {
  test::ScriptedUpstream upstream;
  upstream.on("/mirror/v2/library/hi/manifests/1").answer(200).body("{}");
  RegistryBench bench(upstream_at(upstream.url() + "/mirror/"));
  CHECK(bench.run(bench.registry->get_manifest(repository, tag)));
}

TEST_CASE("an upstream that is not there is said to be so, by its name") {
  std::string url;
  {
    const test::ScriptedUpstream gone;
    url = gone.url();
  }
  RegistryBench bench(upstream_at(url));
  const auto got = bench.run(bench.registry->get_manifest(repository, tag));
  REQUIRE_FALSE(got);
  CHECK(got.error().code == Errc::upstream_unreachable);
  CHECK(got.error().message == "test.registry: 127.0.0.1 cannot be reached");
  CHECK(got.error().context.find("GET " + url + by_tag) == 0);
  CHECK(got.error().retryable);
}

}  // namespace
}  // namespace archway::proxy
