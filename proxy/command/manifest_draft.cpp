#include "proxy/command/manifest_draft.hpp"

#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_json.hpp"
#include "resolver/model/media_type.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <utility>

namespace archway::proxy {

namespace json = boost::json;

namespace {

constexpr std::size_t word_length_max = 128;

Error unreadable(const std::string& why) {
  return {.code = Errc::manifest_invalid,
          .message = "it is not a draft of `archway manifest create`: " + why};
}

json::object entry_object(const DraftEntry& entry) {
  json::object object;
  object["source"] = entry.source.str();
  object["mediaType"] = entry.media_type;
  object["digest"] = entry.digest.str();
  object["size"] = entry.size;
  if (entry.platform) object["platform"] = platform_json(*entry.platform);
  for (const auto& [name, value] : entry.others) object[name] = value;
  return object;
}

bool is_own_member(std::string_view name) {
  return name == "source" || name == "mediaType" || name == "digest" || name == "size" ||
         name == "platform";
}

Result<DraftEntry> read_entry(const json::value& value) {
  if (!value.is_object()) return unreadable("an entry is no object");
  const auto& object = value.get_object();
  auto source = resolver::parse_image(text_in(object, "source"));
  if (!source) return unreadable("a source is no image: " + source.error().message);
  const auto digest = Digest::parse(text_in(object, "digest"));
  if (!digest) return unreadable("an entry has no valid digest");
  DraftEntry entry{
      .source = *std::move(source), .media_type = text_in(object, "mediaType"), .digest = *digest};
  if (entry.media_type.empty()) return unreadable("an entry has no mediaType");
  const auto* size = object.if_contains("size");
  json::error_code error;
  if (size != nullptr) entry.size = size->to_number<std::uint64_t>(error);
  if (size == nullptr || error) return unreadable("an entry has no valid size");
  const auto* platform = object.if_contains("platform");
  if (platform != nullptr && platform->is_object()) {
    entry.platform = written_platform(platform->get_object());
  }
  for (const auto& [name, member] : object) {
    if (!is_own_member({name.data(), name.size()})) entry.others[name] = member;
  }
  return entry;
}

bool is_word(std::string_view text) {
  return text.size() <= word_length_max && std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c <= '~' && c != '/' && c != '"';
         });
}

Result<void> check_words(const Annotation& annotation) {
  std::vector<std::string_view> words = {annotation.os, annotation.architecture, annotation.variant,
                                         annotation.os_version};
  words.insert(words.end(), annotation.os_features.begin(), annotation.os_features.end());
  for (const auto word : words) {
    if (is_word(word)) continue;
    return Error{.code = Errc::platform_invalid,
                 .message = "\"" + std::string(word.substr(0, word_length_max)) +
                            "\" cannot be a part of a platform: one word is allowed, without "
                            "blanks, slashes and quotes"};
  }
  return {};
}

bool is_meant(const DraftEntry& entry, const resolver::ImageReference& source) {
  if (entry.source.str() == source.str()) return true;
  const auto* digest = std::get_if<Digest>(&source.reference);
  return digest != nullptr && *digest == entry.digest && entry.source.image == source.image;
}

Error not_there(const Draft& draft, const resolver::ImageReference& source) {
  std::string there;
  std::string last;
  for (const auto& entry : draft.entries) {
    const auto name = entry.source.str();
    if (name != last) there += (there.empty() ? "" : ", ") + name;
    last = name;
  }
  return {.code = Errc::manifest_unknown,
          .message = "manifest for image " + source.str() + " does not exist in " +
                     draft.target.str() + "; it has " + there};
}

Error several(const std::vector<DraftEntry*>& meant, const resolver::ImageReference& source) {
  std::string names;
  for (const auto* entry : meant) {
    names += "\n  " + source.image.str() + "@" + entry->digest.str();
    if (entry->platform) names += "  " + entry->platform->str();
  }
  return {.code = Errc::request_invalid,
          .message = source.str() + " brought " + std::to_string(meant.size()) +
                     " manifests; name one by its digest:" + names};
}

void state(std::string& member, const std::string& stated) {
  if (!stated.empty()) member = stated;
}

}  // namespace

std::string draft_text(const Draft& draft) {
  json::array entries;
  for (const auto& entry : draft.entries) entries.push_back(entry_object(entry));
  json::object object;
  object["target"] = draft.target.str();
  object["manifests"] = std::move(entries);
  return indented_json(json::serialize(object), index_indent) + "\n";
}

Result<Draft> read_draft(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return unreadable(value.error().message);
  if (!value->is_object()) return unreadable("it is no JSON object");
  const auto& object = value->get_object();
  auto target = resolver::parse_image(text_in(object, "target"));
  if (!target) return unreadable("its target is no image: " + target.error().message);
  const auto* entries = object.if_contains("manifests");
  if (entries == nullptr || !entries->is_array()) return unreadable("it has no list of manifests");
  Draft draft{.target = *std::move(target)};
  for (const auto& entry : entries->get_array()) {
    auto read = read_entry(entry);
    if (!read) return read.error();
    draft.entries.push_back(*std::move(read));
  }
  return draft;
}

void amend(Draft& draft, std::vector<DraftEntry> entries) {
  const auto comes_again = [&entries](const DraftEntry& old) {
    return std::any_of(entries.begin(), entries.end(), [&old](const DraftEntry& entry) {
      return entry.source.str() == old.source.str();
    });
  };
  auto& kept = draft.entries;
  // Everything before the first that goes stays where it is, so its position holds.
  const auto place = std::find_if(kept.begin(), kept.end(), comes_again) - kept.begin();
  kept.erase(std::remove_if(kept.begin(), kept.end(), comes_again), kept.end());
  kept.insert(kept.begin() + place, std::make_move_iterator(entries.begin()),
              std::make_move_iterator(entries.end()));
}

Result<void> annotate(Draft& draft, const resolver::ImageReference& source,
                      const Annotation& annotation) {
  const auto words = check_words(annotation);
  if (!words) return words.error();
  std::vector<DraftEntry*> meant;
  for (auto& entry : draft.entries) {
    if (is_meant(entry, source)) meant.push_back(&entry);
  }
  if (meant.empty()) return not_there(draft, source);
  if (meant.size() > 1) return several(meant, source);
  Platform platform = meant.front()->platform.value_or(Platform{});
  state(platform.os, annotation.os);
  state(platform.architecture, annotation.architecture);
  state(platform.variant, annotation.variant);
  state(platform.os_version, annotation.os_version);
  if (!annotation.os_features.empty()) platform.os_features = annotation.os_features;
  meant.front()->platform = std::move(platform);
  return {};
}

std::vector<std::string> doubled_platforms(const Draft& draft) {
  std::map<std::string, int> times;
  std::vector<std::string> doubled;
  for (const auto& entry : draft.entries) {
    if (!entry.platform || entry.platform->os == "unknown" || !has_platform(entry)) continue;
    const auto name = entry.platform->normalised().str();
    if (++times[name] == 2) doubled.push_back(name);
  }
  return doubled;
}

bool has_platform(const DraftEntry& entry) {
  if (kind_of(entry.media_type) == ManifestKind::index) return true;
  return entry.platform && !entry.platform->os.empty() && !entry.platform->architecture.empty();
}

}  // namespace archway::proxy
