#include "proxy/command/manifest_view.hpp"

#include "proxy/command/manifest_json.hpp"
#include "proxy/command/output.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace archway::proxy {

namespace json = boost::json;

namespace {

std::string size_cell(std::uint64_t bytes, bool terminal) {
  return terminal ? human_size(bytes) : std::to_string(bytes);
}

std::string platform_cell(const Descriptor& entry) {
  return entry.platform ? entry.platform->str() : "-";
}

std::string head(const Inspection& inspection) {
  const auto& document = inspection.document;
  std::string text = "Name:       " + inspection.name + "\nMedia type: " + document.media_type +
                     "\nDigest:     " + document.digest.str() + "\n";
  if (!document.manifest.interpretable) text += "Not read:   " + document.manifest.why + "\n";
  if (document.manifest.kind == ManifestKind::index) return text;
  if (inspection.platform) text += "Platform:   " + inspection.platform->normalised().str() + "\n";
  if (document.manifest.interpretable) {
    text += "Size:       " + human_size(size_of_parts(document.manifest)) + "\n";
  }
  if (!inspection.cached.empty()) text += "Cached:     " + inspection.cached + "\n";
  return text;
}

std::string images(const Inspection& inspection, bool terminal) {
  const auto& entries = inspection.document.manifest.manifests;
  const auto& facts = inspection.entries;
  const bool cached = std::any_of(facts.begin(), facts.end(),
                                  [](const EntryFacts& each) { return !each.cached.empty(); });
  std::vector<std::string> titles = {"PLATFORM", "DIGEST", "SIZE"};
  if (cached) titles.emplace_back("CACHED");
  Table table(std::move(titles));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (is_attestation(entries[i])) continue;
    const EntryFacts known = i < facts.size() ? facts[i] : EntryFacts{};
    auto size = known.note.empty() ? "-" : known.note;
    if (known.bytes) size = size_cell(*known.bytes, terminal);
    std::vector<std::string> cells = {platform_cell(entries[i]), entries[i].digest.str(), size};
    if (cached) cells.push_back(known.cached.empty() ? "-" : known.cached);
    table.row(std::move(cells));
  }
  return table.str(terminal);
}

/// What an attestation is about, by the platform of that entry.
std::string subject_cell(const std::vector<Descriptor>& entries, const Descriptor& attestation) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Descriptor& entry) {
    return attestation.about && entry.digest == *attestation.about;
  });
  return found == entries.end() ? "-" : platform_cell(*found);
}

std::string attestations(const Inspection& inspection) {
  const auto& entries = inspection.document.manifest.manifests;
  if (std::none_of(entries.begin(), entries.end(), is_attestation)) return "";
  Table table({"ATTESTATION OF", "DIGEST"});
  for (const auto& entry : entries) {
    if (is_attestation(entry)) table.row({subject_cell(entries, entry), entry.digest.str()});
  }
  return "\n" + table.str(true);
}

std::string parts(const resolver::Manifest& manifest, bool terminal) {
  Table table({"PART", "DIGEST", "SIZE"});
  if (manifest.config) {
    const auto& config = *manifest.config;
    table.row({"config", config.digest.str(), size_cell(config.size, terminal)});
  }
  for (const auto& layer : manifest.layers) {
    table.row({"layer", layer.digest.str(), size_cell(layer.size, terminal)});
  }
  return table.str(terminal);
}

/// The members that docker knows; letters and numbers as the index has them.
json::object docker_entry(const json::object& written) {
  json::object entry;
  for (const auto* const name : {"mediaType", "size", "digest"}) {
    if (const auto* value = written.if_contains(name)) entry[name] = *value;
  }
  const auto* platform = written.if_contains("platform");
  const bool given = platform != nullptr && platform->is_object();
  auto object = platform_json(given ? written_platform(platform->get_object()) : Platform{});
  const auto* features = given ? platform->get_object().if_contains("features") : nullptr;
  const bool any = features != nullptr && features->is_array() && !features->get_array().empty();
  if (any) object["features"] = *features;
  entry["platform"] = std::move(object);
  return entry;
}

void add_facts(json::object& entry, const EntryFacts& facts) {
  if (facts.bytes) entry["imageSize"] = *facts.bytes;
  if (!facts.cached.empty()) entry["cached"] = facts.cached;
}

json::object docker_index(const Inspection& inspection, const json::object& written, bool verbose) {
  json::array entries;
  const auto* list = written.if_contains("manifests");
  if (list != nullptr && list->is_array()) {
    for (const auto& each : list->get_array()) {
      if (!each.is_object()) continue;
      auto entry = docker_entry(each.get_object());
      const auto i = entries.size();
      if (verbose && i < inspection.entries.size()) add_facts(entry, inspection.entries[i]);
      entries.push_back(std::move(entry));
    }
  }
  json::object index;
  index["schemaVersion"] = 2;
  index["mediaType"] = inspection.document.media_type;
  if (verbose) index["digest"] = inspection.document.digest.str();
  index["manifests"] = std::move(entries);
  return index;
}

json::object described(const Inspection& inspection, json::value manifest) {
  const auto& document = inspection.document;
  json::object object;
  object["name"] = inspection.name;
  object["mediaType"] = document.media_type;
  object["digest"] = document.digest.str();
  object["size"] = document.bytes.size();
  if (inspection.platform) object["platform"] = platform_json(*inspection.platform);
  if (document.manifest.interpretable) object["imageSize"] = size_of_parts(document.manifest);
  if (!inspection.cached.empty()) object["cached"] = inspection.cached;
  object["manifest"] = std::move(manifest);
  return object;
}

}  // namespace

std::string inspection_table(const Inspection& inspection, bool terminal) {
  const auto& manifest = inspection.document.manifest;
  if (!manifest.interpretable) return terminal ? head(inspection) : "";
  const bool index = manifest.kind == ManifestKind::index;
  const auto rows = index ? images(inspection, terminal) : parts(manifest, terminal);
  if (!terminal) return rows;
  return head(inspection) + "\n" + rows + (index ? attestations(inspection) : "");
}

Result<std::string> inspection_json(const Inspection& inspection, bool verbose) {
  const auto& document = inspection.document;
  auto value = parse_json(document.bytes);
  if (!value) return value.error();
  if (document.manifest.kind == ManifestKind::index && value->is_object()) {
    const auto index = docker_index(inspection, value->get_object(), verbose);
    return indented_json(json::serialize(index), index_indent) + "\n";
  }
  if (!verbose) return indented_json(document.bytes, manifest_indent) + "\n";
  const auto whole = described(inspection, *std::move(value));
  return indented_json(json::serialize(whole), manifest_indent) + "\n";
}

}  // namespace archway::proxy
