#pragma once

#include "resolver/verdict.hpp"

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Indexes and clients in few words, for tests about what is chosen from an index.
namespace archway::resolver {

inline Digest digest(int number) {
  char hex[65];
  std::snprintf(hex, sizeof hex, "%064d", number);
  return *Digest::parse(std::string("sha256:") + hex);
}

inline Platform platform(std::string_view text) {
  return *Platform::parse(text);
}

inline std::vector<Platform> platforms(std::initializer_list<std::string_view> texts) {
  std::vector<Platform> all;
  for (const auto text : texts) all.push_back(platform(text));
  return all;
}

/// An index entry whose digest is its number; "" is no platform.
inline Descriptor entry(int number, std::string_view on,
                        std::string_view type = media_type::oci_manifest) {
  Descriptor d{
      .media_type = std::string(type), .digest = digest(number), .size = 1, .platform = {}};
  if (!on.empty()) d.platform = platform(on);
  return d;
}

inline Descriptor nested_entry(int number, std::string_view on = "") {
  return entry(number, on, media_type::oci_index);
}

/// An attestation about the entry `about`.
inline Descriptor attestation(int number, int about) {
  auto d = entry(number, "unknown/unknown");
  d.reference_type = "attestation-manifest";
  d.about = digest(about);
  return d;
}

inline Manifest index(std::vector<Descriptor> entries) {
  return {.kind = ManifestKind::index, .interpretable = true, .manifests = std::move(entries)};
}

inline Manifest image_for(std::string_view on) {
  return {.kind = ManifestKind::manifest, .interpretable = true, .runs_on = platform(on)};
}

inline ClientPlatform client(std::string_view on, std::vector<Platform> emulates = {}) {
  return {.platform = platform(on),
          .emulates = std::move(emulates),
          .source = PlatformSource::address,
          .resolves = true};
}

inline const VerdictPolicy refusing{.missing = VerdictPolicy::Missing::refuse};
inline const std::string image_name = "docker.io/library/golang:1.22";

/// What was fetched; `decide` with it.
struct Fetched {
  std::map<Digest, Manifest> documents = {};

  NestedIndexes nested() const {
    return [this](const Digest& d) {
      const auto found = documents.find(d);
      return found == documents.end() ? nullptr : &found->second;
    };
  }
  Verdict decide(const Manifest& top, const ClientPlatform& who,
                 const VerdictPolicy& policy = {}) const {
    return archway::resolver::decide(top, who, policy, image_name, nested());
  }
};

/// `kind number… (reason)`, to compare with: the target's number, or the positions that are kept.
inline std::string shown(const Verdict& verdict) {
  const char* const kinds[] = {"pass", "child", "filter", "load", "refuse"};
  std::string text = kinds[static_cast<int>(verdict.kind)];
  if (verdict.target) text += " " + std::to_string(std::stoi(verdict.target->digest.hex()));
  for (const auto position : verdict.kept) text += " " + std::to_string(position);
  return text + " (" + verdict.reason + ")";
}

inline const Manifest usual =
    index({entry(1, "linux/amd64"), entry(2, "linux/arm64"), entry(3, "linux/arm/v6")});

}  // namespace archway::resolver
