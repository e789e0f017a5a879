#include "proxy/access/permits.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;
using Word = Permits::Word;

struct Fixture {
  Permits::Clock::time_point time = Permits::Clock::time_point() + 1h;
  Permits permits{[this] { return time; }};
};

ImageName image(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

Shown basic(const std::string& username, const std::string& password) {
  Settings::Credentials credentials;
  credentials.username = username;
  credentials.password = password;
  return {.basic = credentials};
}

TEST_CASE_FIXTURE(Fixture, "an upstream's word holds for its time and no longer") {
  const auto key = permits.key(image("acme/app"), basic("alice", "wonder"));
  CHECK(permits.find(key) == Word::unknown);
  permits.grant(key, 15min);
  time += 15min - 1s;
  CHECK(permits.find(key) == Word::granted);
  time += 1s;
  CHECK(permits.find(key) == Word::unknown);
  permits.refuse(key);
  CHECK(permits.find(key) == Word::refused);
  time += Permits::refused_for;
  CHECK(permits.find(key) == Word::unknown);
}

TEST_CASE_FIXTURE(Fixture, "the last word counts") {
  const auto key = permits.key(image("acme/app"), basic("alice", "wonder"));
  permits.grant(key, 15min);
  permits.refuse(key);
  CHECK(permits.find(key) == Word::refused);
  permits.grant(key, 15min);
  CHECK(permits.find(key) == Word::granted);
}

TEST_CASE_FIXTURE(Fixture, "every image and credential is remembered apart, and none can be read") {
  const Shown nothing;
  const Shown token{.bearer = "wonder"};
  const std::set<std::string> keys{
      permits.key(image("acme/app"), basic("alice", "wonder")),
      permits.key(image("acme/app"), basic("alice", "wonde")),
      permits.key(image("acme/app"), basic("alicew", "onder")),
      permits.key(image("acme/app"), token),
      permits.key(image("acme/app"), nothing),
      permits.key(image("acme/other"), basic("alice", "wonder")),
  };
  CHECK(keys.size() == 6);
  for (const auto& key : keys) {
    CHECK(key.size() == 32);
    CHECK(key.find("wonder") == std::string::npos);
  }
  CHECK_FALSE(keys.contains(Permits().key(image("acme/app"), basic("alice", "wonder"))));
}

TEST_CASE_FIXTURE(Fixture, "guesses are bounded and push out no permit") {
  const auto key = permits.key(image("acme/app"), basic("alice", "wonder"));
  permits.grant(key, 15min);
  const auto first = permits.key(image("acme/app"), basic("alice", "0"));
  for (std::size_t i = 0; i <= Permits::kept_max; ++i) {
    permits.refuse(permits.key(image("acme/app"), basic("alice", std::to_string(i))));
    time += 1ns;
  }
  CHECK(permits.find(key) == Word::granted);
  CHECK(permits.find(first) == Word::unknown);
}

TEST_CASE_FIXTURE(Fixture, "where there is no more room the permit that ends next goes, no other") {
  const auto key_of = [&](std::size_t i) {
    return permits.key(image("acme/app"), basic("alice", std::to_string(i)));
  };
  permits.grant(key_of(0), 30min);
  permits.grant(key_of(1), 15min);
  permits.grant(key_of(2), 15min);
  permits.grant(key_of(2), 45min);
  for (std::size_t i = 3; i <= Permits::kept_max; ++i) permits.grant(key_of(i), 30min);
  CHECK(permits.find(key_of(1)) == Word::unknown);
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}, Permits::kept_max}) {
    CAPTURE(i);
    CHECK(permits.find(key_of(i)) == Word::granted);
  }
}

}  // namespace
}  // namespace archway::proxy
