#include "proxy/command/manifest_index.hpp"

#include "cache/hasher.hpp"
#include "proxy/command/manifest_json.hpp"
#include "resolver/index_bytes.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;
namespace json = boost::json;

namespace {

Error cannot_be_taken(const resolver::ImageReference& source, const std::string& why) {
  return {.code = Errc::manifest_invalid,
          .origin = Origin::upstream,
          .message = source.str() + " cannot be taken into an index: " + why};
}

/// `object`: the same entry as it is written, for what a Descriptor does not keep.
DraftEntry draft_entry(const Descriptor& descriptor, const json::object& object,
                       const resolver::ImageReference& source) {
  DraftEntry entry{.source = source,
                   .media_type = descriptor.media_type,
                   .digest = descriptor.digest,
                   .size = descriptor.size};
  for (const auto& [name, value] : object) {
    if (name == "platform" && value.is_object()) {
      entry.platform = written_platform(value.get_object());
    } else if (name != "mediaType" && name != "digest" && name != "size" && name != "platform") {
      entry.others[name] = value;
    }
  }
  return entry;
}

Error without_platform(const Draft& draft, const DraftEntry& entry) {
  const auto name = entry.source.image.str() + "@" + entry.digest.str();
  return {.code = Errc::request_invalid,
          .message = name +
                     " names no platform, so nobody would find it in the index; state it: "
                     "`archway manifest annotate " +
                     draft.target.str() + " " + name + " --os linux --arch arm64`"};
}

std::string entry_json(const DraftEntry& entry) {
  auto text = resolver::descriptor_json({.media_type = entry.media_type,
                                         .digest = entry.digest,
                                         .size = entry.size,
                                         .platform = entry.platform});
  if (entry.others.empty()) return text;
  text.pop_back();
  return text + "," + json::serialize(entry.others).substr(1);
}

bool is_docker_type(const DraftEntry& entry) {
  return entry.media_type == media_type::docker_manifest ||
         entry.media_type == media_type::docker_list;
}

}  // namespace

Result<std::vector<DraftEntry>> entries_of_index(const FetchedManifest& index,
                                                 const resolver::ImageReference& source) {
  if (!index.manifest.interpretable) return cannot_be_taken(source, index.manifest.why);
  const auto value = parse_json(index.bytes);
  if (!value) return cannot_be_taken(source, value.error().message);
  const auto* list = value->is_object() ? value->get_object().if_contains("manifests") : nullptr;
  std::vector<DraftEntry> entries;
  if (list == nullptr || !list->is_array()) return entries;  // `null`: Go's empty list
  const auto& written = list->get_array();
  const auto& read = index.manifest.manifests;
  if (written.size() != read.size()) return cannot_be_taken(source, "its entries are unclear");
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (!written[i].is_object()) return cannot_be_taken(source, "its entries are unclear");
    entries.push_back(draft_entry(read[i], written[i].get_object(), source));
  }
  return entries;
}

net::awaitable<Result<std::vector<DraftEntry>>> entries_of_source(Registry* registry,
                                                                  resolver::ImageReference source) {
  auto fetched = co_await fetch_manifest(registry, source.image.repository, source.reference);
  if (!fetched) co_return fetched.error();
  const auto& manifest = fetched->manifest;
  if (manifest.kind == ManifestKind::index) co_return entries_of_index(*fetched, source);
  if (!manifest.interpretable) {
    co_return cannot_be_taken(source, manifest.why + " (" + fetched->media_type + ")");
  }
  DraftEntry entry{.source = source,
                   .media_type = fetched->media_type,
                   .digest = fetched->digest,
                   .size = fetched->bytes.size()};
  const auto platform =
      co_await fetch_platform(registry, source.image.repository, *manifest.config);
  if (!platform) co_return platform.error();
  entry.platform = *platform;
  co_return std::vector<DraftEntry>(1, std::move(entry));
}

Result<IndexDocument> index_of(const Draft& draft, bool docker_list) {
  if (draft.entries.empty()) {
    return Error{.code = Errc::request_invalid,
                 .message = "the draft of " + draft.target.str() + " has no manifests"};
  }
  std::vector<std::string> entries;
  for (const auto& entry : draft.entries) {
    if (!has_platform(entry)) return without_platform(draft, entry);
    entries.push_back(entry_json(entry));
  }
  const bool docker =
      docker_list || std::all_of(draft.entries.begin(), draft.entries.end(), is_docker_type);
  const auto type = docker ? media_type::docker_list : media_type::oci_index;
  auto bytes = resolver::make_index(type, entries);
  if (bytes.size() > resolver::manifest_bytes_max) {
    return Error{.code = Errc::manifest_invalid,
                 .message = "the index would be larger than 4 MiB, which no registry takes"};
  }
  const auto digest = cache::digest_of(Digest::Algorithm::sha256, bytes);
  if (!digest) return digest.error();
  return IndexDocument{
      .media_type = std::string(type), .bytes = std::move(bytes), .digest = *digest};
}

}  // namespace archway::proxy
