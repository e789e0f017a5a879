#include "resolver/route.hpp"

#include "resolver/model/shown.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>
#include <vector>

namespace archway::resolver {
namespace {

constexpr std::size_t parameter_max = 255;
constexpr std::size_t shown_max = 255;

Error problem(Errc code, std::string message) {
  return {.code = code, .origin = Origin::client, .message = std::move(message)};
}

std::string shown(std::string_view text) {
  return archway::shown(text, shown_max);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Percent-decodes a query value. A plus sign stays one: the values that clients send here (media
/// types like `…+json`) have plus signs and never spaces, and not every client escapes them.
/// None for a broken escape or a character that has no place in a name.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      byte = high * 16 + low;
      i += 2;
    }
    if (byte <= 0x20 || byte > 0x7e) return std::nullopt;
    result += static_cast<char>(byte);
  }
  return result.size() > parameter_max ? std::nullopt : std::optional(std::move(result));
}

Error bad_parameter(std::string_view name, std::string_view why) {
  return problem(Errc::request_invalid,
                 "the query parameter " + std::string(name) + " " + std::string(why));
}

/// The parameters that mean something here; all others are passed over.
struct Query {
  std::optional<std::string> ns;
  std::optional<std::string> n;
  std::optional<std::string> last;
  std::optional<std::string> artifact_type;

  std::optional<std::string>* find(std::string_view name) {
    if (name == "ns") return &ns;
    if (name == "n") return &n;
    if (name == "last") return &last;
    if (name == "artifactType") return &artifact_type;
    return nullptr;
  }
};

Result<Query> read_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    const auto equals = std::min(piece.find('='), piece.size());
    const auto name = piece.substr(0, equals);
    auto* const place = query.find(name);
    if (place == nullptr) continue;
    if (*place) return bad_parameter(name, "stands there twice");
    auto value = decoded(piece.substr(std::min(equals + 1, piece.size())));
    if (!value)
      return bad_parameter(name, "is too long or has characters that do not belong there");
    *place = std::move(value);
  }
  return query;
}

Result<void> apply(Query query, Route& route) {
  route.ns = query.ns.value_or("");
  if (route.kind == Route::Kind::referrers) route.artifact_type = query.artifact_type.value_or("");
  if (route.kind != Route::Kind::tags) return {};
  route.last = query.last.value_or("");
  if (!query.n) return {};
  std::uint64_t n = 0;
  const auto* const end = query.n->data() + query.n->size();
  const auto [behind, error] = std::from_chars(query.n->data(), end, n);
  if (error != std::errc() || behind != end) {
    return bad_parameter("n", "is not a number of tags");
  }
  route.n = n;
  return {};
}

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && behind == end && value >= 1 && value <= 65535;
}

/// A name as the path has it: a repository, or `host:port/repository`. (A host without a port has
/// the form of a repository's first part.)
Result<void> check_name(std::string_view name) {
  const auto first = name.substr(0, name.find('/'));
  const auto colon = first.find(':');
  std::string_view repository = name;
  if (colon != std::string_view::npos && first.size() < name.size()) {
    const auto host = Repository::parse(first.substr(0, colon));
    if (!host || !is_port(first.substr(colon + 1))) {
      return problem(Errc::name_invalid,
                     shown(name) +
                         " is not a name: a colon may only stand before the port number "
                         "of the registry that it starts with");
    }
    repository = name.substr(first.size() + 1);
  }
  const auto parsed = Repository::parse(repository);
  if (!parsed) return parsed.error();
  return {};
}

Error no_such_path(std::string_view path) {
  return problem(Errc::name_unknown, shown(path) +
                                         " is no path of a registry; images are asked for like "
                                         "/v2/library/alpine/manifests/latest");
}

Error not_here(std::string_view what) {
  return problem(Errc::unsupported, "archway is a read-only mirror: " + std::string(what) +
                                        ", ask the registry itself");
}

/// The part of `text` behind its last slash; `text` is cut to the part before it.
std::string_view take_last(std::string_view& text) {
  const auto slash = text.rfind('/');
  const auto last = slash == std::string_view::npos ? text : text.substr(slash + 1);
  text = slash == std::string_view::npos ? std::string_view{} : text.substr(0, slash);
  return last;
}

Result<void> read_digest(std::string_view text, Route& route) {
  const auto digest = Digest::parse(text);
  if (!digest) return digest.error();
  route.digest = *digest;
  return {};
}

Result<void> read_reference(std::string_view text, Route& route) {
  auto reference = parse_reference(text);
  if (!reference) return reference.error();
  route.reference = *std::move(reference);
  return {};
}

bool is_upload(std::string_view rest) {
  return rest.ends_with("/blobs/uploads") || rest.find("/blobs/uploads/") != std::string_view::npos;
}

/// Reads what stands behind `/v2/`.
Result<void> read_object(std::string_view path, std::string_view rest, Route& route) {
  if (rest == "_catalog") return not_here("it has no catalogue of all repositories");
  auto name = rest;
  const auto last = take_last(name);
  const auto verb = take_last(name);
  Result<void> read;
  if (verb == "manifests") {
    route.kind = Route::Kind::manifest;
    read = read_reference(last, route);
  } else if (verb == "blobs" && last != "uploads") {
    route.kind = Route::Kind::blob;
    read = read_digest(last, route);
  } else if (verb == "tags" && last == "list") {
    route.kind = Route::Kind::tags;
  } else if (verb == "referrers") {
    route.kind = Route::Kind::referrers;
    read = read_digest(last, route);
  } else if (is_upload(rest)) {
    return not_here("nothing can be pushed to it");
  } else {
    return no_such_path(path);
  }
  // The name first: in `/v2/Alpine/manifests/…` it is what a person can see to be wrong.
  auto named = check_name(name);
  if (!named) return named;
  route.name = std::string(name);
  return read;
}

/// Reads the token at the front of `rest`; leaves what stands behind it, with its slash.
Result<void> read_token(std::string_view& rest, Route& route) {
  const auto token = rest.substr(0, rest.find('/'));
  auto platform = Platform::parse_token(token);
  if (!platform) return platform.error();
  route.platform = *std::move(platform);
  rest.remove_prefix(token.size());
  return {};
}

bool starts_as(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

Result<void> read_path(std::string_view path, Route& route) {
  constexpr std::string_view platform_folder = "/platform/";
  auto rest = path;
  if (rest.starts_with(platform_folder)) {
    rest.remove_prefix(platform_folder.size());
    if (auto token = read_token(rest, route); !token) return token;
  }
  if (!starts_as(rest, "/v2")) return no_such_path(path);
  rest.remove_prefix(3);
  if (rest.starts_with(platform_folder)) {
    if (route.platform) {
      return problem(Errc::platform_invalid, shown(path) + " names a platform in two places");
    }
    rest.remove_prefix(platform_folder.size());
    if (auto token = read_token(rest, route); !token) return token;
  }
  if (rest.empty() || rest == "/") return {};
  return read_object(path, rest.substr(1), route);
}

}  // namespace

std::string_view name(Route::Kind kind) noexcept {
  switch (kind) {
    case Route::Kind::ping: return "ping";
    case Route::Kind::manifest: return "manifest";
    case Route::Kind::blob: return "blob";
    case Route::Kind::tags: return "tags";
    case Route::Kind::referrers: return "referrers";
  }
  return "unknown";
}

Result<Route> parse_route(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  const auto question = std::min(path.size() + 1, target.size());
  if (path.find('%') != std::string_view::npos) {
    return problem(Errc::name_unknown, shown(path) +
                                           " has a percent sign: names, tags and digests of a "
                                           "registry are never escaped");
  }
  Route route;
  if (auto read = read_path(path, route); !read) return read.error();
  auto query = read_query(target.substr(question));
  if (!query) return query.error();
  if (auto applied = apply(*std::move(query), route); !applied) return applied.error();
  return route;
}

}  // namespace archway::resolver
