#include "resolver/upstream_of.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>
#include <cstddef>

namespace archway::resolver {
namespace {

using Entry = UpstreamNames::Entry;

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

template <class Predicate>
const Entry* find(const UpstreamNames& names, Predicate good) {
  const auto found = std::find_if(names.entries.begin(), names.entries.end(), good);
  return found == names.entries.end() ? nullptr : &*found;
}

const Entry* by_name(const UpstreamNames& names, std::string_view name) {
  return find(names, [&](const Entry& e) { return e.name == name || contains(e.aliases, name); });
}

/// The host of a Host header: without the port and a trailing dot.
std::string bare_host(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return lower(host);
}

const Entry* by_host(const UpstreamNames& names, std::string_view header) {
  const auto host = bare_host(header);
  return find(names, [&](const Entry& e) { return contains(e.hosts, host); });
}

/// Docker's own rule for telling a registry from an organisation.
bool looks_like_host(std::string_view part) {
  return part.find_first_of(".:") != std::string_view::npos || part == "localhost";
}

std::string known(const UpstreamNames& names) {
  constexpr std::size_t listed_max = 20;
  if (names.entries.empty()) return "; none is";
  std::string text = "; it has ";
  const auto count = std::min(names.entries.size(), listed_max);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += names.entries[i].name;
  }
  const auto more = names.entries.size() - count;
  return more == 0 ? text : text + " and " + std::to_string(more) + " more";
}

Error unknown(const UpstreamNames& names, std::string_view asked) {
  constexpr std::size_t shown_max = 255;
  return {.code = Errc::name_unknown,
          .origin = Origin::client,
          .message = "the registry \"" + std::string(asked.substr(0, shown_max)) +
                     "\" is not configured as an upstream of this archway" + known(names)};
}

Error no_default(const UpstreamNames& names) {
  return {.code = Errc::name_unknown,
          .origin = Origin::client,
          .message =
              "this name does not say which registry it is from, and this archway has no "
              "default upstream" +
              known(names)};
}

Result<ImageName> image_at(const Entry& upstream, std::string_view repository) {
  const bool one_word = repository.find('/') == std::string_view::npos && !repository.empty();
  const std::string prefix = upstream.adds_library && one_word ? "library/" : "";
  auto parsed = Repository::parse(prefix + std::string(repository));
  if (!parsed) return std::move(parsed).error();
  return ImageName{.upstream = upstream.name, .repository = *std::move(parsed)};
}

}  // namespace

Result<ImageName> upstream_of(const Route& route, std::string_view host,
                              const UpstreamNames& names) {
  const std::string_view name = route.name;
  const auto first = name.substr(0, name.find('/'));
  const bool has_more = first.size() < name.size();
  if (has_more) {
    if (const auto* entry = by_name(names, first))
      return image_at(*entry, name.substr(first.size() + 1));
  }
  if (!route.ns.empty()) {
    // containerd puts the registry there and the whole repository, dots and all, into the path.
    const auto* entry = by_name(names, lower(route.ns));
    return entry == nullptr ? Result<ImageName>(unknown(names, route.ns)) : image_at(*entry, name);
  }
  if (has_more && looks_like_host(first)) return unknown(names, first);
  if (const auto* entry = by_host(names, host)) return image_at(*entry, name);
  if (const auto* entry = by_name(names, names.default_name)) return image_at(*entry, name);
  return no_default(names);
}

Result<ImageName> image_named(std::string_view full_name, const UpstreamNames& names) {
  const auto host = full_name.substr(0, full_name.find('/'));
  const auto* entry = by_name(names, host);
  if (entry == nullptr) return unknown(names, host);
  return image_at(*entry, full_name.substr(std::min(host.size() + 1, full_name.size())));
}

}  // namespace archway::resolver
