#include "proxy/pull/serve_manifest.hpp"

#include "proxy/config/access.hpp"
#include "proxy/pull/obtain_manifest.hpp"
#include "proxy/pull/prefetch.hpp"
#include "proxy/pull/question.hpp"
#include "proxy/pull/reuse_manifest.hpp"
#include "proxy/pull/single.hpp"
#include "proxy/pull/sources.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using AskedPtr = std::shared_ptr<const Asked>;

void explain_digest(PullParts* parts, const Asked& asked, const ImageName& source,
                    const StoredManifest& manifest, Explanation* why) {
  const auto& shared = *parts->shared;
  why->client = asked.client;
  why->image = full_name(source, manifest.digest);
  why->reason = "a digest is never resolved";
  const auto platform = granted_platform(shared, source, manifest.digest);
  if (!platform.empty()) why->reason += "; this one is of an image for " + platform;
  why->cached = manifest.outcome == metrics::Outcome::hit;
  const Question question{
      .image = source, .name = why->image, .client = {}, .policy = {}, .why = why};
  note_only_parts_of(question, *shared.cache, *manifest.manifest);
}

net::awaitable<Result<Decided>> find_digest(PullParts* parts, AskedPtr asked, Digest digest,
                                            Explanation* why) {
  const auto allowed = check_allowed(*parts->shared, *asked, digest);
  if (!allowed && why != nullptr) {
    why->client = asked->client;
    why->verdict = "refuse";
    why->reason = allowed.error().context;
  }
  if (!allowed) co_return allowed.error();
  const auto source = co_await find_source(parts, asked, digest, ObjectKind::manifest);
  if (!source) co_return source.error();
  auto manifest = co_await obtain_manifest(parts, *source, digest);
  if (!manifest) co_return manifest.error();
  if (why != nullptr) explain_digest(parts, *asked, *source, *manifest, why);
  const auto outcome = manifest->outcome;
  co_return Decided{.manifest = *std::move(manifest), .outcome = outcome, .from = *source};
}

/// A tag's platform is worth remembering; its parts come from the name that they are published
/// under, which for a virtual image is another one.
void tell_prefetch(PullParts* parts, const Asked& asked, const Decided& decided, bool body) {
  auto* prefetch = parts->shared->prefetch;
  if (prefetch == nullptr || is_borrowed(*parts->shared->settings, decided.from)) return;
  const auto& platform = asked.client.platform;
  if (!asked.tag) {
    prefetch->handed_out(parts, decided.from, std::nullopt, platform, decided.manifest, body);
    return;
  }
  const bool own = decided.from == asked.image;
  prefetch->handed_out(parts, asked.image, asked.tag, platform, decided.manifest, body && own);
  if (!own) {
    prefetch->handed_out(parts, decided.from, std::nullopt, platform, decided.manifest, body);
  }
}

}  // namespace

net::awaitable<Result<Decided>> decide_manifest(PullParts* parts, AskedPtr asked,
                                                Explanation* why) {
  if (asked->tag) {
    const bool anew = asks_anew(parts->shared->settings->tags, *asked->request);
    co_return co_await decide_tag(parts, asked->image, *asked->tag, asked->client, why, anew);
  }
  co_return co_await find_digest(parts, asked, std::get<Digest>(*asked->route.reference), why);
}

Response manifest_response(const Asked& asked, const Decided& decided) {
  const auto digest = decided.manifest.digest.str();
  const auto etag = "\"" + digest + "\"";
  asked.account->digest = digest;
  Response response;
  response.fields.add("Content-Type", decided.manifest.media_type);
  response.fields.add("Docker-Content-Digest", digest);
  response.fields.add("ETag", etag);
  add_common_fields(response, asked);
  if (decided.index) response.fields.add("Archway-Index", decided.index->str());
  if (!decided.warning.empty()) add_warning(response, decided.warning);
  if (asked.tag) {
    response.fields.add("Vary", "Accept, User-Agent, Archway-Platform, X-Meta-Archway-Platform");
  }
  add_outcome(response, asked, decided.outcome);
  if (decided.stale_since) add_staleness(response, unix_now() - *decided.stale_since);
  response.body = decided.manifest.bytes;
  return unchanged(*asked.request, etag) ? not_modified(std::move(response)) : response;
}

net::awaitable<Result<Response>> serve_manifest(PullParts* parts, AskedPtr asked) {
  const auto decided = co_await decide_manifest(parts, asked, nullptr);
  if (!decided) co_return decided.error();
  if (!decided->warning.empty()) {
    log_wrong_platform(*parts->shared, asked->account->image, decided->manifest.digest,
                       decided->warning);
  }
  Response response = manifest_response(*asked, *decided);
  const bool body = asked->request->method == Method::get && response.status == 200;
  tell_prefetch(parts, *asked, *decided, body);
  response.reuse = reuse_of(*parts->shared, *asked, *decided, response);
  co_return response;
}

}  // namespace archway::proxy
