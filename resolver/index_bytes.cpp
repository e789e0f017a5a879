#include "resolver/index_bytes.hpp"

#include "resolver/manifest.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <simdjson.h>
#include <utility>

namespace archway::resolver {
namespace {

namespace ondemand = simdjson::ondemand;

/// One member of the document, as it is written.
struct Member {
  std::string key;           ///< unescaped
  std::string_view head;     ///< the key, its colon and the white space between and behind
  std::string_view written;  ///< all of it: head and value
};

/// Where things are written in an index; views into its bytes.
struct Layout {
  std::vector<Member> members;
  std::vector<std::string_view> entries;
};

Error invalid(std::string why) {
  return {.code = Errc::manifest_invalid,
          .origin = Origin::upstream,
          .message = "no part of this index can be taken out: " + std::move(why)};
}

/// Says why when parse_manifest() would not decide upon these bytes as an index; "" when it would.
std::string fault_of(std::string_view bytes) {
  auto as_oci = parse_manifest(bytes, media_type::oci_index);
  if (as_oci.interpretable) return "";
  const auto as_list = parse_manifest(bytes, media_type::docker_list);
  return as_list.interpretable ? "" : std::move(as_oci.why);
}

/// Finds where things are written. Only for documents that were read whole by parse_manifest()
/// before: it has made sure of the syntax, the bounds and that no key stands there twice.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes), padded_(bytes) {}

  /// None when the parser fails, which it does not after parse_manifest().
  std::optional<Layout> read() {
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(padded_).get(document) != simdjson::SUCCESS) return std::nullopt;
    if (document.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    for (auto item : object) {
      ondemand::field field;
      if (std::move(item).get(field) != simdjson::SUCCESS || !read_member(field)) {
        return std::nullopt;
      }
    }
    return std::move(layout_);
  }

 private:
  bool read_member(ondemand::field& field) {
    const char* const begin = field.key().raw() - 1;  // the quote before the key
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    auto& value = field.value();
    const char* const value_begin = value.raw_json_token().data();
    Member member{.key = std::string(key), .head = original(begin, value_begin), .written = {}};
    if (member.key == "manifests") {
      if (!read_entries(value)) return false;
    } else {
      std::string_view text;
      if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return false;
      member.written = original(begin, text.data() + text.size());
    }
    layout_.members.push_back(std::move(member));
    return true;
  }

  bool read_entries(ondemand::value& value) {
    ondemand::array array;
    // Go writes null for an empty list.
    if (value.get_array().get(array) != simdjson::SUCCESS) return true;
    for (auto item : array) {
      ondemand::value entry;
      std::string_view text;
      if (std::move(item).get(entry) != simdjson::SUCCESS) return false;
      if (simdjson::to_json_string(entry).get(text) != simdjson::SUCCESS) return false;
      layout_.entries.push_back(original(text.data(), text.data() + text.size()));
    }
    return true;
  }

  /// The same place in the caller's bytes, which outlive the padded copy.
  std::string_view original(const char* begin, const char* end) const {
    return bytes_.substr(static_cast<std::size_t>(begin - padded_.data()),
                         static_cast<std::size_t>(end - begin));
  }

  std::string_view bytes_;
  simdjson::padded_string padded_;
  Layout layout_;
};

Result<Layout> layout_of(std::string_view bytes) {
  if (auto fault = fault_of(bytes); !fault.empty()) return invalid(std::move(fault));
  auto layout = Reader(bytes).read();
  if (!layout) return invalid("it is not JSON");
  return *std::move(layout);
}

template <class Texts>
std::string joined(const Texts& texts) {
  std::string result;
  for (const auto& text : texts) {
    if (!result.empty()) result += ',';
    result += text;
  }
  return result;
}

/// The entries at `kept`, none when that is not ascending or leads past the end.
std::optional<std::string> kept_entries(const Layout& layout,
                                        const std::vector<std::size_t>& kept) {
  std::vector<std::string_view> entries;
  std::size_t next = 0;
  for (const auto position : kept) {
    if (position < next || position >= layout.entries.size()) return std::nullopt;
    entries.push_back(layout.entries[position]);
    next = position + 1;
  }
  return joined(entries);
}

std::string json_text(std::string_view text) {
  const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20) {
      char escaped[7];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(byte));
      result += escaped;
    } else if (byte >= 0x80 && !utf8) {
      result += "\\ufffd";
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string json_member(std::string_view key, std::string_view json) {
  return json_text(key) + ":" + std::string(json);
}

std::string platform_json(const Platform& platform) {
  std::vector<std::string> members;
  const auto add = [&members](std::string_view key, std::string_view text) {
    if (!text.empty()) members.push_back(json_member(key, json_text(text)));
  };
  add("architecture", platform.architecture);
  add("os", platform.os);
  add("os.version", platform.os_version);
  if (!platform.os_features.empty()) {
    std::vector<std::string> features;
    for (const auto& feature : platform.os_features) features.push_back(json_text(feature));
    members.push_back(json_member("os.features", "[" + joined(features) + "]"));
  }
  add("variant", platform.variant);
  return "{" + joined(members) + "}";
}

}  // namespace

Result<std::vector<std::string_view>> raw_entries(std::string_view bytes) {
  auto layout = layout_of(bytes);
  if (!layout) return std::move(layout).error();
  return std::move(layout->entries);
}

Result<std::string> filtered_index(std::string_view bytes, const std::vector<std::size_t>& kept) {
  const auto layout = layout_of(bytes);
  if (!layout) return layout.error();
  const auto entries = kept_entries(*layout, kept);
  if (!entries) return invalid("it has no entries at these positions");
  std::vector<std::string> members;
  for (const auto& each : layout->members) {
    if (each.key == "subject") continue;
    const bool list = each.key == "manifests";
    members.push_back(list ? std::string(each.head) + "[" + *entries + "]"
                           : std::string(each.written));
  }
  return "{" + joined(members) + "}";
}

std::string make_index(std::string_view media_type, const std::vector<std::string>& entries) {
  return "{" +
         joined(std::vector{json_member("schemaVersion", "2"),
                            json_member("mediaType", json_text(media_type)),
                            json_member("manifests", "[" + joined(entries) + "]")}) +
         "}";
}

std::string descriptor_json(const Descriptor& descriptor) {
  std::vector<std::string> members;
  if (!descriptor.media_type.empty()) {
    members.push_back(json_member("mediaType", json_text(descriptor.media_type)));
  }
  members.push_back(json_member("digest", json_text(descriptor.digest.str())));
  members.push_back(json_member("size", std::to_string(descriptor.size)));
  if (descriptor.platform) {
    members.push_back(json_member("platform", platform_json(*descriptor.platform)));
  }
  return "{" + joined(members) + "}";
}

}  // namespace archway::resolver
