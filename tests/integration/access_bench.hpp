#pragma once

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

namespace archway::test {

/// Who asks. Each password is a word that must be found nowhere.
struct Person {
  const char* name;
  Headers headers;
};
inline const std::string alice = "Basic YWxpY2U6Y2FuYXJ5LXdvbmRlcg==";        // alice:canary-wonder
inline const std::string expired = "Basic YWxpY2U6Y2FuYXJ5LXllc3RlcmRheQ==";  // …:canary-yesterday
inline const std::string bob = "Basic Ym9iOmNhbmFyeS1idWlsZGVy";              // bob:canary-builder
inline const std::string robot = "Basic cm9ib3Q6Y2FuYXJ5LW1ldGFs";            // robot:canary-metal

inline const std::vector<Person>& people() {
  static const std::vector<Person> all{{"nobody", {}},
                                       {"bob", {{"Authorization", bob}}},
                                       {"expired alice", {{"Authorization", expired}}},
                                       {"alice", {{"Authorization", alice}}}};
  return all;
}

/// A registry with an image for everybody and one that is alice's, which archway's own account may
/// read, too; every object of the second holds a canary.
class PrivateRegistry {
 public:
  static constexpr const char* open = "library/hi";
  static constexpr const char* secret = "acme/secret";

  PrivateRegistry() : upstream(std::make_unique<ScriptedUpstream>()) {
    publish_all(open, hi, hi_index);
    publish_all(secret, own, own_index);
    upstream->guard("/v2/acme/", alice, "Basic realm=\"scripted\"");
    upstream->admit("/v2/acme/", robot);
  }

  std::unique_ptr<ScriptedUpstream> upstream;  ///< gone: it is down
  const std::vector<Image> hi{make_image("linux/amd64", noise(9000, 1)),
                              make_image("linux/arm64", noise(9000, 2))};
  const std::vector<Image> own{make_image("linux/amd64", "canary" + noise(9000, 3)),
                               make_image("linux/arm64", "canary" + noise(9000, 4))};
  const Document hi_index = make_index(hi);
  const Document own_index = make_index(own);

  /// A gateway in front of it; `account`: archway has one of its own.
  std::unique_ptr<Gateway> gateway(proxy::Settings::Access access, bool account) const {
    auto made = std::make_unique<Gateway>(*upstream);
    auto& settings = made->settings.upstreams.front();
    settings.access = access;
    if (account) {
      proxy::Settings::Credentials credentials;
      credentials.username = "robot";
      credentials.password = "canary-metal";
      settings.credentials = {credentials};
    }
    made->start();
    return made;
  }

 private:
  void publish_all(const std::string& repository, const std::vector<Image>& images,
                   const Document& index) {
    for (const auto& image : images) publish(*upstream, repository, image);
    publish(*upstream, repository, index, "1");
    upstream->on("/v2/" + repository + "/tags/list")
        .answer(200)
        .json(R"({"name":")" + repository + R"(","tags":["1","canary-tag"]})");
    upstream->on("/v2/" + repository + "/referrers/" + index.digest)
        .answer(200)
        .header("Content-Type", index.media_type)
        .body(R"({"schemaVersion":2,"manifests":[],"annotations":{"a":"canary-note"}})");
  }
};

}  // namespace archway::test
