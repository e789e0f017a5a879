#include "proxy/pull/bad_blobs.hpp"

#include <cstddef>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

Digest digest_number(std::size_t number) {
  auto hex = std::to_string(number);
  return *Digest::parse("sha256:" + std::string(64 - hex.size(), '0') + hex);
}

ImageName image(const char* repository, const char* upstream = "docker.io") {
  return {.upstream = upstream, .repository = *Repository::parse(repository)};
}

struct Remembering {
  BadBlobs::Clock::time_point now{1h};
  BadBlobs bad{[this] { return now; }};
};

TEST_CASE("a lie is remembered for a minute, under the name that it was told for") {
  Remembering r;
  const auto lied_about = digest_number(1);
  CHECK(!r.bad.find(image("library/hi"), lied_about));
  r.bad.remember(image("library/hi"), lied_about);
  r.now += 12s;
  const auto error = r.bad.find(image("library/hi"), lied_about);
  REQUIRE(error);
  CHECK(error->code == Errc::upstream_failed);
  CHECK(error->message == "docker.io sent other bytes than those of " + lied_about.str() +
                              ", 12 seconds ago; it is asked again in 48 seconds");
  CHECK(error->retry_after_s == 48);
  CHECK(!r.bad.find(image("library/other"), lied_about));
  CHECK(!r.bad.find(image("library/hi", "ghcr.io"), lied_about));
  CHECK(!r.bad.find(image("library/hi"), digest_number(2)));
  r.now += 47s;
  CHECK(r.bad.find(image("library/hi"), lied_about));
  r.now += 1s;
  CHECK(!r.bad.find(image("library/hi"), lied_about));
}

TEST_CASE("the table of lies is bounded, and takes new ones when the old are past") {
  Remembering r;
  for (std::size_t i = 0; i <= BadBlobs::remembered_max; ++i) {
    r.bad.remember(image("library/hi"), digest_number(i));
  }
  CHECK(r.bad.find(image("library/hi"), digest_number(BadBlobs::remembered_max - 1)));
  CHECK(!r.bad.find(image("library/hi"), digest_number(BadBlobs::remembered_max)));
  r.now += BadBlobs::remembered_for;
  r.bad.remember(image("library/hi"), digest_number(BadBlobs::remembered_max));
  CHECK(r.bad.find(image("library/hi"), digest_number(BadBlobs::remembered_max)));
}

}  // namespace
}  // namespace archway::proxy
