#include "proxy/upstream/offline_registry.hpp"

#include "proxy/pull/refusal.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("who is offline by choice is told so at once, whatever is asked") {
  const auto registry = make_offline_registry("docker.io");
  const auto repository = *Repository::parse("library/hi");
  const Reference tag = *Tag::parse("1");
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  boost::asio::io_context loop(1);
  const auto check = [](const Error& error) {
    CHECK(status_of(error) == 504);
    CHECK_FALSE(error.retryable);
    CHECK(error.message ==
          "this is not in archway's cache, and docker.io is not asked: archway is offline "
          "(offline: true)");
  };
  check(test::run(loop, registry->ping()).error());
  check(test::run(loop, registry->head_manifest(repository, tag)).error());
  check(test::run(loop, registry->get_manifest(repository, tag)).error());
  check(test::run(loop, registry->head_blob(repository, digest)).error());
  check(test::run(loop, registry->open_blob(repository, digest, 0)).error());
  check(test::run(loop, registry->open_part(repository, digest, 0, 1)).error());
  check(test::run(loop, registry->get_tags(repository, "")).error());
  check(test::run(loop, registry->get_referrers(repository, digest, "")).error());
}

}  // namespace
}  // namespace archway::proxy
