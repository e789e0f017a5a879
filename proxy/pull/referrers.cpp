#include "proxy/pull/referrers.hpp"

#include "proxy/pull/attached.hpp"
#include "proxy/pull/keep_manifest.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/resolve_tag.hpp"
#include "proxy/upstream/status.hpp"
#include "resolver/freshness.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::minutes patience{2};
constexpr std::string_view empty_index =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

/// The upstream has no such API, or nothing of that name there.
bool has_no_api(const Error& error) {
  return error.code == Errc::manifest_unknown || error.code == Errc::name_unknown ||
         error.code == Errc::blob_unknown || error.code == Errc::unsupported;
}

/// What a kept list may stand in for.
bool may_stand_in(const Error& error) {
  return upstream_fails(error) || error.code == Errc::overloaded;
}

Error no_list(const ImageName& image) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = image.upstream + " answered with something that is not a list of referrers",
          .context = "referrers of " + image.str()};
}

Error too_many(const ImageName& image) {
  return {.code = Errc::manifest_invalid,
          .origin = Origin::upstream,
          .message = image.upstream + " has a list of referrers larger than 4 MiB"};
}

std::optional<json::object> read_list(const std::string& bytes) {
  json::error_code error;
  auto value = json::parse(bytes, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto* manifests = value.get_object().if_contains("manifests");
  if (manifests == nullptr || !manifests->is_array()) return std::nullopt;
  return std::move(value.get_object());
}

/// The query of the next page's URL, `<…?query>; rel="next"`; "" when this was the last.
std::string next_page(std::string_view link) {
  const auto begin = link.find('?');
  const auto end = link.find('>');
  if (begin == std::string_view::npos || end == std::string_view::npos || begin > end) return {};
  if (link.find("next", end) == std::string_view::npos) return {};
  return std::string(link.substr(begin + 1, end - begin - 1));
}

/// All pages as one list; a single one stays as the upstream wrote it.
net::awaitable<Result<std::string>> ask_api(PullParts* parts, ImageName image, Digest digest) {
  auto* registry = parts->registry(image);
  std::string first;
  std::optional<json::object> all;
  std::string query;
  for (int page = 0; page < referrer_pages_max; ++page) {
    auto document = co_await registry->get_referrers(image.repository, digest, query);
    if (!document) co_return document.error();
    auto list = read_list(document->bytes);
    if (!list) co_return no_list(image);
    const auto next = next_page(document->fields.find("Link"));
    if (!all) {
      all = std::move(list);
      first = std::move(document->bytes);
    } else {
      auto& manifests = all->at("manifests").get_array();
      for (auto& entry : list->at("manifests").get_array()) manifests.push_back(std::move(entry));
      first.clear();
    }
    if (next.empty()) {
      std::string whole = first.empty() ? json::serialize(*all) : std::move(first);
      if (whole.size() > resolver::manifest_bytes_max) co_return too_many(image);
      co_return whole;
    }
    query = next;
  }
  co_return too_many(image);
}

/// What the fallback tag names; an absent one means that there are no referrers. A stale one is
/// not written down as checked.
net::awaitable<Result<ResolvedTag>> ask_fallback(PullParts* parts, ImageName image, Digest digest) {
  const auto tag = referrers_tag(digest);
  if (!tag) co_return tag.error();
  const auto resolved = co_await resolve_tag(parts, image, *tag);
  if (resolved) {
    const auto list = co_await obtain_manifest(parts, image, resolved->digest);
    if (!list) co_return list.error();
    co_return resolved;
  }
  if (!has_no_api(resolved.error())) co_return resolved.error();
  std::string none(empty_index);
  const auto kept = co_await keep_made(parts, image, std::string(media_type::oci_index), none);
  if (!kept) co_return kept.error();
  co_return ResolvedTag{.digest = kept->digest, .outcome = metrics::Outcome::miss};
}

net::awaitable<Result<ResolvedTag>> ask_upstream(PullParts* parts, ImageName image, Digest digest,
                                                 Tag remembered) {
  auto list = co_await ask_api(parts, image, digest);
  ResolvedTag resolved{.digest = digest, .outcome = metrics::Outcome::miss};
  if (list) {
    const auto kept =
        co_await keep_made(parts, image, std::string(media_type::oci_index), *std::move(list));
    if (!kept) co_return kept.error();
    resolved.digest = kept->digest;
  } else {
    if (!has_no_api(list.error())) co_return list.error();
    const auto fallback = co_await ask_fallback(parts, image, digest);
    if (!fallback) co_return fallback.error();
    resolved.digest = fallback->digest;
    resolved.outcome = fallback->outcome;
  }
  resolved.checked_at = unix_now();
  if (resolved.outcome == metrics::Outcome::stale) co_return resolved;
  resolved.outcome = metrics::Outcome::miss;
  cache::Changes changes;
  changes.tags.push_back(
      {{image, remembered}, {.digest = resolved.digest, .checked_at = resolved.checked_at}});
  const auto kept = co_await commit(parts, std::move(changes));
  if (!kept) {
    parts->shared->log->write_seldom("tag", metrics::Level::warn, "a tag could not be remembered",
                                     {{"why", kept.error().context}});
  }
  co_return resolved;
}

net::awaitable<Result<ResolvedTag>> find_list(PullParts* parts, ImageName image, Digest digest) {
  const auto& shared = *parts->shared;
  const auto tag = referrers_list_tag(digest);
  if (!tag) co_return tag.error();
  auto known = shared.cache->index().find_tag(image, *tag);
  // The upstream could not be asked for it: it has the list by no digest.
  if (known && !shared.cache->index().find_manifest(known->digest)) known.reset();
  auto freshness = resolver::Freshness::expired;
  const auto times = resolver::times_for(shared.settings->tags, image, *tag);
  if (known) freshness = resolver::freshness(times, known->checked_at, unix_now());
  if (freshness == resolver::Freshness::fresh) {
    co_return ResolvedTag{.digest = known->digest, .checked_at = known->checked_at};
  }
  const std::string key = image.str() + ":" + tag->str();
  // Goes on when the client that it goes by has left.
  const SingleFlight<ResolvedTag>::Work work = [parts, image, digest, remembered = *tag,
                                                loan = parts->upstreams->loan_of(image)] {
    return ask_upstream(parts, image, digest, remembered);
  };
  auto asked = co_await parts->shared->tags.run(key, work, patience);
  for (int lenders = 1; lenders < lenders_max && !asked; ++lenders) {
    if (!another_lends(*parts, image, asked.error())) break;
    asked = co_await parts->shared->tags.run(key, work, patience);
  }
  if (asked) co_return *asked;
  const bool usable =
      known && (freshness != resolver::Freshness::expired || shared.settings->offline);
  if (!usable || !may_stand_in(asked.error())) co_return asked.error();
  co_return ResolvedTag{
      .digest = known->digest, .checked_at = known->checked_at, .outcome = metrics::Outcome::stale};
}

}  // namespace

net::awaitable<Result<StoredManifest>> obtain_referrers(PullParts* parts, ImageName image,
                                                        Digest digest) {
  const auto found = co_await find_list(parts, image, digest);
  if (!found) co_return found.error();
  auto list = co_await obtain_manifest(parts, image, found->digest);
  if (!list) co_return list.error();
  list->outcome = worst(list->outcome, found->outcome);
  co_return list;
}

std::string of_artifact_type(const std::string& list, const std::string& artifact_type) {
  auto read = read_list(list);
  if (!read) return list;
  auto& manifests = read->at("manifests").get_array();
  const auto is_other = [&](const json::value& entry) {
    const auto* type = entry.is_object() ? entry.get_object().if_contains("artifactType") : nullptr;
    return type == nullptr || !type->is_string() ||
           std::string_view(type->get_string().data(), type->get_string().size()) != artifact_type;
  };
  manifests.erase(std::remove_if(manifests.begin(), manifests.end(), is_other), manifests.end());
  return json::serialize(*read);
}

}  // namespace archway::proxy
