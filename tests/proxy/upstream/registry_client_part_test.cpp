// Parts of blobs.

#include "proxy/upstream/registry_client.hpp"
#include "tests/proxy/upstream/fixture.hpp"

#include <cstdint>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const Repository repository = *Repository::parse("library/hi");
const std::string digest_text = "sha256:" + std::string(64, 'a');
const Digest digest = *Digest::parse(digest_text);
const std::string blob = "/v2/library/hi/blobs/" + digest_text;

TEST_CASE("a part of a blob is asked for by its first and last byte, on a connection kept") {
  test::ScriptedUpstream upstream;
  upstream.on(blob).answer(200).body("hello").ranges();
  RegistryBench bench(upstream_at(upstream.url()));
  for (const std::uint64_t offset : std::vector<std::uint64_t>{0, 1, 3}) {
    CAPTURE(offset);
    const auto stream = bench.run(bench.registry->open_part(repository, digest, offset, 2));
    REQUIRE(stream);
    CHECK((*stream)->offset() == offset);
    CHECK((*stream)->size() == 5);
    std::string buffer(100, '\0');
    const auto got = bench.run((*stream)->read(buffer.data(), buffer.size()));
    REQUIRE(got);
    CHECK(buffer.substr(0, *got) == std::string("hello").substr(offset, 2));
  }
  CHECK(upstream.requests()[1].header("Range") == "bytes=1-2");
  CHECK(upstream.connections() == 1);
  const auto past = bench.run(bench.registry->open_part(repository, digest, 5, 1));
  REQUIRE_FALSE(past);
  CHECK(past.error().code == Errc::range_unsatisfiable);
}

}  // namespace
}  // namespace archway::proxy
