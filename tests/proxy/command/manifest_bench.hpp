#pragma once

#include "proxy/command/command_line.hpp"
#include "proxy/command/manifest_draft_store.hpp"
#include "proxy/command/session.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {

/// A registry on loopback that says it is one.
class ScriptedRegistry : public test::ScriptedUpstream {
 public:
  ScriptedRegistry() { on("/v2/").answer(200); }

  std::string host() const { return "127.0.0.1:" + std::to_string(port()); }
  /// `127.0.0.1:PORT/NAME`
  std::string image(const std::string& name) const { return host() + "/" + name; }

  /// An image with its config and layer, under a tag too.
  void hold(const std::string& repository, const test::Image& image, const std::string& tag = "") {
    test::publish(*this, repository, image);
    if (!tag.empty()) test::publish(*this, repository, image.manifest, tag);
  }

  /// Takes a manifest that it says it lacks.
  void take_manifest(const std::string& repository, const std::string& reference) {
    const auto path = test::manifest_path(repository, reference);
    on(path).answer(404);
    on(path).answer(201);
  }

  /// What was written, in order: `POST target` and `PUT target`.
  std::vector<std::string> writes() const {
    std::vector<std::string> all;
    for (const auto& request : requests()) {
      if (request.method != "POST" && request.method != "PUT") continue;
      all.push_back(request.method + " " + request.target);
    }
    return all;
  }

  /// The body of the last request of that method for that path; "" when there was none.
  std::string taken(const std::string& method, const std::string& path) const {
    std::string body;
    for (const auto& request : requests()) {
      if (request.method == method && request.path == path) body = request.body;
    }
    return body;
  }
};

/// A user with a home of their own, and what a command says to them.
struct ManifestBench {
  test::TempDir home;
  std::ostringstream out = std::ostringstream();
  std::ostringstream err = std::ostringstream();
  bool terminal = false;

  Surroundings surroundings() {
    const auto variable = [folder = home.path().string()](const std::string& name) {
      const bool known = name == "HOME" || name == "XDG_DATA_HOME" || name == "DOCKER_CONFIG";
      return known ? std::optional(folder) : std::nullopt;
    };
    return {.out = out,
            .err = err,
            .environment = {.variable = variable},
            .serve = {},
            .out_is_terminal = terminal};
  }

  std::unique_ptr<Session> session() {
    auto made = Session::make({}, surroundings());
    REQUIRE(made);
    return *std::move(made);
  }

  DraftStore store() { return *DraftStore::of_user(surroundings().environment); }

  /// What was printed since the last time.
  std::string printed() { return std::exchange(out, std::ostringstream()).str(); }
  std::string complained() { return std::exchange(err, std::ostringstream()).str(); }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline resolver::ImageReference image_of(const std::string& text) {
  return *resolver::parse_image(text);
}

/// An entry of a draft, as a source of that name brings it.
inline DraftEntry entry_of(const std::string& source, const std::string& platform,
                           std::string_view media_type = media_type::oci_manifest) {
  DraftEntry entry{.source = image_of(source),
                   .media_type = std::string(media_type),
                   .digest = *Digest::parse(test::digest_of(source + platform)),
                   .size = 500};
  if (!platform.empty()) entry.platform = *Platform::parse(platform);
  return entry;
}

}  // namespace archway::proxy
