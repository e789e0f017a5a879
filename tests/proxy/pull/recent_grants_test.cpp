#include "proxy/pull/recent_grants.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const ImageName image{.upstream = "docker.io", .repository = *Repository::parse("library/hi")};
const ImageName other{.upstream = "docker.io", .repository = *Repository::parse("library/ho")};
const Digest digest = *Digest::parse("sha256:" + std::string(64, '1'));

TEST_CASE("a grant is there for its own name, until every commit of it is through") {
  RecentGrants grants;
  CHECK_FALSE(grants.contains(image, digest));
  grants.add(image, digest);
  grants.add(image, digest);
  CHECK(grants.contains(image, digest));
  CHECK_FALSE(grants.contains(other, digest));
  grants.remove(image, digest);
  CHECK(grants.contains(image, digest));
  grants.remove(image, digest);
  CHECK_FALSE(grants.contains(image, digest));
  grants.remove(image, digest);  // Once too often does nothing.
}

}  // namespace
}  // namespace archway::proxy
