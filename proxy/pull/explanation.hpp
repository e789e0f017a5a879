#pragma once

#include "metrics/metrics.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/model/virtual_image.hpp"
#include "resolver/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// Every step of one decision about a manifest, in order: filled in by the very functions that
/// decide for clients, so it cannot say anything else than they do.
struct Explanation {
  std::string asked = {};      ///< the name as it was asked for: `docker.io/arm64v8/alpine:3`
  std::string image = {};      ///< what is looked for: `docker.io/library/alpine:3`
  std::string rewritten = {};  ///< by which rule; "" : not at all
  std::optional<VirtualImage> virtual_image = {};
  resolver::ClientPlatform client = {};
  std::vector<std::string> ladder = {};  ///< what the client runs, best first
  resolver::VerdictPolicy policy = {};
  std::string policy_rule = {};  ///< the pattern that changed the policy; "" : none
  std::string tag_digest = {};   ///< what the tag stands for; "" when asked by digest or unknown
  std::string tag_outcome = {};  ///< hit, miss or stale
  std::vector<resolver::EntryNote> entries = {};
  std::string verdict = {};  ///< pass, child, filter, refuse; "" when nothing was decided
  std::string reason = {};

  /// What the client gets.
  std::uint16_t status = 0;
  std::string digest = {};
  std::string media_type = {};
  std::uint64_t size = 0;
  std::string index = {};  ///< the index that the child is from
  std::string warning = {};
  std::string error_code = {};
  std::string message = {};  ///< of a refusal or an error
  /// What a manifest names; an index has no parts.
  struct Part {
    std::string kind;  ///< config, layer
    std::string digest;
    std::uint64_t size = 0;
    bool cached = false;
  };
  bool cached = false;  ///< the manifest was in the cache before this was asked
  std::vector<Part> parts = {};
};

/// As one JSON document, the shape of `GET /api/v1/explain` (docs/api.md): every member under its
/// own name, in this order; what is not there is "", an empty array or null.
std::string explanation_json(const Explanation& explanation);

}  // namespace archway::proxy
