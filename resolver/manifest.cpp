#include "resolver/manifest.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <simdjson.h>
#include <utility>

namespace archway::resolver {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t platform_text_max = 128;
constexpr std::size_t features_max = 64;
constexpr std::size_t small_bytes_max = 64 * 1024;

/// Why a document is not interpreted; "" while all is well.
using Why = std::string;

/// Lower-case as Go's encoding/json folds keys: ASCII, and the two characters beyond it that fold
/// into ASCII letters.
std::string folded(std::string_view key) {
  constexpr std::string_view long_s = "\xc5\xbf";
  constexpr std::string_view kelvin = "\xe2\x84\xaa";
  std::string result;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key.substr(i, 2) == long_s) {
      result += 's';
      i += 1;
    } else if (key.substr(i, 3) == kelvin) {
      result += 'k';
      i += 2;
    } else {
      const char c = key[i];
      result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return result;
}

/// Says why when two readers could see two objects here: simdjson takes the first of two equal
/// keys, Go the last, and Go also takes `Manifests` for `manifests`.
Why ambiguity(const dom::object& object, std::initializer_list<std::string_view> known) {
  std::vector<std::string> keys;
  for (const auto field : object) {
    keys.push_back(folded(field.key));
    for (const auto name : known) {
      const bool alike = keys.back().size() == name.size() && keys.back() == folded(name);
      if (alike && field.key != name) {
        return "it has \"" + std::string(name) + "\" in another case";
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  const bool twice = std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  return twice ? "it has the same key twice in one object" : "";
}

/// The text of a member; "" when it is absent or null. False when it is something else.
bool read_text(const dom::object& object, std::string_view key, std::string& text) {
  dom::element element;
  if (object[key].get(element) != simdjson::SUCCESS || element.is_null()) return true;
  std::string_view view;
  if (element.get(view) != simdjson::SUCCESS) return false;
  text = std::string(view);
  return true;
}

/// The element of a member, none when it is absent or null.
std::optional<dom::element> find(const dom::object& object, std::string_view key) {
  dom::element element;
  if (object[key].get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return element;
}

bool is_printable(std::string_view text) {
  return text.size() <= platform_text_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Why read_features(const dom::object& object, std::vector<std::string>& features) {
  const auto element = find(object, "os.features");
  if (!element) return "";
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS || array.size() > features_max) {
    return "os.features is no short list";
  }
  for (const auto item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS || !is_printable(text)) {
      return "os.features holds something else than words";
    }
    features.emplace_back(text);
  }
  return "";
}

/// Reads the members that index entries and configs share; normalised. None when all is empty.
Why read_platform(const dom::object& object, std::optional<Platform>& result) {
  Platform platform;
  const auto read = [&](std::string_view key, std::string& text) {
    return read_text(object, key, text) && is_printable(text);
  };
  if (!read("os", platform.os) || !read("architecture", platform.architecture) ||
      !read("variant", platform.variant) || !read("os.version", platform.os_version)) {
    return "a platform has a member that is no plain word";
  }
  if (auto why = read_features(object, platform.os_features); !why.empty()) return why;
  // "os" and "architecture" empty: written by tools that know no platform.
  if (!platform.os.empty() || !platform.architecture.empty()) result = platform.normalised();
  return "";
}

/// A text under `key`, "" when there is none. Only keys that are read must not be there twice.
Why read_annotation(const dom::object& annotations, std::string_view key, std::string& text) {
  int count = 0;
  for (const auto field : annotations) count += field.key == key ? 1 : 0;
  if (count > 1) return "it has the same key twice in one object";
  return read_text(annotations, key, text) ? "" : "an annotation is no text";
}

Why read_annotations(const dom::object& entry, Descriptor& descriptor) {
  const auto element = find(entry, "annotations");
  if (!element) return "";
  dom::object annotations;
  if (element->get(annotations) != simdjson::SUCCESS) return "annotations are no object";
  auto why = read_annotation(annotations, "vnd.docker.reference.type", descriptor.reference_type);
  if (!why.empty()) return why;
  std::string about;
  why = read_annotation(annotations, "vnd.docker.reference.digest", about);
  if (const auto digest = Digest::parse(about)) descriptor.about = *digest;
  return why;
}

Why read_entry_platform(const dom::object& entry, std::optional<Platform>& platform) {
  const auto element = find(entry, "platform");
  if (!element) return "";
  dom::object object;
  if (element->get(object) != simdjson::SUCCESS) return "a platform is no object";
  auto why = ambiguity(object, {"os", "architecture", "variant", "os.version", "os.features"});
  return why.empty() ? read_platform(object, platform) : why;
}

Why read_descriptor(dom::element element, std::optional<Descriptor>& result) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return "a descriptor is no object";
  auto why = ambiguity(object, {"mediaType", "digest", "size", "platform", "annotations"});
  if (!why.empty()) return why;
  std::string text;
  if (!read_text(object, "digest", text)) return "a digest is no text";
  const auto digest = Digest::parse(text);
  if (!digest) return "a descriptor has no valid digest";
  Descriptor descriptor{.media_type = {}, .digest = *digest, .platform = {}};
  std::int64_t size = -1;
  if (object["size"].get(size) != simdjson::SUCCESS || size < 0) {
    return "a descriptor has no valid size";
  }
  descriptor.size = static_cast<std::uint64_t>(size);
  if (!read_text(object, "mediaType", descriptor.media_type)) return "a mediaType is no text";
  if (why = read_annotations(object, descriptor); !why.empty()) return why;
  if (why = read_entry_platform(object, descriptor.platform); !why.empty()) return why;
  result = std::move(descriptor);
  return "";
}

Why read_list(const dom::object& object, std::string_view key, std::vector<Descriptor>& list) {
  const auto element = find(object, key);
  if (!element) return "";  // null is what Go writes for an empty list
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) return std::string(key) + " is no list";
  for (const auto item : array) {
    if (list.size() == manifest_entries_max) return std::string(key) + " has over 10,000 entries";
    std::optional<Descriptor> descriptor;
    if (auto why = read_descriptor(item, descriptor); !why.empty()) return why;
    list.push_back(*std::move(descriptor));
  }
  return "";
}

bool has(const dom::object& object, std::string_view key) {
  return object[key].error() == simdjson::SUCCESS;
}

Why read_members(const dom::object& object, std::string_view type, Manifest& manifest) {
  auto why = ambiguity(object, {"schemaVersion", "mediaType", "manifests", "config", "layers",
                                "subject", "artifactType", "annotations"});
  if (!why.empty()) return why;
  std::string inner_type;
  if (!read_text(object, "mediaType", inner_type)) return "its mediaType is no text";
  if (!inner_type.empty() && inner_type != type) {
    return "it came as " + std::string(type) + " but calls itself something else";
  }
  const bool like_index = has(object, "manifests");
  const bool like_manifest = has(object, "layers") || has(object, "config");
  if (like_index && like_manifest) return "it has both manifests and layers or config";
  const bool index = manifest.kind == ManifestKind::index;
  if (index ? !like_index : !has(object, "config")) return "what makes its type is missing";
  if (why = read_list(object, "manifests", manifest.manifests); !why.empty()) return why;
  if (why = read_list(object, "layers", manifest.layers); !why.empty()) return why;
  if (!index) {
    const auto config = find(object, "config");
    why = config ? read_descriptor(*config, manifest.config) : "its config is null";
    if (!why.empty()) return why;
  }
  if (const auto subject = find(object, "subject")) {
    std::optional<Descriptor> descriptor;
    if (why = read_descriptor(*subject, descriptor); !why.empty()) return why;
    manifest.subject = descriptor->digest;
  }
  return read_text(object, "artifactType", manifest.artifact_type) ? ""
                                                                   : "its artifactType is no text";
}

/// Parses and hands the top-level object to `use`.
template <class Use>
Why with_object(std::string_view bytes, Use use) {
  if (bytes.size() > manifest_bytes_max) return "it is larger than 4 MiB";
  if (bytes.starts_with("\xef\xbb\xbf")) return "it starts with a byte order mark";
  // A parser keeps ten times its largest document: a big one gets its own, and it is gone after.
  thread_local dom::parser kept(small_bytes_max);
  dom::parser own(manifest_bytes_max);
  auto& parser = bytes.size() > small_bytes_max ? own : kept;
  const auto capacity = std::max(bytes.size(), small_bytes_max);
  if (parser.max_depth() != manifest_depth_max &&
      parser.allocate(capacity, manifest_depth_max) != simdjson::SUCCESS) {
    return "there is no memory for it";
  }
  dom::element element;
  const auto error = parser.parse(bytes.data(), bytes.size()).get(element);
  if (error == simdjson::DEPTH_ERROR) return "it is nested deeper than 64 levels";
  if (error != simdjson::SUCCESS) return "it is not JSON";
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return "it is no JSON object";
  return use(object);
}

std::string_view bare_type(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return type.substr(0, type.find_last_not_of(" \t") + 1);
}

}  // namespace

Manifest parse_manifest(std::string_view bytes, std::string_view content_type) {
  const auto type = bare_type(content_type);
  Manifest manifest{.kind = kind_of(type), .media_type = std::string(content_type)};
  if (manifest.kind == ManifestKind::other) {
    manifest.why = "its type is none that is interpreted";
    return manifest;
  }
  auto why = with_object(
      bytes, [&](const dom::object& object) { return read_members(object, type, manifest); });
  if (why.empty()) {
    manifest.interpretable = true;
    return manifest;
  }
  // Nothing of what was read before the fault may be acted upon.
  return {
      .kind = manifest.kind, .media_type = std::move(manifest.media_type), .why = std::move(why)};
}

std::optional<Platform> parse_config_platform(std::string_view bytes) {
  std::optional<Platform> platform;
  const auto why = with_object(bytes, [&](const dom::object& object) {
    auto fault = ambiguity(object, {"os", "architecture", "variant", "os.version", "os.features"});
    return fault.empty() ? read_platform(object, platform) : fault;
  });
  if (!why.empty() || !platform || platform->os.empty() || platform->architecture.empty()) {
    return std::nullopt;
  }
  return platform;
}

}  // namespace archway::resolver
